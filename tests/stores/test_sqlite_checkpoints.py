from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgewise.stores import sqlite_checkpoints
from edgewise.stores.sqlite_checkpoints import Checkpointer
from edgewise.stores.sqlite_schema import open_database

GIVE_UP_S = 20.0


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a fresh store file "a.db"."""
    opened = open_database(tmp_path / "a.db", "normal")
    yield opened
    opened.close()


def write_bytes(connection: sqlite3.Connection, size_bytes: int) -> None:
    for number in range(size_bytes // 10_000):
        connection.execute("INSERT INTO records VALUES (?, 1, 0, zeroblob(10000))", (f"k{number}",))


def eventually(condition: Callable[[], bool]) -> bool:
    give_up_s = time.monotonic() + GIVE_UP_S
    while not condition():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.02)
    return True


def rows_in_file_alone(path: Path) -> int:
    """Return the number of records in the database file without its write-ahead log."""
    copy = path.with_name("copy.db")
    shutil.copyfile(path, copy)
    try:
        with sqlite3.connect(copy) as opened:
            found: int = opened.execute("SELECT count(*) FROM records").fetchone()[0]
    except sqlite3.Error:
        # Copied in the middle of a checkpoint, or before the first one.
        found = -1
    finally:
        opened.close()
    return found


def test_traffic_is_checkpointed(tmp_path: Path, connection: sqlite3.Connection) -> None:
    """What was written reaches the database file by itself."""
    checkpointer = Checkpointer(tmp_path / "a.db")
    write_bytes(connection, 100_000)
    checkpointer.notice()
    assert eventually(lambda: rows_in_file_alone(tmp_path / "a.db") == 10)
    checkpointer.stop()


def test_full_log_starts_over(tmp_path: Path, connection: sqlite3.Connection) -> None:
    """What is written after the limit was reached goes to the beginning of the write-ahead log."""
    wal = tmp_path / "a.db-wal"
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=200_000)
    write_bytes(connection, 300_000)
    checkpointer.notice()
    assert eventually(lambda: rows_in_file_alone(tmp_path / "a.db") == 30)

    def stays_as_large() -> bool:
        size_bytes = wal.stat().st_size
        connection.execute("UPDATE records SET v = v + 1 WHERE k = 'k0'")
        return wal.stat().st_size == size_bytes

    # The rows are in the file a moment before the log starts over.
    assert eventually(stays_as_large)
    checkpointer.stop()


def test_log_below_its_limit_does_not_start_over(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is held up for a small log."""
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=200_000)
    monkeypatch.setattr(checkpointer, "_start_over", pytest.fail)
    write_bytes(connection, 20_000)
    checkpointer.notice()
    assert eventually(lambda: rows_in_file_alone(tmp_path / "a.db") == 2)
    checkpointer.stop()


def test_log_starts_over_under_a_writer_that_does_not_pause(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log stays near its limit however much is written."""
    monkeypatch.setattr(sqlite_checkpoints, "_INTERVAL_S", 0.05)
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=4_000_000)
    connection.execute("PRAGMA busy_timeout = 1000")
    write_bytes(connection, 10_000)
    written = 0
    while written < 200_000_000:
        connection.execute("UPDATE records SET d = randomblob(100000)")
        written += 100_000
        checkpointer.notice()
        time.sleep(0.0001)
    assert (tmp_path / "a.db-wal").stat().st_size < written / 2
    checkpointer.stop()


def test_a_reader_that_stays_holds_no_writer_up(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be copied while somebody reads is not waited for; afterwards the log starts over.

    Waiting would keep every writer out.
    """
    monkeypatch.setattr(sqlite_checkpoints, "_INTERVAL_S", 0.01)
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=200_000)
    modes: list[str] = []
    checkpoint = checkpointer._checkpoint

    def recorded(mode: str) -> sqlite_checkpoints._LogSize:
        modes.append(mode)
        return checkpoint(mode)

    monkeypatch.setattr(checkpointer, "_checkpoint", recorded)
    reader = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM records").fetchone()
    write_bytes(connection, 300_000)

    def tried(mode: str, times: int) -> bool:
        checkpointer.notice()
        return modes.count(mode) >= times

    assert eventually(lambda: tried("PASSIVE", 12))
    assert set(modes) == {"PASSIVE"}
    reader.close()
    assert eventually(lambda: tried("RESTART", 1))
    checkpointer.stop()


