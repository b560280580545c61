"""Tallies in the index: what a profile's counts of events say of all trees at once.

A profile has tallies of the few matchers that its events have satisfied, whatever the number of
rules, so the index walks over those. A group that asks for a count does not hold where nothing is
counted, and waits at its tally. The few that do hold then (never, fewer than, at most) have a bit,
which a count clears.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from math import inf

import msgspec

from edgewise.audiences.collecting import Masked
from edgewise.audiences.groups import Group
from edgewise.audiences.inline import Finder
from edgewise.model.audience import CountTest
from edgewise.model.profile import Profile

Waiting = tuple[int, Group]


class CommonTally(msgspec.Struct, frozen=True):
    """A matcher that many groups count with: all of them have bits."""

    matcher_id: int
    window_ms: int
    masked: Masked

    def standing(self, profile: Profile, now_ms: int) -> int:
        """Return the groups that the profile's count does not refute."""
        if self.window_ms:
            times = profile.recent.get(self.matcher_id, ())
            count = len(times) - bisect_left(times, now_ms - self.window_ms)
        else:
            count = profile.counts.get(self.matcher_id, 0)
        return self.masked.resting ^ self.masked.changes(count)


class RareTally(msgspec.Struct, frozen=True):
    """A matcher that few groups count with, looked at if the profile has a tally of it.

    Args:
        least, place: the tree at this place holds from this count on.
        is_plain: whether that is all; it nearly always is.
        others: further such pairs.
        finder: of trees with any other group that needs a count.
        masked: for groups with a bit.
    """

    window_ms: int
    least: float
    place: int
    is_plain: bool
    others: tuple[tuple[float, int], ...]
    finder: Finder | None
    masked: Masked | None

    def standing(
        self, count: int, profile: Profile, now_ms: int, held: int, places: list[int]
    ) -> int:
        """Return which of some groups stand; add the places of trees that hold beyond the first."""
        places += [place for least, place in self.others if count >= least]
        if self.finder is not None:
            self.finder(places.append, profile, now_ms)
        if self.masked is not None:
            held &= self.masked.resting ^ self.masked.changes(count)
        return held


class Tallies(msgspec.Struct, frozen=True):
    """All matchers that some trees count with.

    Args:
        common: looked at whether there is a tally or not.
        counted, windowed: rare ones by matcher id, without and with a window.
    """

    common: tuple[CommonTally, ...]
    counted: dict[int, RareTally]
    windowed: dict[int, RareTally]

    def standing(self, profile: Profile, now_ms: int, held: int, places: list[int]) -> int:
        """Return which of some groups stand; add the places of trees whose groups waited."""
        for tally in self.common:
            held &= tally.standing(profile, now_ms)
        counted = self.counted
        if counted:
            for matcher_id, count in profile.counts.items():
                if matcher_id in counted:
                    one = counted[matcher_id]
                    if count >= one.least:
                        places.append(one.place)
                    if not one.is_plain:
                        held = one.standing(count, profile, now_ms, held, places)
        windowed = self.windowed
        if windowed:
            for matcher_id, times in profile.recent.items():
                if matcher_id in windowed:
                    one = windowed[matcher_id]
                    count = len(times) - bisect_left(times, now_ms - one.window_ms)
                    if count >= one.least:
                        places.append(one.place)
                    if not one.is_plain:
                        held = one.standing(count, profile, now_ms, held, places)
        return held


def make_tallies(
    rare: Mapping[int, list[Waiting]],
    masked: Mapping[int, Masked],
    windows: Mapping[int, int],
    make_finder: Callable[[int, list[Waiting]], Finder],
) -> Tallies:
    """Return the tallies of an index.

    Args:
        rare: by matcher id the groups that wait at its tally, perhaps none.
        masked: by matcher id, for those with groups that have a bit.
        windows: by matcher id, of all.
        make_finder: gives the finder of groups that wait at a tally.
    """
    tallies: dict[int, RareTally] = {}
    for one, waiting in rare.items():
        plain = [(least, place) for place, group in waiting if (least := _least(group))]
        others = [(place, group) for place, group in waiting if not _least(group)]
        (least, place), *more = plain or [(inf, 0)]
        found = masked.get(one)
        tallies[one] = RareTally(
            window_ms=windows[one],
            least=least,
            place=place,
            is_plain=not (more or others or found),
            others=tuple(more),
            finder=make_finder(one, others) if others else None,
            masked=found,
        )
    return Tallies(
        common=tuple(
            CommonTally(one, windows[one], found)
            for one, found in masked.items()
            if one not in rare
        ),
        counted={one: tally for one, tally in tallies.items() if not tally.window_ms},
        windowed={one: tally for one, tally in tallies.items() if tally.window_ms},
    )


def _least(group: Group) -> float:
    """The count from which on a group holds that asks for that alone; 0 where it is not so."""
    test = group[0].tests[0]
    if len(group) > 1 or group[0].negated or not isinstance(test, CountTest):
        return 0
    if test.operator == "greaterThan":
        return test.count + 1
    return test.count if test.operator == "greaterThanInclusive" else 0
