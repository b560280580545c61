"""Which changes of a profile can change what it gets, so that all others need no new decision.

A decision reads what `edgewise.attributes.PROFILE_SOURCES` lists, the tallies, the assignments
and the stable id. Most events change nothing of these but a tally, and most tallies do not cross
the number that a rule asks for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from edgewise.model.audience import All, Any, Audience, CountTest, Leaf, Matcher, Node, Not, Test
from edgewise.model.profiles import Profile
from edgewise.operators import reference_test

NEVER_MS = 1 << 62

WATCHED_SOURCES = frozenset({"trait", "location", "device", "session_count"})
"""The attributes of a profile whose changes are noticed; a test holds that these are all."""

_COMPARING = frozenset(
    {"equal", "greaterThan", "greaterThanInclusive", "lessThan", "lessThanInclusive"}
)


class Relevance(msgspec.Struct, frozen=True, kw_only=True):
    """What some audiences read of a profile; unless told otherwise, all there is.

    Args:
        flips: by a matcher's id its counts at which some condition turns, which says something
            else about such a count than about one less; None where it may be any count.
        session_flips: the same for the number of sessions; None where it may be any number.
    """

    flips: Mapping[int, frozenset[int]] | None = None
    reads_traits: bool = True
    reads_location: bool = True
    reads_device: bool = True
    session_flips: frozenset[int] | None = None


def make_relevance(audiences: Iterable[Audience]) -> Relevance:
    """Return what these audiences read."""
    tests = [test for audience in audiences for test in _tests(audience.tree)]
    sources = {test.attribute.source for test in tests if isinstance(test, Test)}
    return Relevance(
        flips=_flips_of(test for test in tests if isinstance(test, CountTest)),
        reads_traits="trait" in sources,
        reads_location="location" in sources,
        reads_device="device" in sources,
        session_flips=_session_flips(
            test
            for test in tests
            if isinstance(test, Test) and test.attribute.source == "session_count"
        ),
    )


def _flips_of(tests: Iterable[CountTest]) -> dict[int, frozenset[int]]:
    flips: dict[int, set[int]] = {}
    for test in tests:
        flips.setdefault(test.matcher.id, set()).update(_turns(test.operator, test.count))
    return {matcher_id: frozenset(found) for matcher_id, found in flips.items()}


def _session_flips(tests: Iterable[Test]) -> frozenset[int] | None:
    flips: set[int] = set()
    for test in tests:
        if test.operator not in _COMPARING or not isinstance(test.operand, int):
            return None
        flips.update(_turns(test.operator, test.operand))
    return frozenset(flips)


def _turns(operator: str, operand: int) -> Iterator[int]:
    """The counts about which a test says something else than about one less."""
    holds = reference_test(operator)
    for count in (operand, operand + 1):
        if holds(count, operand) != holds(count - 1, operand):
            yield count


def _tests(node: Node) -> Iterator[Test | CountTest]:
    match node:
        case Leaf():
            yield node.test
        case Not():
            yield from _tests(node.child)
        case All() | Any():
            for child in node.children:
                yield from _tests(child)


def next_expiry(profile: Profile, matchers: Mapping[int, Matcher], now_ms: int) -> int:
    """Return the first time after `now_ms` at which an event leaves the window it counts in."""
    soonest = NEVER_MS
    for matcher_id, times in profile.recent.items():
        window_ms = matchers[matcher_id].window_ms
        place = bisect_left(times, now_ms - window_ms)
        if place < len(times):
            # The cutoff itself still counts.
            expiry_ms = times[place] + window_ms + 1
            soonest = min(soonest, expiry_ms)
    return soonest