def test_huge_log_is_cut(tmp_path: Path, connection: sqlite3.Connection) -> None:
    """A write-ahead log of many times its limit shrinks once nobody writes, with the store open."""
    wal = tmp_path / "a.db-wal"
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=200_000)
    write_bytes(connection, 2_000_000)
    assert wal.stat().st_size > 2_000_000
    checkpointer.notice()
    assert eventually(lambda: wal.stat().st_size <= 200_000)
    checkpointer.stop()


def test_a_huge_log_is_not_cut_while_another_process_writes(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is idle itself sees by the file that others are not."""
    wal = tmp_path / "a.db-wal"
    checkpointer = Checkpointer(tmp_path / "a.db", wal_limit_bytes=200_000)
    modes: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(checkpointer, "_checkpoint", modes.append)
        write_bytes(connection, 2_000_000)
        os.utime(wal, (time.time() + 100, time.time() + 100))
        checkpointer._cut()
        assert modes == []
        os.utime(wal, (0, 0))
        checkpointer._cut()
        assert "TRUNCATE" in modes
    checkpointer.stop()


def test_a_log_that_another_process_copies_is_as_large_as_its_file(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SQLite does not tell how many pages there are, the size of the file does."""
    checkpointer = Checkpointer(tmp_path / "a.db")
    write_bytes(connection, 20_000)

    class Busy:
        def execute(self, sql: str) -> sqlite3.Cursor:
            return connection.execute("SELECT 1, -1, -1" if "checkpoint" in sql else sql)

    with monkeypatch.context() as patch:
        patch.setattr(checkpointer, "_connection", Busy())
        size_bytes = (tmp_path / "a.db-wal").stat().st_size
        assert checkpointer._checkpoint("PASSIVE") == (size_bytes, size_bytes)
    checkpointer.stop()


def test_stop_empties_the_log(tmp_path: Path, connection: sqlite3.Connection) -> None:
    """Stopping copies everything into the database file and may be done twice."""
    checkpointer = Checkpointer(tmp_path / "a.db")
    write_bytes(connection, 100_000)
    checkpointer.stop()
    checkpointer.stop()
    assert (tmp_path / "a.db-wal").stat().st_size == 0
    assert rows_in_file_alone(tmp_path / "a.db") == 10


def test_failing_checkpoint_is_reported_once(
    tmp_path: Path, connection: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """A checkpoint that fails goes to the log of the process once, and the thread goes on."""
    checkpointer = Checkpointer(tmp_path / "a.db")
    write_bytes(connection, 20_000)
    checkpointer._connection.close()
    checkpointer.notice()
    assert eventually(lambda: "checkpoint failed" in caplog.text)
    checkpointer.stop()
    assert caplog.text.count("checkpoint failed") == 1


def test_a_stop_just_after_the_pause_is_seen(tmp_path: Path) -> None:
    """A thread that is told to end while it turns from its pause to its work ends all the same."""
    open_database(tmp_path / "a.db", "normal").close()
    checkpointer = Checkpointer(tmp_path / "a.db")

    class StopAfterPause(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            paused = super().wait(0)
            self.set()
            checkpointer._traffic.set()
            return paused

    checkpointer._stopping = StopAfterPause()
    checkpointer.notice()
    checkpointer._thread.join(timeout=GIVE_UP_S)
    assert not checkpointer._thread.is_alive()
