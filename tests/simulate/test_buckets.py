"""Buckets get wider with the time that they cover, and lose nothing by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.simulate.buckets import Buckets
from edgewise.simulate.window import DAY_MS, HOUR_MS, make_window

START_MS = 1_793_534_400_000


@given(
    st.lists(st.integers(0, 3_000 * HOUR_MS), min_size=1, max_size=60),
    st.sampled_from([1, 7, 97, 1_000]),
)
def test_every_time_is_counted_where_it_belongs(offsets: list[int], stretch: int) -> None:
    """Whatever the order and the span, a bucket of the window counts the times that it owns."""
    times = [START_MS + offset * stretch // 1_000 for offset in offsets]
    window = make_window(min(times), max(times))
    buckets = Buckets()
    for time_ms in times:
        buckets.at(time_ms).new += 1
        buckets.at(time_ms).entries.update(["a"])
    found = list(buckets.of(window))
    assert len(found) == window.count
    for place, bucket in enumerate(found):
        start_ms = window.start_of(place)
        owned = sum(start_ms <= time_ms < start_ms + window.bucket_ms for time_ms in times)
        assert (bucket.new, bucket.entries["a"]) == (owned, owned)


@pytest.mark.parametrize("days", [3, 30, 500])
def test_few_buckets_are_kept(days: int) -> None:
    """A long time does not take more room than its result does, but for the days of the hours."""
    buckets = Buckets()
    for hour in range(days * 24):
        buckets.at(START_MS + hour * HOUR_MS).new += 1
    window = make_window(START_MS, START_MS + days * DAY_MS - HOUR_MS)
    assert len(buckets) <= window.count + 1


def test_window_may_be_wider_than_what_was_counted() -> None:
    """A part of the visitors may have been there for an hour of a year."""
    buckets = Buckets()
    for minute in (0, 70):
        buckets.at(START_MS + minute * 60_000).new += 1
    window = make_window(START_MS - 200 * DAY_MS, START_MS + 100 * DAY_MS)
    assert [bucket.new for bucket in buckets.of(window)] == [0] * 200 + [2] + [0] * 100


@pytest.mark.parametrize("span_ms", [4 * DAY_MS, 400 * DAY_MS])
def test_longest_span_of_a_width(span_ms: int) -> None:
    """Two times that are as far apart as a width allows are still told apart by it."""
    buckets = Buckets()
    start_ms = START_MS + HOUR_MS - 1
    for time_ms in (start_ms, start_ms + span_ms):
        buckets.at(time_ms).new += 1
    window = make_window(start_ms, start_ms + span_ms)
    found = [bucket.new for bucket in buckets.of(window)]
    assert (found[0], found[-1], sum(found)) == (1, 1, 2)


def test_nothing_counted_is_one_empty_bucket() -> None:
    """A window without any request has room for its zeros."""
    (bucket,) = Buckets().of(make_window(START_MS, START_MS))
    assert (bucket.new, bucket.gone, bucket.entries) == (0, 0, {})
