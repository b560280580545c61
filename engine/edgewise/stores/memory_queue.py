"""The import queue in this process's memory: the same meaning as every other, no durability."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from edgewise.model.log import LogEntry
from edgewise.stores.import_queue import (
    NO_TIME_MS,
    BuriedPart,
    Hold,
    NewPart,
    QueueState,
    TakenPart,
)


class _Row(msgspec.Struct):
    """A part; `due_ms` is when it may be taken, once it is the first of its lane."""

    part: NewPart
    due_ms: int
    attempts: int = 0
    reason: str | None = None


class MemoryQueue:
    """The queue of a memory store.

    Args:
        put_if: writes a record of the store.
    """

    def __init__(self, put_if: Callable[..., Awaitable[int | None]]) -> None:
        self._put_if = put_if
        self._rows: dict[int, _Row] = {}
        self._last_id = 0

    async def enqueue(self, parts: Sequence[NewPart]) -> None:
        """Add parts at the ends of their lanes."""
        for part in parts:
            self._last_id += 1
            self._rows[self._last_id] = _Row(part, part.queued_ms)

    async def take(
        self, now_ms: int, lease_ms: int, limit: int, latest_ms: int = NO_TIME_MS
    ) -> list[TakenPart]:
        """Hand out at most `limit` parts, the first of their lanes each, the oldest first.

        Cost: looks at every part.
        """
        due = [
            (row.due_ms, part_id)
            for part_id, row in self._first_of_lanes()
            if row.due_ms <= now_ms or row.due_ms > latest_ms
        ]
        taken = []
        for _, part_id in sorted(due)[:limit]:
            row = self._rows[part_id]
            row.due_ms = now_ms + lease_ms
            row.attempts += 1
            taken.append(TakenPart(Hold(part_id, row.attempts), row.part.data, row.part.queued_ms))
        return taken

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
        """Write as `put_if` does, but only while the part is held; the last write removes it."""
        if not await self.is_held(hold):
            return None
        new = await self._put_if(key, value, version, entries, seen_ms)
        if new is not None and last:
            del self._rows[hold.part_id]
        return new

    async def is_held(self, hold: Hold) -> bool:
        """Return whether the hold is still good."""
        row = self._rows.get(hold.part_id)
        return row is not None and row.reason is None and row.attempts == hold.attempt

    async def acknowledge(self, hold: Hold) -> bool:
        """Remove a part that has nothing to write; return whether it was held."""
        held = await self.is_held(hold)
        if held:
            del self._rows[hold.part_id]
        return held

    async def postpone(self, hold: Hold, due_ms: int) -> bool:
        """Give a part back, to be handed out at `due_ms` or later; return whether it was held."""
        held = await self.is_held(hold)
        if held:
            self._rows[hold.part_id].due_ms = due_ms
        return held

    async def bury(self, hold: Hold, reason: str) -> bool:
        """Set a part aside and let its lane go on; return whether it was held."""
        held = await self.is_held(hold)
        if held:
            self._rows[hold.part_id].reason = reason
        return held

    async def state(self) -> QueueState:
        """Return how much there is."""
        waiting = [row.part.queued_ms for row in self._rows.values() if row.reason is None]
        return QueueState(len(waiting), len(self._rows) - len(waiting), *waiting[:1] or (0,))

    async def buried(self, after: int, limit: int) -> list[BuriedPart]:
        """Return at most `limit` buried parts with ids above `after`, in the order of their ids."""
        found = (
            BuriedPart(part_id, row.attempts, row.part.queued_ms, row.reason, row.part.data)
            for part_id, row in self._rows.items()
            if row.reason is not None and part_id > after
        )
        return [part for _, part in zip(range(limit), found, strict=False)]

    async def revive(self, part_id: int, queued_ms: int) -> bool:
        """Queue a buried part anew, under a new id; return whether there was one."""
        row = self._rows.get(part_id)
        if row is None or row.reason is None:
            return False
        del self._rows[part_id]
        await self.enqueue([msgspec.structs.replace(row.part, queued_ms=queued_ms)])
        return True

    async def drop(self, part_id: int) -> bool:
        """Remove a buried part; return whether there was one."""
        row = self._rows.get(part_id)
        if row is None or row.reason is None:
            return False
        del self._rows[part_id]
        return True

    def forget(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove the parts with these lanes or further keys that were queued by a time."""
        doomed = [
            part_id
            for part_id, row in self._rows.items()
            if row.part.queued_ms <= until_ms
            and not {row.part.lane, *row.part.further_keys}.isdisjoint(keys)
        ]
        for part_id in doomed:
            del self._rows[part_id]
        return len(doomed)

    def _first_of_lanes(self) -> Iterable[tuple[int, _Row]]:
        seen: set[str] = set()
        for part_id, row in self._rows.items():
            if row.reason is None and row.part.lane not in seen:
                seen.add(row.part.lane)
                yield part_id, row
