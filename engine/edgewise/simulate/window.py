"""The stretch of time that a simulation covers, in buckets of an hour, a day or a week."""

from __future__ import annotations

import msgspec

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS

WEEK_MS = 7 * DAY_MS
_LONGEST_IN_HOURS_MS = 4 * DAY_MS
_LONGEST_IN_DAYS_MS = 400 * DAY_MS


class Window(msgspec.Struct, frozen=True):
    """From the first to the last arrival; buckets start at whole hours or days of UTC.

    Args:
        first_ms, last_ms: both included; a window without any request has a `count` of 0.
        bucket_ms: the width of a bucket. Bucket i owns its start and not its end.
        count: the number of buckets.
    """

    first_ms: int = 0
    last_ms: int = 0
    bucket_ms: int = DAY_MS
    count: int = 0

    def start_of(self, bucket: int) -> int:
        """Return when a bucket starts, in milliseconds since 1970."""
        return self.first_ms // self.bucket_ms * self.bucket_ms + bucket * self.bucket_ms


def make_window(first_ms: int, last_ms: int) -> Window:
    """Return the window of these arrivals."""
    bucket_ms = bucket_width(last_ms - first_ms)
    count = last_ms // bucket_ms - first_ms // bucket_ms + 1
    return Window(first_ms, last_ms, bucket_ms, count)


def bucket_width(span_ms: int) -> int:
    """Return the width of the buckets of a stretch: hours up to four days, then days, then weeks.

    Each is a multiple of the one before, and both start at the same times.
    """
    if span_ms <= _LONGEST_IN_HOURS_MS:
        return HOUR_MS
    return DAY_MS if span_ms <= _LONGEST_IN_DAYS_MS else WEEK_MS
