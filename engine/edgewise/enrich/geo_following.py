"""Databases of locations that may be replaced while they are in use."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import msgspec

from edgewise.enrich.geo_lookup import GeoLookup
from edgewise.enrich.geo_mapping import FoundLocation
from edgewise.errors import GeoDatabaseError

_LOG = logging.getLogger("edgewise.enrich")

_RETRY_S = 60.0

_Stamp = tuple[tuple[int, int, int, int] | None, ...]


class DatabaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A database that is in use.

    Args:
        type: what the database calls itself.
        built_at: when it was made, in ISO 8601; empty where it does not say so.
    """

    path: str
    type: str
    built_at: str


class GeoStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know about the databases.

    Args:
        fault: why newer files are not in use, or what is broken in those that are; empty where
            all is well.
    """

    databases: list[DatabaseStatus]
    fault: str = ""


class GeoFollower:
    """Looks addresses up, and takes files over that have changed.

    A file is looked at from time to time rather than watched: that works on every file system and
    for every way of replacing a file. Files that cannot be used leave those in use where they are.

    Args:
        paths: as for GeoLookup.
        poll_s: how often to look. A file that has changed is opened when it has stayed the same
            from one look to the next, so that one being written is not.

    Errors: GeoDatabaseError for files that cannot be used to begin with.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        poll_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = tuple(paths)
        self._poll_s = poll_s
        self._clock = clock
        self._failed_s = 0.0
        self._tried = self._last = _stamp_of(self._paths)
        self._lookup = GeoLookup(self._paths)
        self._fault = ""
        self._task: asyncio.Task[None] | None = None

    def find(self, address: IPv4Address | IPv6Address) -> FoundLocation | None:
        """Return where an address is, None for one that is unknown or not public."""
        return self._lookup.find(address)

    def start(self) -> None:
        """Begin to follow the files, in a task of the running loop; once, however often."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="edgewise-geo-follower")

    async def stop(self) -> None:
        """End the task; what is in use stays so."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def status(self) -> GeoStatus:
        """Return what an operator wants to know."""
        used = self._lookup.databases
        return GeoStatus(
            databases=[
                DatabaseStatus(path=str(one.path), type=one.kind, built_at=one.built_at)
                for one in used
            ],
            fault=self._fault or next((one.fault for one in used if one.fault), ""),
        )

    def look(self) -> None:
        """Take the files over if they have changed and have been left alone since the last look.

        Cost: opening copies the files, so a loop calls this in another thread.
        """
        stamp = _stamp_of(self._paths)
        settled = stamp == self._last
        self._last = stamp
        if not settled or (stamp == self._tried and not self._is_due()):
            return
        self._tried = stamp
        try:
            self._lookup = GeoLookup(self._paths)
        except GeoDatabaseError as error:
            self._failed_s = self._clock()
            if str(error) != self._fault:
                _LOG.warning("%s. The databases in use stay in use.", error)
            self._fault = str(error)
        else:
            self._fault = ""
            _LOG.info("locations come from new databases: %s", ", ".join(map(str, self._paths)))

    def _is_due(self) -> bool:
        """Whether to try again what failed: a disk that was full may no longer be."""
        return bool(self._fault) and self._clock() - self._failed_s >= _RETRY_S

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await asyncio.to_thread(self.look)
            except Exception:  # noqa: BLE001 - what fails once must not end all later changes
                _LOG.exception("The databases of locations could not be looked at.")


def _stamp_of(paths: Sequence[Path]) -> _Stamp:
    """What changes when one of the files does, without reading them."""
    return tuple(map(_stamp_of_one, paths))


def _stamp_of_one(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
