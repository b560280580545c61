"""The import queue of the shared disk as one process sees it: with the faults of its store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from edgewise.model.log import LogEntry
from edgewise.stores.import_queue import (
    NO_TIME_MS,
    BuriedPart,
    Hold,
    ImportQueue,
    NewPart,
    QueueState,
    TakenPart,
)


class Faulty(Protocol):
    """Runs an operation, or lets it fail."""

    def __call__(self, operation: Callable[[], Awaitable[Any]], /) -> Awaitable[Any]:
        """Return what the operation returns."""
        ...


class SimulatedQueue:
    """The queue of a store whose operations may fail.

    Args:
        read: runs what changes nothing.
        write: runs what does.
    """

    def __init__(self, queue: ImportQueue, read: Faulty, write: Faulty) -> None:
        self.queue = queue
        self.read = read
        self.write = write

    async def enqueue(self, parts: Sequence[NewPart]) -> None:
        """Add parts."""
        await self.write(lambda: self.queue.enqueue(parts))

    async def take(
        self, now_ms: int, lease_ms: int, limit: int, latest_ms: int = NO_TIME_MS
    ) -> list[TakenPart]:
        """Hand out parts; looking into an empty queue is nothing that could fail."""
        if (await self.queue.state()).waiting == 0:
            return []
        taken: list[TakenPart] = await self.write(
            lambda: self.queue.take(now_ms, lease_ms, limit, latest_ms)
        )
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
        """Write while the part is held."""
        new: int | None = await self.write(
            lambda: self.queue.put_held(hold, key, value, version, entries, seen_ms, last=last)
        )
        return new

    async def is_held(self, hold: Hold) -> bool:
        """Return whether the hold is still good."""
        held: bool = await self.read(lambda: self.queue.is_held(hold))
        return held

    async def acknowledge(self, hold: Hold) -> bool:
        """Remove a part."""
        held: bool = await self.write(lambda: self.queue.acknowledge(hold))
        return held

    async def postpone(self, hold: Hold, due_ms: int) -> bool:
        """Give a part back."""
        held: bool = await self.write(lambda: self.queue.postpone(hold, due_ms))
        return held

    async def bury(self, hold: Hold, reason: str) -> bool:
        """Set a part aside."""
        held: bool = await self.write(lambda: self.queue.bury(hold, reason))
        return held

    async def state(self) -> QueueState:
        """Return how much there is."""
        return await self.queue.state()

    async def buried(self, after: int, limit: int) -> list[BuriedPart]:
        """Return buried parts."""
        return await self.queue.buried(after, limit)

    async def revive(self, part_id: int, queued_ms: int) -> bool:
        """Queue a buried part anew."""
        return await self.queue.revive(part_id, queued_ms)

    async def drop(self, part_id: int) -> bool:
        """Remove a buried part."""
        return await self.queue.drop(part_id)
