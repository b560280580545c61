"""Tallies in the index: what a profile's counts of events say of all trees at once.

A profile has tallies of the few matchers that its events have satisfied, whatever the number of
rules, so the index walks over those. A group that asks for a count does not hold where nothing is
counted, and waits at its tally. The few that do hold then (never, fewer than, at most) have a bit,
which a count clears.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from edgewise.audiences.collecting import Masked
from edgewise.audiences.groups import Group
from edgewise.audiences.waiting import LazyFinders, Placed, waiting_tree
from edgewise.model.audience import CountTest
from edgewise.model.profiles import Profile


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


class RareTally(msgspec.Struct, frozen=True, gc=False):
    """A matcher that few groups count with, looked at if the profile has a tally of it.

    Args:
        least, place: the tree at this place holds from this count on.
        is_plain: whether that is all; it nearly always is.
        others: further such pairs.
        waits: whether any other group needs a count.
        masked: for groups with a bit.
    """

    window_ms: int
    least: float
    is_plain: bool
    place: int
    others: tuple[tuple[float, int], ...]
    waits: bool
    masked: Masked | None


class Tallies(msgspec.Struct, frozen=True):
    """All matchers that some trees count with.

    Args:
        common: looked at whether there is a tally or not.
        counted, windowed: rare ones by matcher id, without and with a window.
        waiting: by matcher id, finders of trees with a group that waits at its tally.
    """

    common: tuple[CommonTally, ...]
    counted: dict[int, RareTally]
    windowed: dict[int, RareTally]
    waiting: LazyFinders[int]

    def standing(self, profile: Profile, now_ms: int, held: int, places: list[int]) -> int:
        """Return which of some groups stand; add the places of trees whose groups waited."""
        for tally in self.common:
            held &= tally.standing(profile, now_ms)
        rich: list[tuple[int, RareTally, int]] = []
        counted, windowed = self.counted, self.windowed
        if counted:
            for matcher_id, count in profile.counts.items():
                if matcher_id in counted:
                    one = counted[matcher_id]
                    if count >= one.least:
                        places.append(one.place)
                    if not one.is_plain:
                        rich.append((matcher_id, one, count))
        if windowed:
            for matcher_id, times in profile.recent.items():
                if matcher_id in windowed:
                    one = windowed[matcher_id]
                    count = len(times) - bisect_left(times, now_ms - one.window_ms)
                    if count >= one.least:
                        places.append(one.place)
                    if not one.is_plain:
                        rich.append((matcher_id, one, count))
        return self._tell_rich(rich, profile, now_ms, held, places) if rich else held

    def _tell_rich(
        self,
        rich: list[tuple[int, RareTally, int]],
        profile: Profile,
        now_ms: int,
        held: int,
        places: list[int],
    ) -> int:
        """The rest of `standing` for tallies that are not plain, with their counts."""
        for matcher_id, one, count in rich:
            places += [place for least, place in one.others if count >= least]
            if one.masked is not None:
                held &= one.masked.resting ^ one.masked.changes(count)
            if one.waits:
                self.waiting[matcher_id](places.append, profile, now_ms)
        return held


def make_tallies(
    rare: Mapping[int, Sequence[tuple[int, Group]]],
    masked: Mapping[int, Masked],
    windows: Mapping[int, int],
    label: str,
) -> Tallies:
    """Return the tallies of an index.

    Args:
        rare: by matcher id the groups that wait at its tally, perhaps none, and their places.
        masked: by matcher id, for those with groups that have a bit.
        windows: by matcher id, of all.
        label: what generated code is called, for people.
    """
    # Equal windows are one object: what a decision touches should be little and near.
    shared = {window_ms: window_ms for window_ms in windows.values()}
    tallies: dict[int, RareTally] = {}
    waiting: dict[int, list[Placed]] = {}
    for one, groups in rare.items():
        plain = [(least, place) for place, group in groups if (least := _least(group))]
        others = [(place, waiting_tree(group, one)) for place, group in groups if not _least(group)]
        (least, place), *more = plain or [(inf, 0)]
        found = masked.get(one)
        tallies[one] = RareTally(
            window_ms=shared[windows[one]],
            least=least,
            place=place,
            is_plain=not (more or others or found),
            others=tuple(more),
            waits=bool(others),
            masked=found,
        )
        if others:
            waiting[one] = others
    return Tallies(
        common=tuple(
            CommonTally(one, windows[one], found)
            for one, found in masked.items()
            if one not in rare
        ),
        counted={one: tally for one, tally in tallies.items() if not tally.window_ms},
        windowed={one: tally for one, tally in tallies.items() if tally.window_ms},
        waiting=LazyFinders(waiting, "profile", label),
    )


def _least(group: Group) -> float:
    """The count from which on a group holds that asks for that alone; 0 where it is not so."""
    test = group[0].tests[0]
    if len(group) > 1 or group[0].negated or not isinstance(test, CountTest):
        return 0
    if test.operator == "greaterThan":
        return test.count + 1
    return test.count if test.operator == "greaterThanInclusive" else 0
