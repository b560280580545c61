"""Tallies: counts for ever, times within a window, and what a merge makes of both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.model.audience import Constant, Matcher
from edgewise.model.profiles import Profile
from edgewise.tallies import count_event, count_in_window, drop_unused, merge_tallies

EVER = Matcher(id=1, tree=Constant(True))
WINDOWED = Matcher(id=2**64 - 1, tree=Constant(True), window_ms=1000, kept=3)


def make_profile() -> Profile:
    return Profile(organization="o", environment="main", id="p", stable_id="p", created_ms=0)


def test_without_a_window_events_are_only_counted() -> None:
    """A matcher without a window costs one number per profile, however many events there are."""
    profile = make_profile()
    for time_ms in (30, 10, 20):
        count_event(profile, EVER, time_ms)
    assert (profile.counts, profile.recent) == ({1: 3}, {})


@given(st.lists(st.integers(0, 100)))
def test_with_a_window_the_newest_times_are_kept(times: list[int]) -> None:
    """In whatever order events come, the newest `kept` times remain, oldest first."""
    profile = make_profile()
    for time_ms in times:
        count_event(profile, WINDOWED, time_ms)
        assert len(profile.recent[WINDOWED.id]) <= WINDOWED.kept
    assert profile.recent.get(WINDOWED.id, []) == sorted(times)[-WINDOWED.kept :]
    assert profile.counts == {}


def test_two_events_at_the_same_time_are_two() -> None:
    """Times are not deduplicated: the events were."""
    profile = make_profile()
    count_event(profile, WINDOWED, 5)
    count_event(profile, WINDOWED, 5)
    assert profile.recent == {WINDOWED.id: [5, 5]}


@pytest.mark.parametrize(
    ("cutoff_ms", "count"),
    [
        pytest.param(9, 4, id="before all"),
        pytest.param(10, 4, id="at the oldest"),
        pytest.param(11, 3, id="just after the oldest"),
        pytest.param(20, 3, id="at a time that occurs twice"),
        pytest.param(30, 1, id="at the newest"),
        pytest.param(31, 0, id="after all"),
    ],
)
def test_the_cutoff_lies_in_the_window(cutoff_ms: int, count: int) -> None:
    """A window owns its oldest millisecond."""
    assert count_in_window([10, 20, 20, 30], cutoff_ms) == count


def test_no_times_are_in_no_window() -> None:
    """Without times nothing counts."""
    assert count_in_window([], 0) == 0


def test_unused_tallies_are_forgotten() -> None:
    """Tallies of matchers that no rule has any more leave the profile, others stay."""
    profile = make_profile()
    profile.counts = {1: 5, 2: 6}
    profile.recent = {3: [1], 4: [2]}
    drop_unused(profile, {2, 3})
    assert (profile.counts, profile.recent) == ({2: 6}, {3: [1]})


def test_merged_counts_add_up() -> None:
    """After a merge a matcher has counted what both profiles did; the source is untouched."""
    into, source = make_profile(), make_profile()
    into.counts = {1: 5, 2: 1}
    source.counts = {1: 2, 3: 4}
    merge_tallies(into, source, {})
    assert into.counts == {1: 7, 2: 1, 3: 4}
    assert source.counts == {1: 2, 3: 4}


def test_merged_times_are_the_newest_of_both() -> None:
    """After a merge the newest times of both profiles remain, as many as the matcher keeps."""
    into, source = make_profile(), make_profile()
    into.recent = {WINDOWED.id: [10, 30, 50]}
    source.recent = {WINDOWED.id: [20, 40, 60]}
    merge_tallies(into, source, {WINDOWED.id: WINDOWED})
    assert into.recent == {WINDOWED.id: [40, 50, 60]}
    assert source.recent == {WINDOWED.id: [20, 40, 60]}


def test_merged_times_of_an_unknown_matcher_are_all_kept() -> None:
    """Without its matcher nobody can say how many times are needed, so none is lost."""
    into, source = make_profile(), make_profile()
    into.recent = {7: [3]}
    source.recent = {7: [1, 2], 8: [9]}
    merge_tallies(into, source, {})
    assert into.recent == {7: [1, 2, 3], 8: [9]}


def test_a_merge_shares_no_lists() -> None:
    """Counting on after a merge does not reach into the profile that was merged."""
    into, source = make_profile(), make_profile()
    source.recent = {WINDOWED.id: [1]}
    merge_tallies(into, source, {WINDOWED.id: WINDOWED})
    count_event(into, WINDOWED, 2)
    assert source.recent == {WINDOWED.id: [1]}


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([EVER, WINDOWED]), st.integers(0, 100))))
def test_merging_equals_counting_in_one_profile(
    events: list[tuple[bool, Matcher, int]],
) -> None:
    """Two merged profiles have the tallies of one that saw all the events."""
    both, into, source = make_profile(), make_profile(), make_profile()
    for is_first, matcher, time_ms in events:
        count_event(both, matcher, time_ms)
        count_event(into if is_first else source, matcher, time_ms)
    merge_tallies(into, source, {EVER.id: EVER, WINDOWED.id: WINDOWED})
    assert (into.counts, into.recent) == (both.counts, both.recent)
