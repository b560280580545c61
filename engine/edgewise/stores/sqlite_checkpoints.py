"""Copies the write-ahead log back into the database, away from the event loop.

A checkpoint syncs the file, which takes many times longer than a write, so it runs in a thread with
a connection of its own. A passive checkpoint never disturbs a writer, but the log only starts over
at its beginning once all of it is copied, which a writer that does not pause never lets happen.
So past a size writers are held up for the rest. Passive checkpoints right before leave little of
it: some milliseconds, of which cutting the file would make fifty. It keeps the size that it has
reached until the store is closed; one of many times the limit is cut while nobody writes.

Somebody who reads for long, a backup say, keeps what was written since from being copied. The log
grows until that ends; holding up writers would not help it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import NamedTuple

from edgewise.stores.sqlite_schema import connect

WAL_LIMIT_BYTES = 64 * 1024 * 1024

_INTERVAL_S = 0.5
_QUIET_S = 0.9
_CATCHING_UP = 3
_CUT_ABOVE = 4
_LOCK_TIMEOUT_S = 0.05  # For as long as this a reader can have writers held up.

_logger = logging.getLogger(__name__)


class _LogSize(NamedTuple):
    """How much the write-ahead log holds, and how much of that is in the database too."""

    size_bytes: int
    copied_bytes: int


class Checkpointer:
    """A thread that checkpoints while there is traffic and sleeps while there is none.

    Args:
        path: the database file.
        wal_limit_bytes: how much the write-ahead log holds before it starts over.
    """

    def __init__(self, path: Path, wal_limit_bytes: int = WAL_LIMIT_BYTES) -> None:
        self._path = path
        self._wal_path = path.with_name(path.name + "-wal")
        self._wal_limit_bytes = wal_limit_bytes
        self._traffic = threading.Event()
        self._stopping = threading.Event()
        self._last_fault = ""
        self._connection = connect(path, timeout_s=_LOCK_TIMEOUT_S)
        self._thread = threading.Thread(target=self._run, name="edgewise-checkpoints", daemon=True)
        self._thread.start()

    def notice(self) -> None:
        """Note that something was written."""
        if not self._traffic.is_set():
            self._traffic.set()

    def stop(self) -> None:
        """End the thread after one last checkpoint that empties the write-ahead log.

        Cost: waits for the disk; not to be called on an event loop.
        """
        self._stopping.set()
        self._traffic.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._wait_for_traffic():
                if self._checkpoint("PASSIVE").size_bytes > self._wal_limit_bytes:
                    self._start_over()
            self._checkpoint("TRUNCATE")
        finally:
            self._connection.close()

    def _start_over(self) -> None:
        """Copy all of the log, so that the next write goes to its beginning, if nobody reads it."""
        # Each has only to copy what was written during the one before.
        *_, before, now = [self._checkpoint("PASSIVE") for _ in range(_CATCHING_UP)]
        if before.copied_bytes == now.copied_bytes < now.size_bytes:
            return
        self._checkpoint("RESTART")

    def _cut(self) -> None:
        """Give back the space of a log that had to grow, which holds writers up for long."""
        if self._wal_size_bytes() <= _CUT_ABOVE * self._wal_limit_bytes:
            return
        # Other processes may be writing though this one is not.
        if time.time() - self._wal_path.stat().st_mtime >= _QUIET_S:
            self._checkpoint("TRUNCATE")

    def _wait_for_traffic(self) -> bool:
        """Return whether to go on, once there was traffic and a pause after it."""
        if not self._traffic.wait(_QUIET_S):
            self._cut()
            self._traffic.wait()
        self._stopping.wait(_INTERVAL_S)
        self._traffic.clear()
        # Looked at last: clearing may have taken back the traffic that `stop` pretends.
        return not self._stopping.is_set()

    def _checkpoint(self, mode: str) -> _LogSize:
        """Copy what can be copied; return what the log holds then, nothing on a fault."""
        execute = self._connection.execute
        try:
            _, pages, copied = execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            (page_bytes,) = execute("PRAGMA page_size").fetchone()
        except sqlite3.Error as error:
            # Nothing is lost: the log keeps everything, and the next round tries again.
            if str(error) != self._last_fault:
                _logger.warning("%s: checkpoint failed: %s", self._path, error)
            self._last_fault = str(error)
            return _LogSize(0, 0)
        self._last_fault = ""
        if pages < 0:
            # Where another process is at it, nobody tells how many pages there are.
            size_bytes = self._wal_size_bytes()
            return _LogSize(size_bytes, size_bytes)
        return _LogSize(pages * page_bytes, copied * page_bytes)

    def _wal_size_bytes(self) -> int:
        try:
            return self._wal_path.stat().st_size
        except FileNotFoundError:
            return 0
