"""A process of its own that writes to a SQLite store.

sqlite_writer.py increment PATH TIMES    add one to the key "n" so many times
sqlite_writer.py acknowledge PATH MODE   create keys "0", "1", ... and print each once it is
                                         written, until somebody ends the process
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from edgewise.model.log import LogEntry
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.sqlite_schema import Durability

_SMALL_WAL_BYTES = 200_000


async def increment(path: Path, times: int) -> None:
    store = SqliteStore(path)
    for _ in range(times):
        while True:
            value, version = await store.get("n") or (b"0", 0)
            if await store.put_if("n", b"%d" % (int(value) + 1), version):
                break
    await store.close()


async def acknowledge(path: Path, durability: Durability) -> None:
    store = SqliteStore(path, durability, wal_limit_bytes=_SMALL_WAL_BYTES)
    number = 0
    while True:
        entry = LogEntry("org/main", "p", number, 1, 1, b"{}")
        await store.put_if(str(number), b"v" * 1_000, 0, [entry])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


def main() -> None:
    _, task, path, argument = sys.argv
    if task == "increment":
        asyncio.run(increment(Path(path), int(argument)))
    else:
        asyncio.run(acknowledge(Path(path), "full" if argument == "full" else "normal"))


if __name__ == "__main__":
    main()
