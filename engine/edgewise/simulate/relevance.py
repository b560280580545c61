"""Which changes of a profile can change what it gets, so that all others need no new decision.

A decision reads what `edgewise.attributes.PROFILE_SOURCES` lists, the tallies, the assignments
and the stable id. Most events change nothing of these but a tally, and most tallies do not cross
the number that a rule asks for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from edgewise.audiences.evaluator import Evaluator
from edgewise.model.audience import All, Any, CountTest, Leaf, Matcher, Node, Not, Test
from edgewise.model.event import Event
from edgewise.model.profiles import Profile
from edgewise.operators import reference_test
from edgewise.ruleset import Ruleset
from edgewise.tallies import count_in_window

NEVER_MS = 1 << 62

WATCHED_SOURCES = frozenset({"trait", "location", "device", "session_count"})
"""The attributes of a profile whose changes are noticed; a test holds that these are all."""


def flips_of(ruleset: Ruleset) -> dict[int, frozenset[int]]:
    """Return the counts of each matcher at which some condition turns, by the matcher's id.

    A count is in here if a condition says something else about it than about one less.
    """
    flips: dict[int, set[int]] = {}
    for audience in ruleset.audiences:
        for test in _tests(audience.tree):
            if not isinstance(test, CountTest):
                continue
            holds = reference_test(test.operator)
            found = flips.setdefault(test.matcher.id, set())
            for count in (test.count, test.count + 1):
                if holds(count, test.count) != holds(count - 1, test.count):
                    found.add(count)
    return {matcher_id: frozenset(found) for matcher_id, found in flips.items()}


def sources_of(ruleset: Ruleset) -> frozenset[str]:
    """Return which of `WATCHED_SOURCES` some audience reads; changes of the others are nothing."""
    tests = [test for audience in ruleset.audiences for test in _tests(audience.tree)]
    return frozenset(test.attribute.source for test in tests if isinstance(test, Test))


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


class Watch:
    """Stands between the fold and the matchers, and notes what events may change.

    Args:
        flips: as `flips_of` gives them.
        reads_traits: whether some audience reads traits.

    Shape: `turned` says whether a condition may have turned since `begin`; `shortest_ms` is the
    shortest window that an event was counted in, `NEVER_MS` without one.
    """

    def __init__(
        self, evaluator: Evaluator, flips: Mapping[int, frozenset[int]], *, reads_traits: bool
    ) -> None:
        self._find = evaluator.find_matchers
        self._matchers = evaluator.ordered_matchers
        self._flips = flips
        self._reads_traits = reads_traits
        self._profile: Profile | None = None
        self._now_ms = 0
        self.turned = False
        self.shortest_ms = NEVER_MS

    def begin(self, profile: Profile, now_ms: int) -> None:
        """Watch what is folded into this profile."""
        self._profile = profile
        self._now_ms = now_ms
        self.turned = False
        self.shortest_ms = NEVER_MS

    def match_event(self, event: Event) -> list[Matcher]:
        """Return the matchers that an event satisfies; the fold counts them right afterwards."""
        if event.type == "identify" and (event.traits or event.trait_patch):
            self.turned |= self._reads_traits
        places = self._find(event)
        if not places:
            return []
        matchers = self._matchers
        matched = [matchers[place] for place in places]
        self._note(matched)
        return matched

    def _note(self, matched: Iterable[Matcher]) -> None:
        profile, flips = self._profile, self._flips
        assert profile is not None
        for matcher in matched:
            window_ms = matcher.window_ms
            if not window_ms:
                count = profile.counts.get(matcher.id, 0)
            else:
                times = profile.recent.get(matcher.id, ())
                count = count_in_window(times, self._now_ms - window_ms)
                self.shortest_ms = min(self.shortest_ms, window_ms)
            if count + 1 in flips.get(matcher.id, ()):
                self.turned = True
