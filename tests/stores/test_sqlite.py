from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

import pytest

import edgewise
from edgewise.errors import StoreBusy, StoreError
from edgewise.model.log import LogEntry
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.sqlite_schema import Durability

WRITER = Path(__file__).with_name("sqlite_writer.py")
SOURCE_ROOT = Path(edgewise.__file__).parents[1]
SHORT_PATIENCE_S = 0.3


def entry(profile_id: str, message_key: int) -> LogEntry:
    return LogEntry("org/main", profile_id, message_key, 1, 1, b"{}")


def run_on(store: SqliteStore, scenario: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def with_store() -> None:
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(with_store())


def start_writer(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(SOURCE_ROOT)}
    return subprocess.Popen(
        [sys.executable, str(WRITER), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def output_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def take_lock(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_reopened_file(tmp_path: Path) -> None:
    """Records, versions, the log and the protection of old versions outlast the store object."""
    path = tmp_path / "a.db"
    versions: dict[str, int] = {}

    async def write(store: SqliteStore) -> None:
        versions["deleted"] = await store.put_if("deleted", b"value", 0) or 0
        await store.delete("deleted")
        versions["kept"] = await store.put_if("kept", b"value", 0, [entry("p", 1)]) or 0

    async def read(store: SqliteStore) -> None:
        assert await store.get("kept") == (b"value", versions["kept"])
        assert await store.read_log("p") == [entry("p", 1)]
        assert await store.logged(["p"], [1]) == {1}
        assert (await store.put_if("deleted", b"again", 0) or 0) > versions["deleted"]

    run_on(SqliteStore(path), write)
    run_on(SqliteStore(path), read)


def test_many_logs_are_asked_one_by_one(tmp_path: Path) -> None:
    """Whoever asks or reads the logs of many profiles lets others go on in between."""
    profiles = [f"p{number}" for number in range(50)]

    async def scenario(store: SqliteStore) -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        await store.append([entry(profile, 1) for profile in profiles])
        going_on = asyncio.create_task(others())
        assert await store.logged(profiles, [1, 2]) == {1}
        assert turns >= len(profiles) - 1
        turns = 0
        for profile in profiles:
            assert await store.read_log(profile) == [entry(profile, 1)]
        assert turns >= len(profiles) - 1
        going_on.cancel()

    run_on(SqliteStore(tmp_path / "a.db"), scenario)


def test_close_leaves_one_file(tmp_path: Path) -> None:
    """After closing, everything is in the database file and no other file is left."""
    path = tmp_path / "a.db"

    async def scenario(store: SqliteStore) -> None:
        await store.put_if("k", b"value", 0)

    run_on(SqliteStore(path), scenario)
    assert [place.name for place in tmp_path.iterdir()] == ["a.db"]


def test_close_finishes_writes(tmp_path: Path) -> None:
    """Writes that were begun before closing are done and acknowledged."""
    path = tmp_path / "a.db"

    async def scenario(store: SqliteStore) -> None:
        writes = [asyncio.ensure_future(store.put_if(f"k{n}", b"value", 0)) for n in range(1_000)]
        await asyncio.sleep(0)
        await store.close()
        assert None not in await asyncio.gather(*writes)

    run_on(SqliteStore(path), scenario)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (1_000,)
    connection.close()


def test_two_processes_lose_no_update(tmp_path: Path) -> None:
    """Two processes that increment one key a thousand times each add up to two thousand."""
    path = tmp_path / "a.db"
    writers = [start_writer("increment", str(path), "1000") for _ in range(2)]
    for writer in writers:
        with writer:
            writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0]

    async def scenario(store: SqliteStore) -> None:
        found = await store.get("n")
        assert found is not None
        assert found[0] == b"2000"

    run_on(SqliteStore(path), scenario)


@pytest.mark.parametrize("durability", ["normal", "full"])
def test_killed_process_loses_no_acknowledged_write(tmp_path: Path, durability: Durability) -> None:
    """After a kill -9 every acknowledged write is there with its entry, and the file is sound."""
    path = tmp_path / "a.db"
    with start_writer("acknowledge", str(path), durability) as writer:
        output = output_of(writer)
        acknowledged = [int(output.readline()) for _ in range(1_500)]
        writer.kill()
        acknowledged += [int(line) for line in output if line.endswith("\n")]
    assert acknowledged == list(range(len(acknowledged)))

    async def scenario(store: SqliteStore) -> None:
        for number in acknowledged:
            assert await store.get(str(number)) is not None
        logged = [found.message_key for found in await store.read_log("p")]
        assert logged[: len(acknowledged)] == acknowledged

    run_on(SqliteStore(path), scenario)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_lock_that_stays(tmp_path: Path) -> None:
    """A write that finds the lock taken for good is refused, changes nothing and blocks no task."""
    path = tmp_path / "a.db"

    async def scenario(store: SqliteStore) -> None:
        ticks = 0
        holder = take_lock(path)
        write = asyncio.ensure_future(store.put_if("k", b"value", 0, [entry("p", 1)]))
        while not write.done():
            await asyncio.sleep(0.001)
            assert await store.get("k") is None
            ticks += 1
        with pytest.raises(StoreBusy):
            await write
        assert ticks >= 20
        holder.execute("ROLLBACK")
        holder.close()
        assert await store.get("k") is None
        assert await store.read_log("p") == []
        assert await store.put_if("k", b"value", 0) is not None

    run_on(SqliteStore(path, patience_s=SHORT_PATIENCE_S), scenario)


def test_lock_that_goes(tmp_path: Path) -> None:
    """Writes that found the lock taken are done once it is free, the waiting and the new ones."""
    path = tmp_path / "a.db"

    async def scenario(store: SqliteStore) -> None:
        holder = take_lock(path)
        writes = []
        for number in range(10):
            writes.append(asyncio.ensure_future(store.put_if(f"k{number}", b"value", 0)))
            await asyncio.sleep(0.002)
        assert not any(write.done() for write in writes)
        holder.execute("ROLLBACK")
        holder.close()
        assert None not in await asyncio.gather(*writes)

    run_on(SqliteStore(path, patience_s=30), scenario)


def test_read_sees_committed_writes_only(tmp_path: Path) -> None:
    """A write that has not been acknowledged yet is not read."""

    async def scenario(store: SqliteStore) -> None:
        write = asyncio.ensure_future(store.put_if("k", b"value", 0))
        assert await store.get("k") is None
        await write
        assert await store.get("k") is not None

    run_on(SqliteStore(tmp_path / "a.db"), scenario)


def test_unusable_value_fails_alone(tmp_path: Path) -> None:
    """A write that the database refuses fails as a store error; its neighbours succeed."""
    path = tmp_path / "a.db"

    async def scenario(store: SqliteStore) -> None:
        with sqlite3.connect(path) as other:
            other.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON log WHEN NEW.profile = 'bad'"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        other.close()
        good, bad, better = await asyncio.gather(
            store.put_if("good", b"value", 0, [entry("p", 1)]),
            store.put_if("bad", b"value", 0, [entry("p", 2), entry("bad", 3)]),
            store.put_if("better", b"value", 0, [entry("p", 4)]),
            return_exceptions=True,
        )
        assert isinstance(good, int)
        assert isinstance(better, int)
        assert isinstance(bad, StoreError)
        assert "refused" in str(bad)
        assert await store.get("bad") is None
        assert [found.message_key for found in await store.read_log("p")] == [1, 4]

    run_on(SqliteStore(path), scenario)
