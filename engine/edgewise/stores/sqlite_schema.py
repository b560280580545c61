"""The SQLite file: its tables, its settings, and whether it is one of ours.

Plain rowid tables: rows of a kilobyte and more make WITHOUT ROWID tables several times slower.
`records.seen` stands in front of `d`, so that the walk for expired keys need not read past it.
`log.profile` is a blob of 32 bytes for an id of 64 hex characters and a text for any other.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from edgewise.errors import StoreError
from edgewise.stores.sqlite_errors import is_busy, store_error
from edgewise.stores.sqlite_statements import SAVES

Durability = Literal["normal", "full"]

SCHEMA_VERSION = 2

_OPEN_TIMEOUT_S = 5.0
_OPEN_PAUSE_S = 0.005

_RECORDS = """
CREATE TABLE records (
    k TEXT PRIMARY KEY,
    v INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    d BLOB NOT NULL
)
"""

_LOG = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    profile BLOB NOT NULL,
    message INTEGER NOT NULL,
    environment TEXT NOT NULL,
    time INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    event BLOB NOT NULL,
    UNIQUE (profile, message)
)
"""

# `due` is when a part may be taken, 0 behind another of its lane, -1 for a buried one. An id is
# never used again, so that no hold on a part is ever one on another.
_IMPORTS = """
CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    queued INTEGER NOT NULL,
    reason TEXT NOT NULL,
    keys TEXT NOT NULL,
    data BLOB NOT NULL
)
"""

_TABLES = (
    (
        _RECORDS,
        _LOG,
        "CREATE TABLE highest_deleted (version INTEGER NOT NULL)",
        "INSERT INTO highest_deleted VALUES (0)",
    ),
    (
        _IMPORTS,
        "CREATE INDEX imports_due ON imports (due, id) WHERE due > 0",
        "CREATE INDEX imports_lane ON imports (lane, id)",
        "CREATE INDEX imports_buried ON imports (id) WHERE due < 0",
        "CREATE TABLE import_keys (k TEXT, part INTEGER, PRIMARY KEY (k, part)) WITHOUT ROWID",
    ),
)
"""What each version of the schema has added to the one before."""


def open_database(path: Path, durability: Durability) -> sqlite3.Connection:
    """Return a connection to the store in this file, which is created where there is none.

    The connection never waits for a lock by itself: waiting would happen inside the event loop.

    Errors: StoreError for a file that is not ours, is newer than this code or cannot be written.
    """
    try:
        _create_private(path)
        connection = connect(path, timeout_s=_OPEN_TIMEOUT_S)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise store_error(error, str(path)) from error
    try:
        # Before anything changes a file that may be somebody else's.
        _check_version(connection, path)
        _configure(connection, path, durability)
        _create_tables(connection, path)
        for statement in SAVES:
            connection.execute(statement)
        connection.execute("PRAGMA busy_timeout = 0")
    except sqlite3.Error as error:
        connection.close()
        raise store_error(error, str(path)) from error
    except StoreError:
        connection.close()
        raise
    return connection


def connect(path: Path, *, timeout_s: float) -> sqlite3.Connection:
    """Return a connection that opens transactions only where it is told to.

    It may be made in one thread and used in another, but in one at a time.
    """
    return sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)


def _create_private(path: Path) -> None:
    # SQLite would create the file with the process's umask; its side files take after the file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _configure(connection: sqlite3.Connection, path: Path, durability: Durability) -> None:
    mode = _write_ahead(connection)
    if mode != "wal":
        raise StoreError(
            f"{path}: this file system does not support a write-ahead log; put the file on a"
            " local disk."
        )
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")
    # Checkpoints run in the background: see sqlite_checkpoints.
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def _write_ahead(connection: sqlite3.Connection) -> str:
    """Switch to a write-ahead log and return the mode that the file is in then.

    Of several processes that open a new file together one switches. The others are turned away at
    once, whatever the busy timeout is, until it has.
    """
    give_up_s = time.monotonic() + _OPEN_TIMEOUT_S
    while True:
        try:
            mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.Error as error:
            if not is_busy(error) or time.monotonic() > give_up_s:
                raise
            time.sleep(_OPEN_PAUSE_S)
        else:
            return mode


def _create_tables(connection: sqlite3.Connection, path: Path) -> None:
    # The lock comes first, so that of two processes that start together one creates the tables.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for added in _TABLES[_check_version(connection, path) :]:
            for statement in added:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of the file, 0 for one without tables; raise if it is not ours."""
    # In one statement, since another process may create the tables between two.
    found, holds_tables = connection.execute(
        "SELECT user_version, EXISTS (SELECT 1 FROM sqlite_master) FROM pragma_user_version"
    ).fetchone()
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: the file has schema version {found}, but this version of Edgewise knows up"
            f" to {SCHEMA_VERSION}: run the version that wrote it, or a later one."
        )
    if found == 0 and holds_tables:
        raise StoreError(f"{path}: this database holds something else; name another file.")
    return int(found)
