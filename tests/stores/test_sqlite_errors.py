from __future__ import annotations

import pickle
import sqlite3

import pytest

from edgewise.errors import StoreBusy, StoreCorrupt, StoreError, StoreUnwritable
from edgewise.stores.sqlite_errors import is_busy, store_error

SQLITE_BUSY_SNAPSHOT = 517


def fault(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as reported")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        pytest.param(sqlite3.SQLITE_BUSY, StoreBusy, "holds the lock", id="busy"),
        pytest.param(SQLITE_BUSY_SNAPSHOT, StoreBusy, "holds the lock", id="extended-code"),
        pytest.param(sqlite3.SQLITE_CORRUPT, StoreCorrupt, "damaged", id="corrupt"),
        pytest.param(sqlite3.SQLITE_FULL, StoreUnwritable, "disk is full", id="full"),
        pytest.param(sqlite3.SQLITE_READONLY, StoreUnwritable, "read-only", id="read-only"),
        pytest.param(sqlite3.SQLITE_ERROR, StoreError, "as reported", id="any-other"),
    ],
)
def test_kind_and_text(code: int, kind: type[StoreError], text: str) -> None:
    """A fault becomes the error of our tree that says what to do, with the file, and it pickles."""
    error = store_error(fault(code), "a.db")
    assert type(error) is kind
    assert str(error).startswith("a.db: ")
    assert text in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (kind, str(error))


@pytest.mark.parametrize(
    ("error", "busy"),
    [
        pytest.param(fault(sqlite3.SQLITE_BUSY), True, id="busy"),
        pytest.param(fault(sqlite3.SQLITE_LOCKED), True, id="locked"),
        pytest.param(fault(SQLITE_BUSY_SNAPSHOT), True, id="extended-code"),
        pytest.param(fault(sqlite3.SQLITE_FULL), False, id="full"),
        pytest.param(sqlite3.ProgrammingError("closed"), False, id="without-code"),
        pytest.param(ValueError("busy"), False, id="not-sqlite"),
    ],
)
def test_is_busy(error: Exception, busy: bool) -> None:
    """Only a lock that another connection holds counts as busy."""
    assert is_busy(error) is busy
