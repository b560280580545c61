"""All writes of one turn of the event loop in one transaction, and a lone one at once.

A transaction costs more than the statements in it, so writes wait until the loop has run
everything that is ready and then commit together, inline. A thread would be no faster: it would
compete with the loop for the interpreter at every statement.

Waiting costs two turns of the loop, which for one write is as much as its transaction. So a write
that probably has no company commits at once. Every eighth of those looks whether another comes in
its turn; then writes wait for each other, until a transaction has but one again.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from edgewise.errors import StoreError
from edgewise.stores.sqlite_errors import is_busy, lock_taken, store_error

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

MOST_PER_TRANSACTION = 256
"""More writes than this go to the next turn, so that a burst does not hold up the loop."""

_RETRY_S = (0.0005, 0.004)
_LOOK_EVERY = 8


class _Write:
    __slots__ = ("deadline_s", "future", "operation")

    def __init__(
        self, operation: Operation[Any], future: asyncio.Future[Any], deadline_s: float
    ) -> None:
        self.operation = operation
        self.future = future
        self.deadline_s = deadline_s


class WriteQueue:
    """Runs write operations on one connection, many to a transaction.

    An operation sees the writes in front of it. One that fails takes none of the others with it.
    While another process holds the lock the operations wait, the event loop does not.

    Args:
        connection: in autocommit mode, with no busy timeout.
        path: what error messages call the database.
        patience_s: how long an operation waits for the lock before it fails with StoreBusy.
        committed: called after every transaction.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: str,
        patience_s: float,
        committed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._path = path
        self._patience_s = patience_s
        self._committed = committed
        self._waiting: list[_Write] = []
        self._scheduled = False
        self._closed = False
        self._looking = False
        self._in_company = False
        self._free = 0

    async def run(self, operation: Operation[T], *, is_one_statement: bool = False) -> T:
        """Return the result of an operation that was committed, at once or with others.

        Args:
            is_one_statement: whether it is its own transaction, if need be.
        Errors: StoreError, of which StoreBusy says that nothing was written.
        """
        if self._free:
            self._free -= 1
            alone = True
        else:
            alone = self._is_alone()
        if alone:
            try:
                if is_one_statement:
                    result = operation(self._connection)
                else:
                    result = self._commit_one(operation)
            except sqlite3.Error as error:
                if not is_busy(error):
                    raise store_error(error, self._path) from error
            else:
                self._committed()
                return result
        return await self.submit(operation)

    def submit(self, operation: Operation[T]) -> asyncio.Future[T]:
        """Return a future of the operation's result; it is there after the commit.

        An operation whose future is cancelled before its turn does not run.

        Errors: StoreError, of which StoreBusy says that nothing was written.
        """
        if self._closed:
            raise StoreError("The store is closed.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._free = 0
        self._waiting.append(_Write(operation, future, loop.time() + self._patience_s))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._run, loop)
        return future

    async def close(self) -> None:
        """Refuse new operations and wait for those that were submitted."""
        self._closed = True
        self._free = 0
        futures = [write.future for write in self._waiting]
        if futures:
            await asyncio.wait(futures)

    def _is_alone(self) -> bool:
        """Return whether a write should not wait for others; see the top of this file."""
        if self._in_company or self._waiting or self._closed:
            return False
        if self._looking:
            self._in_company = True
            return False
        self._looking = True
        asyncio.get_running_loop().call_soon(self._end_look)
        return True

    def _end_look(self) -> None:
        self._looking = False
        if not (self._in_company or self._waiting or self._closed):
            self._free = _LOOK_EVERY - 1

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._waiting[:MOST_PER_TRANSACTION]
        self._in_company = len(batch) > 1
        del self._waiting[:MOST_PER_TRANSACTION]
        blocked = self._attempt([write for write in batch if not write.future.done()])
        if blocked:
            self._waiting[:0] = blocked
            self._give_up_late(loop.time())
        self._scheduled = bool(self._waiting)
        if not self._scheduled:
            return
        if blocked:
            # Random, so that two processes do not meet again at every try.
            loop.call_later(random.uniform(*_RETRY_S), self._run, loop)
        else:
            loop.call_soon(self._run, loop)

    def _attempt(self, batch: list[_Write]) -> list[_Write]:
        """Run a batch and resolve its futures; return the writes that found the lock taken."""
        if not batch:
            return []
        try:
            results = self._commit([write.operation for write in batch])
        except Exception as error:  # noqa: BLE001 - it reaches the caller through its future
            if is_busy(error):
                return batch
            if len(batch) > 1:
                # One of them is at fault, and only that one may fail: each for itself.
                return [blocked for write in batch for blocked in self._attempt([write])]
            self._fail(batch[0], error)
            return []
        self._committed()
        for write, result in zip(batch, results, strict=True):
            if not write.future.done():
                write.future.set_result(result)
        return []

    def _commit_one(self, operation: Operation[T]) -> T:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            result = operation(self._connection)
            execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return result

    def _commit(self, operations: Sequence[Operation[Any]]) -> list[Any]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(connection) for operation in operations]
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return results

    def _roll_back(self) -> None:
        # After some faults, such as a full disk, SQLite has rolled back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _give_up_late(self, now_s: float) -> None:
        in_time = []
        for write in self._waiting:
            if write.deadline_s > now_s:
                in_time.append(write)
            else:
                self._fail(write, lock_taken(self._path))
        self._waiting = in_time

    def _fail(self, write: _Write, error: Exception) -> None:
        if write.future.done():
            return
        if isinstance(error, sqlite3.Error):
            failure: Exception = store_error(error, self._path)
            failure.__cause__ = error
        else:
            failure = error
        write.future.set_exception(failure)
