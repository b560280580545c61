"""Masks and the values that stand at their set bits."""

from __future__ import annotations

from random import Random

import pytest

from edgewise.audiences.bits import Positions, mask_of


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("size", [0, 1, 7, 8, 63, 64, 65, 1000])
def test_values_at_set_bits(size: int, share: float) -> None:
    """Few bits or many: the values come out in order, each once."""
    chance = Random(size)
    values = tuple(f"v{place}" for place in range(size))
    bits = [place for place in range(size) if chance.random() < share]
    assert Positions(values).of(mask_of(bits, size)) == [values[bit] for bit in bits]


def test_every_pattern_of_a_byte() -> None:
    """Each of the 256 combinations of eight neighbours is read right, in any byte."""
    positions = Positions(tuple(range(24)))
    for byte in range(256):
        for shift in (0, 8, 16):
            expected = [shift + bit for bit in range(8) if byte >> bit & 1]
            assert positions.of(byte << shift) == expected
