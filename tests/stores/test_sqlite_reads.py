from __future__ import annotations

import asyncio
import sqlite3

import pytest

from edgewise.errors import StoreBusy, StoreError
from edgewise.stores.sqlite_reads import run_query


def locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


@pytest.fixture
def connection() -> sqlite3.Connection:
    """A connection that no test uses for anything but to pass it on."""
    opened = sqlite3.connect(":memory:")
    opened.close()
    return opened


def test_lock_that_goes(connection: sqlite3.Connection) -> None:
    """A query that is kept out by a lock runs again until it gets through."""
    faults = [locked(), locked(), locked()]

    def query(opened: sqlite3.Connection) -> str:
        if faults:
            raise faults.pop()
        return "result"

    assert asyncio.run(run_query(connection, "a.db", 30, query)) == "result"
    assert faults == []


def test_lock_that_stays(connection: sqlite3.Connection) -> None:
    """A query that a lock keeps out for longer than it may wait is refused, after several tries."""
    tries = 0

    def query(opened: sqlite3.Connection) -> None:
        nonlocal tries
        tries += 1
        raise locked()

    with pytest.raises(StoreBusy, match=r"a\.db"):
        asyncio.run(run_query(connection, "a.db", 0.1, query))
    assert tries > 1


def test_other_fault_is_not_tried_again(connection: sqlite3.Connection) -> None:
    """A query that fails for another reason fails at once."""
    tries = 0

    def query(opened: sqlite3.Connection) -> None:
        nonlocal tries
        tries += 1
        opened.execute("SELECT 1")

    with pytest.raises(StoreError, match="closed"):
        asyncio.run(run_query(connection, "a.db", 30, query))
    assert tries == 1
