"""Queries inline on the event loop, and again a little later where a lock keeps them out."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from edgewise.stores.sqlite_errors import is_busy, store_error

T = TypeVar("T")

_RETRY_S = (0.0005, 0.004)


async def run_query(
    connection: sqlite3.Connection,
    path: str,
    patience_s: float,
    query: Callable[[sqlite3.Connection], T],
) -> T:
    """Return what a query returns; it sees what is committed.

    Readers meet a lock only while another process recovers the file after a crash.

    Args:
        path: what error messages call the database.
        patience_s: how long to try.

    Errors: StoreError, of which StoreBusy says that a later try may succeed.
    """
    give_up_s = 0.0
    while True:
        try:
            return query(connection)
        except sqlite3.Error as error:
            now_s = asyncio.get_running_loop().time()
            give_up_s = give_up_s or now_s + patience_s
            if not is_busy(error) or now_s >= give_up_s:
                raise store_error(error, path) from error
        await asyncio.sleep(random.uniform(*_RETRY_S))
