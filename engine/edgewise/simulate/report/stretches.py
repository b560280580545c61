"""The stretches of time that a result counts in, as charts need them."""

from __future__ import annotations

from datetime import datetime

from edgewise.simulate.report.figures import day, moment
from edgewise.simulate.result import TimelineResult
from edgewise.simulate.window import DAY_MS, HOUR_MS, WEEK_MS

_LENGTHS_MS = {"hour": HOUR_MS, "day": DAY_MS, "week": WEEK_MS}


def bounds_ms(timeline: TimelineResult) -> list[int]:
    """Return where stretches start, and where the last one ends, in milliseconds since 1970."""
    starts = [round(datetime.fromisoformat(one).timestamp() * 1_000) for one in timeline.starts]
    return [*starts, *(start + _LENGTHS_MS[timeline.bucket] for start in starts[-1:])]


def stretch_name(start: str, bucket: str) -> str:
    """Return the start of a stretch as exactly as its length asks for."""
    return moment(start) if bucket == "hour" else day(start)
