"""What survives a crash, and the faulty way there.

A write takes time before and after the moment in which it happens, and in each of these times the
process may die, the store may call itself busy, and others may write.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from edgewise.errors import StoreBusy
from edgewise.model.log import LogEntry
from edgewise.stores.base import Put
from edgewise.stores.codec import decode_record
from edgewise.stores.memory import MemoryStore
from tests.simulation.disk_queue import SimulatedQueue
from tests.simulation.reference import Reference, Violation

_T = TypeVar("_T")

READ_ONLY: ContextVar[bool] = ContextVar("read_only", default=False)
"""Whether the current request may not change anything: a read or a preflight."""


@dataclass(frozen=True)
class Faults:
    """How probable each fault is at each operation of a store.

    Args:
        busy: the write did not happen and the store says so.
        lost: the write happened and the store says that it did not.
        crash: the process dies, half of the times just before the write and half just after.
        slow: the operation takes up to `slow_s` seconds instead of some milliseconds.
    """

    busy: float = 0.02
    lost: float = 0.02
    crash: float = 0.01
    slow: float = 0.01
    slow_s: float = 4.0


class Disk(MemoryStore):
    """A store that all processes share, which tells the reference about every write."""

    def __init__(self) -> None:
        super().__init__()
        self.reference = Reference()
        self.writes = 0

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write a value if its key still has this version; return the new version, else None."""
        new = await super().put_if(key, value, version, entries, seen_ms)
        if new is not None:
            self._note_write()
            self.reference.wrote(key, decode_record(value), entries)
        return new

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append entries that belong to no write."""
        self._note_write()
        self.reference.appended(entries)
        return await super().append(entries)

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Remove a key, if given only at this version; return whether it was removed."""
        removed = await super().delete(key, version)
        if removed:
            self._note_write()
            self.reference.removed(key)
        return removed

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Remove the log of one profile, if given only while its key has this version."""
        removed = await super().delete_log(profile_id, version)
        if removed:
            self._note_write()
            self.reference.removed_log(profile_id)
        return removed

    def all_keys(self) -> list[str]:
        """Return every key there is."""
        return sorted(self._rows)

    def logged_ids(self) -> list[str]:
        """Return every id that has a log."""
        return sorted(self._log_ids)

    def _note_write(self) -> None:
        self.writes += 1
        if READ_ONLY.get():
            raise Violation("a read or a preflight wrote something")


class SimulatedStore:
    """The disk as one process sees it.

    Args:
        crash: ends the process, the running task included.
    """

    def __init__(
        self, disk: Disk, faults: Faults, rng: random.Random, crash: Callable[[], None]
    ) -> None:
        self.disk = disk
        self.faults = faults
        self.rng = rng
        self.crash = crash
        self.queue = SimulatedQueue(disk.queue, self._read, self._write)

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return (value, version) of a key, or None where there is none."""
        return await self._read(lambda: self.disk.get(key))

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write a value if its key still has this version; return the new version, else None."""
        return await self._write(lambda: self.disk.put_if(key, value, version, entries, seen_ms))

    async def put_all(self, puts: Sequence[Put]) -> list[int | None]:
        """Write several keys, or none where one no longer has its version."""
        return await self._write(lambda: self.disk.put_all(puts))

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Remove a key, if given only at this version; return whether it was removed."""
        return await self._write(lambda: self.disk.delete(key, version))

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append entries that belong to no write; return how many were new."""
        return await self._write(lambda: self.disk.append(entries))

    async def read_log(self, profile_id: str) -> list[LogEntry]:
        """Return the log of one profile in the order of appending."""
        return await self._read(lambda: self.disk.read_log(profile_id))

    async def logged(self, profile_ids: Sequence[str], message_keys: Collection[int]) -> set[int]:
        """Return those of the messages that the log of any of the profiles holds."""
        return await self._read(lambda: self.disk.logged(profile_ids, message_keys))

    def scan_log(self, since_ms: int = 0) -> AsyncIterator[LogEntry]:
        """Iterate over the log; no request does."""
        return self.disk.scan_log(since_ms)

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Remove the log of one profile, if given only while its key has this version."""
        return await self._write(lambda: self.disk.delete_log(profile_id, version))

    async def trim_log(self, before_ms: int, newest: int, limit: int) -> int:
        """Remove nothing: that the log is whole is what the reference relies on."""
        return 0

    async def expire(self, before_ms: int, limit: int) -> list[str]:
        """Return keys whose visitors were last seen before a time."""
        return await self._read(lambda: self.disk.expire(before_ms, limit))

    async def forget_queued(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove parts of imports that were queued by a time."""
        return await self._write(lambda: self.disk.forget_queued(keys, until_ms))

    async def close(self) -> None:
        """Leave the disk to the others."""

    async def _read(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        # A batch of late events asks the log for each of them, so reads fail and wait rarely.
        await self._wait(0.02 * self.faults.slow)
        if self.rng.random() < 0.02 * self.faults.busy:
            raise StoreBusy("simulated")
        return await operation()

    async def _write(self, operation: Callable[[], Awaitable[_T]]) -> _T:
        await self._wait(self.faults.slow)
        fault = self.rng.random()
        if (fault := fault - self.faults.busy) < 0:
            raise StoreBusy("simulated")
        crashes = self.rng.random() < self.faults.crash
        before = self.rng.random() < 0.5
        if crashes and before:
            await self._die()
        result = await operation()
        if crashes:
            await self._die()
        await self._wait(self.faults.slow)
        if fault - self.faults.lost < 0:
            raise StoreBusy("simulated, although it was written")
        return result

    async def _wait(self, slow: float) -> None:
        longest_s = self.faults.slow_s if self.rng.random() < slow else 0.004
        await asyncio.sleep(longest_s * self.rng.random())

    async def _die(self) -> None:
        self.crash()
        # The cancellation arrives here.
        await asyncio.sleep(3600)
