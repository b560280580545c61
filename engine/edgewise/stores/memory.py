"""Profiles in this process's memory: for tests, demonstrations and simulations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence

import msgspec

from edgewise.errors import StoreError
from edgewise.model.log import LogEntry
from edgewise.stores.base import Put
from edgewise.stores.memory_queue import MemoryQueue

_SCAN_PAGE = 256


class _Row(msgspec.Struct, frozen=True):
    value: bytes
    version: int
    seen_ms: int


class MemoryStore:
    """A store that lasts as long as the object: the same meaning as every other, no durability.

    Versions are never used twice for a key: a key that is created starts one above the highest
    version that any deleted key had.
    """

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._highest_deleted = 0
        self._log: dict[int, LogEntry] = {}
        self._log_ids: dict[str, dict[int, int]] = {}
        self._last_log_id = 0
        self._closed = False
        self.queue = MemoryQueue(self.put_if)

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return (value, version) of a key, or None where there is none."""
        self._require_open()
        row = self._rows.get(key)
        return (row.value, row.version) if row else None

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write a value if its key still has this version; return the new version, else None."""
        self._require_open()
        row = self._rows.get(key)
        if version != self._version_of(key):
            return None
        new = row.version + 1 if row else self._highest_deleted + 1
        self._rows[key] = _Row(value, new, seen_ms)
        self._append(entries)
        return new

    async def put_all(self, puts: Sequence[Put]) -> list[int | None]:
        """Write several keys, or none where one no longer has its version."""
        self._require_open()
        if any(put.version != self._version_of(put.key) for put in puts):
            return [None] * len(puts)
        return [
            await self.put_if(put.key, put.value, put.version, put.entries, put.seen_ms)
            for put in puts
        ]

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Remove a key, if given only at this version; return whether it was removed."""
        self._require_open()
        row = self._rows.get(key)
        if row is None or version not in (None, row.version):
            return False
        del self._rows[key]
        self._highest_deleted = max(self._highest_deleted, row.version)
        return True

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append entries that belong to no write; return how many were new."""
        self._require_open()
        return self._append(entries)

    async def read_log(self, profile_id: str) -> list[LogEntry]:
        """Return the log of one profile in the order of appending."""
        self._require_open()
        return [self._log[log_id] for log_id in self._log_ids.get(profile_id, {}).values()]

    async def logged(self, profile_ids: Sequence[str], message_keys: Collection[int]) -> set[int]:
        """Return those of the messages that the log of any of the profiles holds."""
        self._require_open()
        logs = [self._log_ids.get(profile_id, {}) for profile_id in profile_ids]
        return {key for key in message_keys if any(key in log for log in logs)}

    async def scan_log(self, since_ms: int = 0) -> AsyncIterator[LogEntry]:
        """Iterate over every entry that arrived at `since_ms` or later, in the order of appending.

        Entries that are appended after the first step are not part of the iteration.
        """
        self._require_open()
        for number, log_id in enumerate(list(self._log)):
            if number % _SCAN_PAGE == _SCAN_PAGE - 1:
                await asyncio.sleep(0)
            entry = self._log.get(log_id)
            if entry is not None and entry.arrival_ms >= since_ms:
                yield entry

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Remove the log of one profile, if given only while its key has this version."""
        self._require_open()
        if version not in (None, self._version_of(profile_id)):
            return 0
        return self._remove(list(self._log_ids.get(profile_id, {}).values()))

    async def trim_log(self, before_ms: int, newest: int, limit: int) -> int:
        """Remove entries that arrived before `before_ms` or are beyond a profile's newest ones."""
        self._require_open()
        doomed = {log_id for log_id, entry in self._log.items() if entry.arrival_ms < before_ms}
        for log_ids in self._log_ids.values():
            doomed.update(list(log_ids.values())[: max(0, len(log_ids) - newest)])
        return self._remove(sorted(doomed)[:limit])

    async def expire(self, before_ms: int, limit: int) -> list[str]:
        """Return at most `limit` keys whose visitors were last seen before `before_ms`."""
        self._require_open()
        expired = (key for key, row in self._rows.items() if 0 < row.seen_ms < before_ms)
        return [key for _, key in zip(range(limit), expired, strict=False)]

    async def forget_queued(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove the parts of imports that were queued by a time in these lanes, or under them."""
        self._require_open()
        return self.queue.forget(keys, until_ms)

    async def close(self) -> None:
        """Refuse every further call."""
        self._closed = True

    def _version_of(self, key: str) -> int:
        row = self._rows.get(key)
        return row.version if row else 0

    def _append(self, entries: Iterable[LogEntry]) -> int:
        before = self._last_log_id
        for entry in entries:
            log_ids = self._log_ids.setdefault(entry.profile_id, {})
            if entry.message_key not in log_ids:
                self._last_log_id += 1
                log_ids[entry.message_key] = self._last_log_id
                self._log[self._last_log_id] = entry
        return self._last_log_id - before

    def _remove(self, log_ids: Iterable[int]) -> int:
        removed = 0
        for log_id in log_ids:
            entry = self._log.pop(log_id)
            of_profile = self._log_ids[entry.profile_id]
            del of_profile[entry.message_key]
            if not of_profile:
                del self._log_ids[entry.profile_id]
            removed += 1
        return removed

    def _require_open(self) -> None:
        if self._closed:
            raise StoreError("The store is closed.")
