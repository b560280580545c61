"""Records of visitors who were here a moment ago, so that their next update need not read them.

What is kept may be old: another process, or another way through this one, may have written since.
It is only ever a guess for an update, whose write then fails if the guess was wrong, and which
loads the record after that. Nothing that is answered without a write comes from here.

An erasure by this process removes what is kept. One by another process leaves the guess in memory,
unused, until others have pushed it out.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterable

import msgspec

from edgewise.ruleset import Ruleset
from edgewise.standing import Standing

KEPT_PROFILES = 4096
LARGEST_BYTES = 8 * 1024
MOST_DECIDED = 512
"""Audiences and variants of a decision that is kept with its record; a larger one is made anew."""


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A record as it was written, and what was decided with it.

    Args:
        standing: None where that is too large to be kept.
        ruleset: what has decided; a reference that lets a ruleset go that is served no more, but
            for the variants that its visitors got.
    """

    value: bytes
    version: int
    standing: Standing | None
    ruleset: weakref.ref[Ruleset]

    def standing_of(self, ruleset: Ruleset) -> Standing | None:
        """Return what was decided if this ruleset did."""
        return self.standing if self.ruleset() is ruleset else None


class KeptRecords:
    """The records of the visitors who were updated last, in memory.

    Args:
        most: how many are kept; none are with 0.
    """

    def __init__(self, most: int = KEPT_PROFILES) -> None:
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, profile_id: str) -> Kept | None:
        """Return what is kept of a profile and forget it: whoever succeeds keeps it anew."""
        return self._kept.pop(profile_id, None)

    def keep(
        self, profile_id: str, value: bytes, version: int, standing: Standing, ruleset: Ruleset
    ) -> None:
        """Keep a record that was written just now, at the expense of the oldest one."""
        if len(value) > LARGEST_BYTES:
            return
        decided = standing if standing.size <= MOST_DECIDED else None
        self._kept[profile_id] = Kept(value, version, decided, weakref.ref(ruleset))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def forget(self, profile_ids: Iterable[str]) -> None:
        """Let go of what is kept of some profiles."""
        for profile_id in profile_ids:
            self._kept.pop(profile_id, None)
