"""The import queue in the SQLite file: a part goes in the transaction of what it has led to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from edgewise.model.log import LogEntry
from edgewise.stores import sqlite_queue_statements as statements
from edgewise.stores.import_queue import (
    NO_TIME_MS,
    BuriedPart,
    Hold,
    NewPart,
    QueueState,
    TakenPart,
)
from edgewise.stores.sqlite_reads import run_query
from edgewise.stores.sqlite_statements import log_row
from edgewise.stores.sqlite_writes import WriteQueue

T = TypeVar("T")


class SqliteQueue:
    """The queue of a SQLite store, on the store's own connection.

    Args:
        path: what error messages call the database.
        patience_s: how long a call waits for a lock before it raises StoreBusy.
        writes: runs what changes the file, with other writes in one transaction.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: str, patience_s: float, writes: WriteQueue
    ) -> None:
        self._connection = connection
        self._path = path
        self._patience_s = patience_s
        self._writes = writes

    async def enqueue(self, parts: Sequence[NewPart]) -> None:
        """Add parts at the ends of their lanes: all of them or none."""
        await self._writes.submit(partial(statements.enqueue, parts=parts))

    async def take(
        self, now_ms: int, lease_ms: int, limit: int, latest_ms: int = NO_TIME_MS
    ) -> list[TakenPart]:
        """Hand out at most `limit` parts, the first of their lanes each, the oldest first.

        Cost: a look at an index where there is nothing to take.
        """
        if not await self._read(partial(statements.is_any_due, now_ms=now_ms, latest_ms=latest_ms)):
            return []
        return await self._writes.submit(
            partial(
                statements.take,
                now_ms=now_ms,
                lease_ms=lease_ms,
                limit=limit,
                latest_ms=latest_ms,
            )
        )

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
        put = (key, value, version, [log_row(entry) for entry in entries], seen_ms)
        return await self._writes.submit(
            partial(statements.put_held, hold=hold, put=put, last=last)
        )

    async def is_held(self, hold: Hold) -> bool:
        """Return whether the hold is still good."""
        return await self._read(partial(statements.is_held, hold=hold))

    async def acknowledge(self, hold: Hold) -> bool:
        """Remove a part that has nothing to write; return whether it was held."""
        return await self._writes.submit(partial(statements.acknowledge, hold=hold))

    async def postpone(self, hold: Hold, due_ms: int) -> bool:
        """Give a part back, to be handed out at `due_ms` or later; return whether it was held."""
        return await self._writes.submit(partial(statements.postpone, hold=hold, due_ms=due_ms))

    async def bury(self, hold: Hold, reason: str) -> bool:
        """Set a part aside and let its lane go on; return whether it was held."""
        return await self._writes.submit(partial(statements.bury, hold=hold, reason=reason))

    async def state(self) -> QueueState:
        """Return how much there is.

        Cost: reads an index of the whole queue, a millisecond for about 100,000 parts.
        """
        return await self._read(statements.state)

    async def buried(self, after: int, limit: int) -> list[BuriedPart]:
        """Return at most `limit` buried parts with ids above `after`, in the order of their ids."""
        return await self._read(partial(statements.buried_page, after=after, limit=limit))

    async def revive(self, part_id: int, queued_ms: int) -> bool:
        """Queue a buried part anew, under a new id; return whether there was one."""
        return await self._writes.submit(
            partial(statements.revive, part_id=part_id, queued_ms=queued_ms)
        )

    async def drop(self, part_id: int) -> bool:
        """Remove a buried part; return whether there was one."""
        return await self._writes.submit(partial(statements.drop, part_id=part_id))

    async def forget(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove the parts with these lanes or further keys that were queued by a time.

        Cost: a look at an index where there are none.
        """
        query = partial(statements.queued_for, keys=keys, until_ms=until_ms)
        if not await self._read(query):
            return 0
        return await self._writes.submit(partial(statements.forget, keys=keys, until_ms=until_ms))

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await run_query(self._connection, self._path, self._patience_s, query)
