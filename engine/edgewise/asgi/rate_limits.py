"""How many requests a caller may send: two fixed windows, a second and a minute."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import msgspec

from edgewise.asgi.cors import Headers
from edgewise.checks import require_whole
from edgewise.errors import InputError

_FORM = re.compile(r"\s*([1-9][0-9]{0,8})/s\s*,\s*([1-9][0-9]{0,8})/m\s*")
_WINDOWS_S = (1, 60)


class RateLimit(msgspec.Struct, frozen=True):
    """The most requests per second and per minute. Errors: SettingsError for less than one."""

    per_second: int
    per_minute: int

    def __post_init__(self) -> None:
        require_whole(self, 1, "per_second", "per_minute")

    def divided_by(self, processes: int) -> RateLimit:
        """Return the share of one of several processes, which do not know of each other."""
        return RateLimit(max(self.per_second // processes, 1), max(self.per_minute // processes, 1))


def parse_rate_limit(text: str, name: str) -> RateLimit | None:
    """Return a limit written as `10/s,150/m`, None for an empty text.

    Errors: InputError that says what `name` must be.
    """
    if not text.strip():
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise InputError(f"{name}: expected requests per second and minute, such as 10/s,150/m")
    return RateLimit(int(found[1]), int(found[2]))


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may go on, and the headers that tell the caller how it stands.

    Args:
        retry_s: whole seconds after which another attempt is right; 0 for a request that goes on.
    """

    retry_s: int
    headers: Headers


class RateLimiter:
    """Counts the requests of one caller.

    Args:
        clock_s: the time in seconds.
    """

    def __init__(self, limit: RateLimit, clock_s: Callable[[], float]) -> None:
        self._limits = (limit.per_second, limit.per_minute)
        self._clock_s = clock_s
        self._windows = [0, 0]
        self._counts = [0, 0]

    def take(self) -> Verdict:
        """Count one request, unless a window is full."""
        now_s = self._clock_s()
        waits_s = [
            self._wait_s(index, length_s, now_s) for index, length_s in enumerate(_WINDOWS_S)
        ]
        retry_s = math.ceil(max(waits_s))
        if retry_s:
            return Verdict(retry_s, ((b"retry-after", b"%d" % retry_s),))
        for index in range(len(_WINDOWS_S)):
            self._counts[index] += 1
        return Verdict(0, self._standing(now_s))

    def _wait_s(self, index: int, length_s: int, now_s: float) -> float:
        """How long this window stays full; 0 where it is not."""
        window = int(now_s // length_s)
        if window != self._windows[index]:
            self._windows[index] = window
            self._counts[index] = 0
        if self._counts[index] < self._limits[index]:
            return 0
        return (window + 1) * length_s - now_s

    def _standing(self, now_s: float) -> Headers:
        """The headers about the minute, by which callers pace themselves."""
        reset_s = math.ceil((self._windows[1] + 1) * _WINDOWS_S[1] - now_s)
        return (
            (b"ratelimit-limit", b"%d" % self._limits[1]),
            (b"ratelimit-remaining", b"%d" % (self._limits[1] - self._counts[1])),
            (b"ratelimit-reset", b"%d" % reset_s),
        )
