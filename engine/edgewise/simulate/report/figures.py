"""Numbers and times as people read them."""

from __future__ import annotations

from math import sqrt

_Z_95 = 1.959963984540054
"""The normal distribution has 95% within this many standard deviations."""


def percent(share: float) -> str:
    """Return a share 0..1 as a percentage for people."""
    return f"{share:.1%}"


def day(time: str) -> str:
    """Return the date of an ISO 8601 time, as `2026-11-01`."""
    return time[:10]


def moment(time: str) -> str:
    """Return an ISO 8601 time to the minute, as `2026-11-01 12:30`."""
    return time[:16].replace("T", " ")


def probability(p: float) -> str:
    """Return a p value with the digits that matter."""
    return f"{p:.2g}" if p < 0.01 else f"{p:.2f}"


def confidence(found: int, total: int) -> tuple[float, float]:
    """Return the ends of the 95% confidence interval of a share, 0..1.

    Source: Wilson's score interval, which stays within 0..1 and serves few visitors too.
    """
    if not total:
        return 0.0, 1.0
    share = found / total
    spread = _Z_95 * _Z_95 / total
    middle = share + spread / 2
    half = _Z_95 * sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))
