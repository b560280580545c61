"""What SQLite reports, said in the words of the error tree."""

from __future__ import annotations

import sqlite3

from edgewise.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnwritable

_PRIMARY = 0xFF
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing of this write was kept. Free some space",
    sqlite3.SQLITE_READONLY: "the file or its directory is read-only. Make both writable",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened. Check that its directory is writable",
    sqlite3.SQLITE_PERM: "access is denied. Check who owns the file",
    sqlite3.SQLITE_IOERR: "the disk reported a fault; nothing of this write was kept",
}


def is_busy(error: BaseException) -> bool:
    """Return whether another connection holds the lock, so that a later try may succeed."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) in _BUSY


def store_error(error: sqlite3.Error, path: str) -> StoreError:
    """Return the error of our tree that says what SQLite reported about this file."""
    code = _primary_code(error)
    if code in _BUSY:
        return lock_taken(path)
    if code in _CORRUPT:
        return StoreCorrupt(f"{path}: this file is damaged or is no SQLite database ({error}).")
    if remedy := _REMEDIES.get(code):
        return StoreUnwritable(f"{path}: {remedy} ({error}).")
    return StoreError(f"{path}: {error}.")


def lock_taken(path: str) -> StoreBusy:
    """Return the error that says that another process did not let go of this file in time."""
    return StoreBusy(f"{path}: another process holds the lock; try again.")


def _primary_code(error: sqlite3.Error) -> int:
    # Errors that the Python module raises by itself carry no code.
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & _PRIMARY
