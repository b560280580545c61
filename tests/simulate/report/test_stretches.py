"""Stretches of time have a start and an end on an axis."""

from __future__ import annotations

import pytest

from edgewise.simulate.report.stretches import bounds_ms, stretch_name
from edgewise.simulate.result import TimelineResult


@pytest.mark.parametrize(
    ("bucket", "length_ms"),
    [("hour", 3_600_000), ("day", 86_400_000), ("week", 604_800_000)],
)
def test_last_stretch_has_an_end(bucket: str, length_ms: int) -> None:
    """One stretch has two bounds, as far apart as it is long."""
    time = "1970-01-01T00:00:00.000Z"
    assert bounds_ms(TimelineResult(time, time, bucket, [time])) == [0, length_ms]


def test_without_stretches_there_are_no_bounds() -> None:
    """Nothing was replayed, so nothing begins or ends."""
    assert bounds_ms(TimelineResult("", "", "day", [])) == []


@pytest.mark.parametrize(
    ("bucket", "name"),
    [("hour", "2026-11-01 12:00"), ("day", "2026-11-01"), ("week", "2026-11-01")],
)
def test_names_are_as_exact_as_the_stretch(bucket: str, name: str) -> None:
    """Only an hour needs its time of the day."""
    assert stretch_name("2026-11-01T12:00:00.000Z", bucket) == name
