"""Limits of requests per second and minute."""

from __future__ import annotations

import pytest

from edgewise.asgi.rate_limits import RateLimit, RateLimiter, parse_rate_limit
from edgewise.errors import InputError


class Clock:
    def __init__(self, now_s: float = 600.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def test_burst() -> None:
    """No more requests than allowed go on within a second, and the next second is a new one."""
    clock = Clock(600.25)
    limiter = RateLimiter(RateLimit(2, 100), clock)
    assert [limiter.take().retry_s for _ in range(3)] == [0, 0, 1]
    clock.now_s = 601.0
    assert limiter.take().retry_s == 0


def test_steady() -> None:
    """No more requests than allowed go on within a minute; the wait is told in whole seconds."""
    clock = Clock()
    limiter = RateLimiter(RateLimit(2, 3), clock)
    for _ in range(3):
        assert limiter.take().retry_s == 0
        clock.now_s += 1
    clock.now_s = 610.5
    refused = limiter.take()
    assert refused.retry_s == 50
    assert refused.headers == ((b"retry-after", b"50"),)
    clock.now_s = 660.0
    assert limiter.take().retry_s == 0


def test_refused_requests_do_not_count() -> None:
    """Who tries on while the second is full takes nothing away from the minute."""
    clock = Clock()
    limiter = RateLimiter(RateLimit(1, 2), clock)
    assert [limiter.take().retry_s for _ in range(5)] == [0, 1, 1, 1, 1]
    clock.now_s += 1
    assert limiter.take().retry_s == 0


def test_standing() -> None:
    """A request that goes on is told how many more may in this minute."""
    limiter = RateLimiter(RateLimit(10, 150), Clock(630.5))
    limiter.take()
    assert limiter.take().headers == (
        (b"ratelimit-limit", b"150"),
        (b"ratelimit-remaining", b"148"),
        (b"ratelimit-reset", b"30"),
    )


@pytest.mark.parametrize(
    ("processes", "share"),
    [(1, RateLimit(10, 150)), (4, RateLimit(2, 37)), (100, RateLimit(1, 1))],
    ids=["alone", "four", "many"],
)
def test_share(processes: int, share: RateLimit) -> None:
    """Each process has its share of a limit, and at least one request."""
    assert RateLimit(10, 150).divided_by(processes) == share


def test_limit_as_text() -> None:
    """A limit is written as requests per second and minute; no text is no limit."""
    assert parse_rate_limit(" 10/s, 150/m ", "LIMIT") == RateLimit(10, 150)
    assert parse_rate_limit("", "LIMIT") is None


@pytest.mark.parametrize("text", ["10", "10/s", "150/m,10/s", "0/s,1/m", "a/s,b/m", "-1/s,1/m"])
def test_no_limit(text: str) -> None:
    """Any other text is refused with the name of where it stands."""
    with pytest.raises(InputError, match="LIMIT: expected"):
        parse_rate_limit(text, "LIMIT")
