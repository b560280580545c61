"""The hashes of visitors: they must never change, or every visitor would change variants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.hashing import murmur3_32, xxh3_halves, xxh3_seed

VECTORS = Path(__file__).parent / "vectors"
MURMUR3: list[dict[str, Any]] = json.loads((VECTORS / "murmur3.json").read_text("utf-8"))
XXH3: list[dict[str, Any]] = json.loads((VECTORS / "xxh3.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", MURMUR3, ids=lambda vector: ascii(vector["text"])[:40])
def test_murmur3_vectors(vector: dict[str, Any]) -> None:
    """murmur3 gives the bucket that the clients' own library gives, beyond ASCII too."""
    assert murmur3_32(vector["text"]) / 4294967295 == vector["unit"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        pytest.param("distribution-experience1-123", 0.1082723711403721, id="123"),
        pytest.param("distribution-experience1-456", 0.6206237130380756, id="456"),
    ],
)
def test_murmur3_distribution_texts(text: str, unit: float) -> None:
    """The texts that allocation hashes give the buckets that the clients' documents state."""
    assert murmur3_32(text) / 4294967295 == unit


def test_murmur3_takes_half_a_surrogate_pair() -> None:
    """A text that is no valid Unicode is hashed by its low bytes, as any other."""
    assert murmur3_32("\ud83e") == murmur3_32("\x3e")


@given(st.text())
def test_murmur3_hashes_low_bytes_only(text: str) -> None:
    """A text hashes like the text of the low bytes of its UTF-16 code units."""
    units = text.encode("utf-16-le", "surrogatepass")
    assert murmur3_32(text) == murmur3_32(units[::2].decode("latin-1"))


@pytest.mark.parametrize("vector", XXH3, ids=lambda row: ascii(row["text"])[:20])
def test_xxh3_vectors(vector: dict[str, Any]) -> None:
    """xxh3 keeps giving every visitor the hash it has always given."""
    seed = xxh3_seed(vector["experience_id"])
    assert f"{seed:016x}" == vector["seed"]
    high, low = xxh3_halves(vector["text"].encode(), seed)
    assert f"{high:08x}{low:08x}" == vector["hash"]


@pytest.mark.parametrize(
    ("text", "hash_"),
    [
        pytest.param("", 0x2D06800538D394C2, id="empty"),
        pytest.param("abc", 0x78AF5F94892F3950, id="abc"),
    ],
)
def test_xxh3_published_vectors(text: str, hash_: int) -> None:
    """The hash is XXH3 as published: its known values come out for seed 0."""
    assert xxh3_halves(text.encode(), 0) == (hash_ >> 32, hash_ & 0xFFFFFFFF)
    assert xxh3_seed(text) == hash_
