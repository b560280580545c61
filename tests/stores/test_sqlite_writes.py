from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewise.errors import StoreError
from edgewise.stores.sqlite_writes import MOST_PER_TRANSACTION, WriteQueue

PATIENCE_S = 2.0


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A database in memory with one table of numbers."""
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY, d BLOB)")
    yield opened
    opened.close()


def run_on(
    connection: sqlite3.Connection, scenario: Callable[[WriteQueue], Awaitable[None]]
) -> list[str]:
    """Run a scenario on a queue and return the statements that reached the database."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    async def with_queue() -> None:
        await scenario(WriteQueue(connection, "a.db", PATIENCE_S, lambda: None))

    asyncio.run(with_queue())
    connection.set_trace_callback(None)
    return statements


def insert(number: int, size_bytes: int = 1) -> Callable[[sqlite3.Connection], int]:
    def operation(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO numbers VALUES (?, zeroblob(?))", (number, size_bytes))
        return number

    return operation


def numbers_in(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT n FROM numbers ORDER BY n")]


@pytest.mark.parametrize(
    ("writes", "commits"),
    [
        pytest.param(1, 1, id="one"),
        pytest.param(50, 1, id="many"),
        pytest.param(MOST_PER_TRANSACTION, 1, id="full"),
        pytest.param(MOST_PER_TRANSACTION + 1, 2, id="over-full"),
        pytest.param(5 * MOST_PER_TRANSACTION, 5, id="burst"),
    ],
)
def test_writes_of_one_turn_share_transactions(
    connection: sqlite3.Connection, writes: int, commits: int
) -> None:
    """Writes that are submitted in one turn commit together, as many as a transaction takes."""

    async def scenario(queue: WriteQueue) -> None:
        futures = [queue.submit(insert(number)) for number in range(writes)]
        assert await asyncio.gather(*futures) == list(range(writes))

    statements = run_on(connection, scenario)
    assert statements.count("COMMIT") == commits
    assert numbers_in(connection) == list(range(writes))


def test_writes_of_many_tasks_share_a_transaction(connection: sqlite3.Connection) -> None:
    """Tasks that are ready at the same time commit together."""

    async def scenario(queue: WriteQueue) -> None:
        async def write(number: int) -> None:
            await queue.submit(insert(number))
            await queue.submit(insert(number + 100))

        await asyncio.gather(*(write(number) for number in range(32)))

    assert run_on(connection, scenario).count("COMMIT") == 2


def test_results_come_after_the_commit(connection: sqlite3.Connection) -> None:
    """No future is resolved inside the transaction."""
    outside: list[bool] = []

    async def scenario(queue: WriteQueue) -> None:
        future = queue.submit(insert(1))
        future.add_done_callback(lambda _: outside.append(not connection.in_transaction))
        await future
        await asyncio.sleep(0)

    run_on(connection, scenario)
    assert outside == [True]


def test_failing_write_fails_alone(connection: sqlite3.Connection) -> None:
    """A write that fails leaves nothing behind and takes none of the others with it."""

    def half(opened: sqlite3.Connection) -> None:
        opened.execute("INSERT INTO numbers VALUES (7, x'00')")
        opened.execute("INSERT INTO no_such_table VALUES (1)")

    async def scenario(queue: WriteQueue) -> None:
        futures: list[Any] = [queue.submit(insert(1)), queue.submit(half), queue.submit(insert(2))]
        first, second, third = await asyncio.gather(*futures, return_exceptions=True)
        assert (first, third) == (1, 2)
        assert isinstance(second, StoreError)
        assert "no_such_table" in str(second)
        assert isinstance(second.__cause__, sqlite3.Error)

    run_on(connection, scenario)
    assert numbers_in(connection) == [1, 2]


def test_fault_of_ours_is_not_dressed_up(connection: sqlite3.Connection) -> None:
    """An operation that fails for another reason than the database raises what it raised."""

    def broken(opened: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    async def scenario(queue: WriteQueue) -> None:
        futures: list[Any] = [queue.submit(broken), queue.submit(insert(1))]
        first, second = await asyncio.gather(*futures, return_exceptions=True)
        assert isinstance(first, ZeroDivisionError)
        assert second == 1

    run_on(connection, scenario)


def test_full_disk(connection: sqlite3.Connection) -> None:
    """A write for which there is no space says so, is not half there, and smaller ones go on."""
    connection.execute("PRAGMA max_page_count = 10")

    def two(opened: sqlite3.Connection) -> None:
        insert(1)(opened)
        insert(2, size_bytes=1_000_000)(opened)

    async def scenario(queue: WriteQueue) -> None:
        futures: list[Any] = [queue.submit(insert(0)), queue.submit(two), queue.submit(insert(3))]
        results = await asyncio.gather(*futures, return_exceptions=True)
        assert results[::2] == [0, 3]
        assert isinstance(results[1], StoreError)
        assert "the disk is full" in str(results[1])

    run_on(connection, scenario)
    assert numbers_in(connection) == [0, 3]


def test_read_only_file(connection: sqlite3.Connection) -> None:
    """A write to a read-only database says what to do about it."""
    connection.execute("PRAGMA query_only = ON")

    async def scenario(queue: WriteQueue) -> None:
        with pytest.raises(StoreError, match="read-only"):
            await queue.submit(insert(1))

    run_on(connection, scenario)


def test_cancelled_write_does_not_run(connection: sqlite3.Connection) -> None:
    """A write that is cancelled before its turn is not done; the others of the turn are."""

    async def scenario(queue: WriteQueue) -> None:
        first, second = queue.submit(insert(1)), queue.submit(insert(2))
        first.cancel()
        assert await second == 2

    run_on(connection, scenario)
    assert numbers_in(connection) == [2]


def test_closed_queue(connection: sqlite3.Connection) -> None:
    """A queue that is closed finishes what it has and takes nothing more."""

    async def scenario(queue: WriteQueue) -> None:
        future = queue.submit(insert(1))
        await queue.close()
        assert future.result() == 1
        with pytest.raises(StoreError, match="closed"):
            queue.submit(insert(2))

    run_on(connection, scenario)
    assert numbers_in(connection) == [1]


def test_a_lone_write_commits_without_a_turn_of_the_loop(connection: sqlite3.Connection) -> None:
    """The first write of a turn is committed before anything else on the loop runs."""
    order: list[str] = []

    async def scenario(queue: WriteQueue) -> None:
        asyncio.get_running_loop().call_soon(order.append, "turn")
        assert await queue.run(insert(1)) == 1
        order.append("write")

    run_on(connection, scenario)
    assert order == ["write", "turn"]


def test_writes_that_follow_in_the_same_turn_share_a_transaction(
    connection: sqlite3.Connection,
) -> None:
    """Only the first of several writes of one turn has a transaction for itself."""

    async def scenario(queue: WriteQueue) -> None:
        await asyncio.gather(*(queue.run(insert(number)) for number in range(5)))

    statements = run_on(connection, scenario)
    assert statements.count("COMMIT") == 2
    assert numbers_in(connection) == list(range(5))


def test_after_a_turn_in_company_the_first_write_waits_for_others(
    connection: sqlite3.Connection,
) -> None:
    """A second round of writes shares one transaction, and a lone write after it waits once."""

    async def scenario(queue: WriteQueue) -> None:
        for start in (0, 10):
            await asyncio.gather(*(queue.run(insert(start + number)) for number in range(5)))
        for number in (20, 21):
            await queue.run(insert(number))
            await asyncio.sleep(0)

    statements = run_on(connection, scenario)
    assert statements.count("COMMIT") == 2 + 1 + 2


def test_lone_write_does_not_overtake_those_that_wait(connection: sqlite3.Connection) -> None:
    """What was submitted before is committed before, or together with it."""

    async def scenario(queue: WriteQueue) -> None:
        await queue.run(insert(0))
        await asyncio.sleep(0)
        waiting = queue.submit(insert(1))
        await queue.run(insert(2))
        await waiting

    statements = run_on(connection, scenario)
    inserted = [one.split("(")[1] for one in statements if one.startswith("INSERT")]
    assert [one.split(",")[0] for one in inserted] == ["0", "1", "2"]


def test_company_is_looked_for_again(connection: sqlite3.Connection) -> None:
    """After any number of lone writes a crowd is noticed within a few of its writes."""

    async def scenario(queue: WriteQueue) -> None:
        for number in range(20):
            await queue.run(insert(number))
            await asyncio.sleep(0)
        await asyncio.gather(*(queue.run(insert(100 + number)) for number in range(50)))

    statements = run_on(connection, scenario)
    assert len(numbers_in(connection)) == 70
    assert 20 < statements.count("COMMIT") <= 20 + 8 + 1


def test_a_write_that_cannot_be_done_at_once_waits_for_the_lock(
    tmp_path: Path,
) -> None:
    """A lone write that finds the lock taken is done as soon as it is free."""
    ours, theirs = (sqlite3.connect(tmp_path / "a.db", isolation_level=None) for _ in range(2))
    ours.execute("PRAGMA busy_timeout = 0")
    ours.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY, d BLOB)")
    theirs.execute("BEGIN IMMEDIATE")

    async def scenario(queue: WriteQueue) -> None:
        asyncio.get_running_loop().call_soon(theirs.execute, "COMMIT")
        assert await queue.run(insert(1)) == 1

    run_on(ours, scenario)
    assert numbers_in(ours) == [1]
    ours.close()
    theirs.close()


def test_a_lone_write_that_fails_leaves_nothing(connection: sqlite3.Connection) -> None:
    """A write that fails raises our error, and what it had written is rolled back."""

    def faulty(connection: sqlite3.Connection) -> None:
        insert(1)(connection)
        connection.execute("SELECT * FROM nowhere")

    async def scenario(queue: WriteQueue) -> None:
        with pytest.raises(StoreError, match="nowhere"):
            await queue.run(faulty)

    run_on(connection, scenario)
    assert numbers_in(connection) == []
    assert not connection.in_transaction


def test_a_closed_queue_refuses_a_lone_write(connection: sqlite3.Connection) -> None:
    """Nothing is written after the end."""

    async def scenario(queue: WriteQueue) -> None:
        await queue.close()
        with pytest.raises(StoreError, match="closed"):
            await queue.run(insert(1))

    run_on(connection, scenario)
    assert numbers_in(connection) == []
