"""Pairs of audiences are counted as if each were counted alone."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.simulate import overlap
from edgewise.simulate.overlap import pairs_of

AUDIENCES = 6
SETS = st.dictionaries(
    st.frozensets(st.integers(0, AUDIENCES - 1)).map(lambda some: tuple(sorted(some))),
    st.integers(1, 5),
)


@given(sets=SETS, at_once=st.integers(1, 4))
def test_pairs_add_up(sets: dict[tuple[int, ...], int], at_once: int) -> None:
    """Each pair of each set counts as often as the set, however many are counted at once."""
    expected: Counter[int] = Counter()
    for positions, count in sets.items():
        for low, high in combinations(positions, 2):
            expected[low * AUDIENCES + high] += count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "_SETS_AT_ONCE", at_once)
        assert pairs_of(sets, AUDIENCES) == expected
