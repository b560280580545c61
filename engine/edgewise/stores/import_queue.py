"""The durable queue of imports: what every store offers beside its records and its log.

A part is one profile's share of an import. Parts of one lane, the key of the profile's name, are
handed out one at a time and in the order in which they were queued; lanes know nothing of each
other. A part that is taken is leased: until the lease ends nobody else gets it, and once somebody
else has got it, whoever held it before can do nothing more in its name. So a process may die at any
moment, and several may share the work.

A part is applied by writes that are bound to the hold on it, and the last of them removes it. A
store with transactions does both in one. Another store checks the hold, writes and then removes: a
part that comes again is recognized by its messages, which the record and its log have counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from edgewise.model.log import LogEntry

NO_TIME_MS = 2**62
"""Later than any time."""


class NewPart(msgspec.Struct, frozen=True):
    """A part to be queued.

    Args:
        lane: the key of the name that the part is for.
        data: what the queue keeps and does not look into.
        queued_ms: milliseconds since 1970, above 0.
        further_keys: other keys under which an erasure finds the part.
    """

    lane: str
    data: bytes
    queued_ms: int
    further_keys: tuple[str, ...] = ()


class Hold(msgspec.Struct, frozen=True):
    """The right to a part: it ends when the part is given to somebody else, or is gone.

    Shape: `attempt` counts from 1 how often the part was handed out.
    """

    part_id: int
    attempt: int


class TakenPart(msgspec.Struct, frozen=True):
    """A part that was handed out, with the right to it."""

    hold: Hold
    data: bytes
    queued_ms: int


class BuriedPart(msgspec.Struct, frozen=True):
    """A part that nobody gets until an operator asks for it again."""

    id: int
    attempts: int
    queued_ms: int
    reason: str
    data: bytes


class QueueState(msgspec.Struct, frozen=True):
    """How much there is; `oldest_ms` is when the oldest waiting part was queued, 0 for none."""

    waiting: int
    buried: int
    oldest_ms: int


class ImportQueue(Protocol):
    """The queue of one store. Every method raises StoreBusy where a retry may succeed."""

    async def enqueue(self, parts: Sequence[NewPart]) -> None:
        """Add parts at the ends of their lanes: all of them or none.

        When this returns, they have the durability the store was opened with.
        """

    async def take(
        self, now_ms: int, lease_ms: int, limit: int, latest_ms: int = NO_TIME_MS
    ) -> list[TakenPart]:
        """Hand out at most `limit` parts, the first of their lanes each, the oldest first.

        Those whose lease ended at `now_ms` or before, and those that were postponed until then,
        are handed out again.

        Args:
            latest_ms: a part that would have to wait for longer is handed out, too: the clock was
                ahead when its time was set.
        """

    async def put_held(
        self,
        hold: Hold,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
        *,
        last: bool = False,
    ) -> int | None:
        """Write as `put_if` does, but only while the part is held; the last write removes it.

        Returns None where the key has another version or the hold has ended; nothing is written
        then, and the part stays.
        """

    async def is_held(self, hold: Hold) -> bool:
        """Return whether the hold is still good."""

    async def acknowledge(self, hold: Hold) -> bool:
        """Remove a part that has nothing to write; return whether it was held."""

    async def postpone(self, hold: Hold, due_ms: int) -> bool:
        """Give a part back, to be handed out at `due_ms` or later; return whether it was held."""

    async def bury(self, hold: Hold, reason: str) -> bool:
        """Set a part aside and let its lane go on; return whether it was held."""

    async def state(self) -> QueueState:
        """Return how much there is."""

    async def buried(self, after: int, limit: int) -> list[BuriedPart]:
        """Return at most `limit` buried parts with ids above `after`, in the order of their ids."""

    async def revive(self, part_id: int, queued_ms: int) -> bool:
        """Queue a buried part anew, under a new id; return whether there was one."""

    async def drop(self, part_id: int) -> bool:
        """Remove a buried part; return whether there was one."""
