"""Tallies: how often, and where a rule has a window also when, a profile's events matched."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Mapping, Sequence
from typing import Any

from edgewise.model.audience import Matcher
from edgewise.model.profiles import Profile


def count_event(profile: Profile, matcher: Matcher, time_ms: int, now_ms: int = 0) -> int:
    """Count one event that satisfies a matcher, by the event's own time; return the new count.

    With a window the newest `matcher.kept` times are kept, whatever order the events come in, and
    what is returned are those that were in the window before, and one: this event counts as if it
    were in it, too.

    Args:
        now_ms: where the window ends that the count is for.
    """
    if not matcher.window_ms:
        counts = profile.counts
        counts[matcher.id] = count = counts.get(matcher.id, 0) + 1
        return count
    times = profile.recent.setdefault(matcher.id, [])
    count = count_in_window(times, now_ms - matcher.window_ms) + 1
    insort(times, time_ms)
    _trim(times, matcher.kept)
    return count


def count_in_window(times: Sequence[int], cutoff_ms: int) -> int:
    """How many of these ascending times lie in the window; the cutoff itself does.

    Units: milliseconds since 1970.
    """
    return len(times) - bisect_left(times, cutoff_ms)


def drop_unused(profile: Profile, used: Container[int]) -> None:
    """Forget the tallies of matchers whose ids are not among the used ones."""
    _keep_only(profile.counts, used)
    _keep_only(profile.recent, used)


def merge_tallies(into: Profile, source: Profile, matchers: Mapping[int, Matcher]) -> None:
    """Add the tallies of one profile to those of another; the source stays as it is.

    Args:
        matchers: by id; times are trimmed to what a matcher keeps. Times of a matcher that is
            not in here are all kept, until `drop_unused` forgets them.
    """
    for matcher_id, count in source.counts.items():
        into.counts[matcher_id] = into.counts.get(matcher_id, 0) + count
    for matcher_id, times in source.recent.items():
        merged = sorted(into.recent.get(matcher_id, []) + times)
        if matcher_id in matchers:
            _trim(merged, matchers[matcher_id].kept)
        into.recent[matcher_id] = merged


def _trim(times: list[int], kept: int) -> None:
    """Drop the oldest times beyond the number that is kept."""
    if len(times) > kept:
        del times[: len(times) - kept]


def _keep_only(tallies: dict[int, Any], used: Container[int]) -> None:
    for matcher_id in [key for key in tallies if key not in used]:
        del tallies[matcher_id]
