"""Random operations give the same results on every store."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edgewise.model.log import LogEntry
from edgewise.stores.base import Store
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore

Operation = tuple[Any, ...]

KEYS = st.sampled_from(["a", "b"])
PROFILES = st.sampled_from(["ab" * 32, "visitor"])
MESSAGES = st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])
ENTRIES = st.lists(st.tuples(PROFILES, MESSAGES), max_size=4)
VERSIONS = st.one_of(st.just("current"), st.integers(0, 9))
TIMES = st.integers(0, 30)

OPERATIONS = st.one_of(
    st.tuples(st.just("put"), KEYS, VERSIONS, ENTRIES, TIMES),
    st.tuples(st.just("delete"), KEYS, st.one_of(st.none(), VERSIONS)),
    st.tuples(st.just("append"), ENTRIES),
    st.tuples(st.just("read_log"), PROFILES),
    st.tuples(st.just("logged"), st.lists(PROFILES, max_size=2), st.sets(MESSAGES)),
    st.tuples(st.just("scan"), TIMES),
    st.tuples(st.just("delete_log"), PROFILES),
    st.tuples(st.just("trim"), TIMES, st.integers(0, 4)),
    st.tuples(st.just("expire"), TIMES),
)


async def version_of(store: Store, key: str, version: int | str | None) -> int | None:
    if isinstance(version, int | None):
        return version
    found = await store.get(key)
    return found[1] if found else 0


def entries_at(pairs: list[tuple[str, int]], now_ms: int) -> list[LogEntry]:
    return [
        LogEntry("org/main", profile_id, message_key, now_ms - 1, now_ms, b"{%d}" % now_ms)
        for profile_id, message_key in pairs
    ]


async def apply(store: Store, operation: Operation, now_ms: int) -> Any:
    match operation:
        case ("put", key, version, pairs, seen_ms):
            at = await version_of(store, key, version) or 0
            entries = entries_at(pairs, now_ms)
            return await store.put_if(key, b"%d" % now_ms, at, entries, seen_ms), at
        case ("delete", key, version):
            return await store.delete(key, await version_of(store, key, version))
        case ("expire", before_ms):
            return sorted(await store.expire(before_ms, 1_000))
        case _:
            return await apply_to_log(store, operation, now_ms)


async def apply_to_log(store: Store, operation: Operation, now_ms: int) -> Any:
    match operation:
        case ("append", pairs):
            return await store.append(entries_at(pairs, now_ms))
        case ("read_log", profile_id):
            return await store.read_log(profile_id)
        case ("logged", profile_ids, message_keys):
            return await store.logged(profile_ids, message_keys)
        case ("scan", since_ms):
            return [found async for found in store.scan_log(since_ms)]
        case ("delete_log", profile_id):
            return await store.delete_log(profile_id)
        case ("trim", before_ms, newest):
            return await store.trim_log(before_ms, newest, 1_000)
    raise AssertionError(operation)


async def results_of(store: Store, operations: list[Operation]) -> list[Any]:
    """Return what each operation returned, and in the end everything that is left."""
    results = [
        (operation, await apply(store, operation, now_ms))
        for now_ms, operation in enumerate(operations, start=1)
    ]
    left = [await store.get(key) for key in ("a", "b")]
    log = [found async for found in store.scan_log()]
    await store.close()
    return [*results, left, log]


@given(st.lists(OPERATIONS, max_size=30))
def test_stores_agree(operations: list[Operation]) -> None:
    """Any sequence of operations has the same results in memory and in a file."""
    in_memory = asyncio.run(results_of(MemoryStore(), operations))
    with tempfile.TemporaryDirectory() as directory:
        in_file = asyncio.run(results_of(SqliteStore(Path(directory) / "a.db"), operations))
    assert in_file == in_memory
