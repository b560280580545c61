"""The stores' import queues agree with each other over any course of events."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.stores.base import ServiceStore
from edgewise.stores.import_queue import Hold, NewPart
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore

KEYS = st.sampled_from("abc")
TIMES = st.integers(1, 60)
PLACES = st.integers(0, 5)

PARTS = st.lists(
    st.builds(
        lambda lane, further, queued_ms: NewPart(lane, b"", queued_ms, tuple(sorted(further))),
        KEYS,
        st.sets(KEYS, max_size=2),
        TIMES,
    ),
    min_size=1,
    max_size=3,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enqueue"), PARTS),
        st.tuples(st.just("take"), TIMES, st.integers(1, 20), st.integers(1, 3), TIMES),
        st.tuples(st.just("put_held"), PLACES, KEYS, st.integers(0, 2), st.booleans()),
        st.tuples(st.just("acknowledge"), PLACES),
        st.tuples(st.just("postpone"), PLACES, TIMES),
        st.tuples(st.just("bury"), PLACES),
        st.tuples(st.just("revive"), PLACES, TIMES),
        st.tuples(st.just("drop"), PLACES),
        st.tuples(st.just("forget"), st.lists(KEYS, max_size=2), TIMES),
    ),
    max_size=25,
)


async def outcomes(store: ServiceStore, steps: list[Any]) -> list[object]:
    """What each step returns, and how the queue is afterwards."""
    queue = store.queue
    holds = [Hold(99, 1)]
    found: list[object] = []
    for name, *arguments in steps:
        result: object = None
        if name == "enqueue":
            await queue.enqueue(arguments[0])
        elif name == "take":
            taken = await queue.take(*arguments)
            holds += [part.hold for part in taken]
            result = taken
        elif name == "put_held":
            place, key, version, last = arguments
            hold = holds[place % len(holds)]
            result = await queue.put_held(hold, key, b"", version, last=last)
        elif name == "forget":
            result = await store.forget_queued(*arguments)
        elif name in ("revive", "drop"):
            buried = await queue.buried(0, 10)
            part_id = buried[arguments[0] % len(buried)].id if buried else 1
            result = await getattr(queue, name)(part_id, *arguments[1:])
        else:
            hold = holds[arguments[0] % len(holds)]
            rest = ["why"] if name == "bury" else arguments[1:]
            result = await getattr(queue, name)(hold, *rest)
        held = [await queue.is_held(hold) for hold in holds]
        found.append((name, result, held, await queue.buried(0, 100), await queue.state()))
    await store.close()
    return found


@settings(max_examples=300)
@given(STEPS)
def test_queues_agree(steps: list[Any]) -> None:
    """Whatever is done to them, the queues of memory and SQLite return the same."""
    with TemporaryDirectory() as folder:
        sqlite = asyncio.run(on_sqlite(Path(folder) / "a.db", steps))
    assert sqlite == asyncio.run(outcomes(MemoryStore(), steps))


async def on_sqlite(path: Path, steps: list[Any]) -> list[object]:
    """The outcomes on a fresh SQLite store."""
    return await outcomes(SqliteStore(path), steps)
