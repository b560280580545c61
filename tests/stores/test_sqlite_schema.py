from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from edgewise.errors import StoreCorrupt, StoreError
from edgewise.stores.sqlite_schema import SCHEMA_VERSION, Durability, open_database


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(("durability", "synchronous"), [("normal", 1), ("full", 2)])
def test_settings(tmp_path: Path, durability: Durability, synchronous: int) -> None:
    """A connection has the settings that its durability and the background checkpoints need."""
    connection = open_database(tmp_path / "a.db", durability)
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == synchronous
    assert pragma(connection, "wal_autocheckpoint") == 0
    assert pragma(connection, "busy_timeout") == 0
    assert pragma(connection, "user_version") == SCHEMA_VERSION
    connection.close()


def test_files_are_private(tmp_path: Path) -> None:
    """Only the owner may read the file and its write-ahead log, whatever the umask says."""
    path = tmp_path / "a.db"
    before = os.umask(0)
    try:
        connection = open_database(path, "normal")
    finally:
        os.umask(before)
    for place in (path, tmp_path / "a.db-wal"):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    connection.close()


def test_existing_permissions_stay(tmp_path: Path) -> None:
    """Opening a file that exists does not change who may read it."""
    path = tmp_path / "a.db"
    open_database(path, "normal").close()
    path.chmod(0o640)
    open_database(path, "normal").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_opened_twice(tmp_path: Path) -> None:
    """A second connection finds the tables of the first."""
    first = open_database(tmp_path / "a.db", "normal")
    first.execute("INSERT INTO records VALUES ('k', 1, 0, x'00')")
    second = open_database(tmp_path / "a.db", "normal")
    assert second.execute("SELECT k FROM records").fetchall() == [("k",)]
    first.close()
    second.close()


def write_newer(path: Path) -> None:
    open_database(path, "normal").close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()


def write_foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()


@pytest.mark.parametrize(
    ("prepare", "error", "text"),
    [
        pytest.param(write_newer, StoreError, "schema version 3", id="newer-schema"),
        pytest.param(write_foreign, StoreError, "holds something else", id="other-database"),
        pytest.param(
            lambda path: path.write_text("hello " * 999), StoreCorrupt, "damaged", id="no-database"
        ),
        pytest.param(Path.mkdir, StoreError, "directory", id="directory"),
        pytest.param(lambda path: None, StoreError, "No such file", id="missing-directory"),
    ],
)
def test_refused_file(
    tmp_path: Path,
    prepare: Callable[[Path], object],
    error: type[StoreError],
    text: str,
    request: pytest.FixtureRequest,
) -> None:
    """A file that cannot be our store is refused with its path and the reason, and not changed."""
    missing = request.node.callspec.id == "missing-directory"
    path = tmp_path / "none" / "a.db" if missing else tmp_path / "a.db"
    prepare(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(error, match=text) as caught:
        open_database(path, "normal")
    assert str(path) in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_opened_together(tmp_path: Path) -> None:
    """Whoever opens a new file at the same time as others gets a store: one makes it for all."""

    def opens(path: Path, barrier: Barrier) -> int:
        barrier.wait()
        connection = open_database(path, "normal")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.close()
        return int(version)

    for number in range(40):
        path, barrier = tmp_path / f"{number}.db", Barrier(4)
        with ThreadPoolExecutor(4) as threads:
            versions = [threads.submit(opens, path, barrier) for _ in range(4)]
            assert [version.result() for version in versions] == [SCHEMA_VERSION] * 4
