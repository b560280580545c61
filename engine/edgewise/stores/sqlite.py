"""Profiles in a SQLite file: the embedded default, for one machine and several processes.

Reads and writes run inline on the event loop, because they take microseconds. Writes share
transactions (`sqlite_writes`), checkpoints run in a thread (`sqlite_checkpoints`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from edgewise.model.log import LogEntry
from edgewise.stores import sqlite_statements as statements
from edgewise.stores.base import Put
from edgewise.stores.sqlite_checkpoints import WAL_LIMIT_BYTES, Checkpointer
from edgewise.stores.sqlite_queue import SqliteQueue
from edgewise.stores.sqlite_reads import run_query
from edgewise.stores.sqlite_schema import Durability, open_database
from edgewise.stores.sqlite_writes import WriteQueue
from edgewise.stores.walk import Walk

T = TypeVar("T")

PATIENCE_S = 2.0

_SCAN_PAGE = 256
_DELETE_PAGE = 500
_TRIM_PAGE = 25
_TRIM_STEPS = 800
_SEEN_PAGE = 200
_MOST_STEPS = 200


class SqliteStore:
    """A store in one file. It is used from one event loop, other processes may use the same file.

    `durability` says what a finished write has survived: "normal" the end of the process, "full"
    also the loss of power. After such a loss the file is consistent with either; with "normal" the
    last moments before it may be missing.

    Versions are never used twice for a key: a key that is created starts one above the highest
    version that any deleted key had.

    Args:
        path: the file; it is created, readable by its owner alone, where there is none.
        patience_s: how long a call waits for a lock before it raises StoreBusy.
        wal_limit_bytes: how much the write-ahead log holds before it starts over.

    Errors: StoreError for a file that is not ours, is newer than this code or cannot be written.
    """

    def __init__(
        self,
        path: Path,
        durability: Durability = "normal",
        *,
        patience_s: float = PATIENCE_S,
        wal_limit_bytes: int = WAL_LIMIT_BYTES,
    ) -> None:
        self._path = str(path)
        self._patience_s = patience_s
        self._connection = open_database(path, durability)
        self._checkpointer = Checkpointer(path, wal_limit_bytes)
        self._writes = WriteQueue(
            self._connection, self._path, patience_s, self._checkpointer.notice
        )
        self.queue = SqliteQueue(self._connection, self._path, patience_s, self._writes)
        self._trim_walk = Walk()
        self._seen_walk = Walk()

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return (value, version) of a key, or None where there is none."""
        try:
            return statements.get(self._connection, key)
        except sqlite3.Error:
            # Hardly ever; the slow way finds out what it means, and tries again.
            return await self._read(partial(statements.get, key=key))

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write a value if its key still has this version; return the new version, else None."""
        if version and len(entries) == 1:
            row = (key, version, seen_ms, value) + statements.log_row(entries[0])  # noqa: RUF005  # quicker
            return await self._writes.run(partial(statements.save, row), is_one_statement=True)
        rows = [statements.log_row(entry) for entry in entries]
        return await self._writes.run(
            partial(statements.put, row=(key, value, version, rows, seen_ms))
        )

    async def put_all(self, puts: Sequence[Put]) -> list[int | None]:
        """Write several keys in one transaction, or none where one no longer has its version."""
        rows = [
            (
                put.key,
                put.value,
                put.version,
                list(map(statements.log_row, put.entries)),
                put.seen_ms,
            )
            for put in puts
        ]
        return await self._writes.submit(partial(statements.put_all, puts=rows))

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Remove a key, if given only at this version; return whether it was removed."""
        return await self._writes.submit(partial(statements.delete, key=key, version=version))

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append entries that belong to no write; return how many were new."""
        rows = [statements.log_row(entry) for entry in entries]
        return await self._writes.submit(partial(statements.append, rows=rows))

    async def read_log(self, profile_id: str) -> list[LogEntry]:
        """Return the log of one profile in the order of appending."""
        # A visitor may have many logs, which are read one after the other.
        await asyncio.sleep(0)
        return await self._read(partial(statements.read_log, profile_id=profile_id))

    async def logged(self, profile_ids: Sequence[str], message_keys: Collection[int]) -> set[int]:
        """Return those of the messages that the log of any of the profiles holds.

        Cost: a look at an index for each message and profile, and the loop runs between profiles.
        """
        found: set[int] = set()
        for profile_id in profile_ids:
            found |= await self._read(
                partial(statements.logged, profile_id=profile_id, message_keys=message_keys)
            )
            await asyncio.sleep(0)
        return found

    async def scan_log(self, since_ms: int = 0) -> AsyncIterator[LogEntry]:
        """Iterate over every entry that arrived at `since_ms` or later, in the order of appending.

        Entries that are appended after the first step are not part of the iteration.

        Cost: reads the log in pages, in no lasting transaction, and lets the loop run in between.
        """
        last = await self._read(statements.last_log_id)
        after = 0
        while page := await self._read(
            partial(statements.log_page, after=after, last=last, limit=_SCAN_PAGE)
        ):
            for _, entry in page:
                if entry.arrival_ms >= since_ms:
                    yield entry
            after = page[-1][0]
            await asyncio.sleep(0)

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Remove the log of one profile, if given only while its key has this version.

        A long log goes in several transactions, so that no other write waits for all of it.
        """
        page = partial(
            statements.delete_log_page, profile_id=profile_id, version=version, limit=_DELETE_PAGE
        )
        removed = 0
        while count := await self._writes.submit(page):
            removed += count
        return removed

    async def trim_log(self, before_ms: int, newest: int, limit: int) -> int:
        """Remove entries that arrived before `before_ms` or are beyond a profile's newest ones.

        Cost: the oldest entries are looked at on each call; all others in turn, a bounded number on
        each call, in steps of well under a millisecond each, of 4 where profiles have a thousand
        lines. Writers wait only where something is removed.
        """
        removed = 0
        while removed < limit:
            size = min(_TRIM_PAGE, limit - removed)
            _, count = await self._trim_page(0, before_ms, newest, size)
            removed += count
            if count == 0:
                break
        for after in self._trim_walk.steps(_TRIM_STEPS):
            if removed >= limit:
                break
            size = min(_TRIM_PAGE, limit - removed)
            self._trim_walk.position, count = await self._trim_page(after, before_ms, newest, size)
            removed += count
        return removed

    async def expire(self, before_ms: int, limit: int) -> list[str]:
        """Return at most `limit` keys whose visitors were last seen before `before_ms`.

        Cost: looks at a bounded number of records on each call and goes on there on the next, so
        a call may return few keys while there are more.
        """
        keys: list[str] = []
        for after in self._seen_walk.steps(_MOST_STEPS):
            page = await self._read(partial(statements.seen_page, after=after, limit=_SEEN_PAGE))
            self._seen_walk.position = page[-1][0] if len(page) == _SEEN_PAGE else 0
            for row_id, key, seen_ms in page:
                if 0 < seen_ms < before_ms:
                    keys.append(key)
                    if len(keys) == limit:
                        self._seen_walk.position = row_id
                        return keys
            await asyncio.sleep(0)
        return keys

    async def forget_queued(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove the parts of imports that were queued by a time in these lanes, or under them."""
        return await self.queue.forget(keys, until_ms)

    async def close(self) -> None:
        """Finish the writes that were begun, empty the write-ahead log and let go of the file."""
        await self._writes.close()
        await asyncio.to_thread(self._checkpointer.stop)
        self._connection.close()

    async def _trim_page(
        self, after: int, before_ms: int, newest: int, limit: int
    ) -> tuple[int, int]:
        page = (after, before_ms, newest, limit)
        last, doomed = await self._read(lambda it: statements.doomed_page(it, *page))
        if not doomed:
            await asyncio.sleep(0)
            return last, 0
        # Found anew: an entry may have gone meanwhile, and its id may be another's now.
        return await self._writes.submit(lambda it: statements.trim_page(it, *page))

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await run_query(self._connection, self._path, self._patience_s, query)
