"""What every store's import queue does alike; each test runs on each of them."""

from __future__ import annotations

import pytest

from edgewise.model.log import LogEntry
from edgewise.stores.base import Put, ServiceStore
from edgewise.stores.import_queue import BuriedPart, Hold, NewPart, QueueState, TakenPart
from tests.stores.openers import Run

LEASE_MS = 1_000


def part(lane: str, data: str, queued_ms: int = 10, *further_keys: str) -> NewPart:
    return NewPart(lane, data.encode(), queued_ms, further_keys)


def entry(message_key: int) -> LogEntry:
    return LogEntry("org/main", "p", message_key, 5, 7, b"{}")


async def take(store: ServiceStore, now_ms: int = 100, limit: int = 10) -> list[TakenPart]:
    return await store.queue.take(now_ms, LEASE_MS, limit)


async def taken_data(store: ServiceStore, now_ms: int = 100, limit: int = 10) -> list[str]:
    return [found.data.decode() for found in await take(store, now_ms, limit)]


async def take_one(store: ServiceStore, now_ms: int = 100) -> Hold:
    (found,) = await take(store, now_ms)
    return found.hold


def test_part_comes_back(run: Run) -> None:
    """A queued part is handed out as it is, in its first attempt."""

    async def scenario(store: ServiceStore) -> None:
        await store.queue.enqueue([part("a", "\N{SNOWMAN}", 10)])
        (found,) = await take(store)
        assert (found.data, found.queued_ms) == ("\N{SNOWMAN}".encode(), 10)
        assert found.hold.attempt == 1

    run(scenario)


def test_empty_queue(run: Run) -> None:
    """Nothing is handed out of a queue without parts, and enqueueing nothing adds none."""

    async def scenario(store: ServiceStore) -> None:
        await store.queue.enqueue([])
        assert await take(store) == []
        assert await store.queue.state() == QueueState(0, 0, 0)

    run(scenario)


def test_lanes_are_independent_and_in_order(run: Run) -> None:
    """Of each lane the first part is handed out, and the next when it is gone."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1"), part("b", "b1"), part("a", "a2")])
        await queue.enqueue([part("a", "a3")])
        first, other = await take(store)
        assert (first.data, other.data) == (b"a1", b"b1")
        assert await take(store) == []
        assert await queue.acknowledge(first.hold)
        (second,) = await take(store)
        assert second.data == b"a2"
        assert await queue.acknowledge(second.hold)
        assert await taken_data(store) == ["a3"]

    run(scenario)


def test_oldest_first_and_limited(run: Run) -> None:
    """A limited number is handed out, those that were queued first."""

    async def scenario(store: ServiceStore) -> None:
        await store.queue.enqueue([part("b", "b", 20), part("a", "a", 10), part("c", "c", 30)])
        assert await taken_data(store, limit=2) == ["a", "b"]
        assert await taken_data(store, limit=2) == ["c"]

    run(scenario)


def test_lease(run: Run) -> None:
    """A part is handed out again when its lease ends, and not before."""

    async def scenario(store: ServiceStore) -> None:
        await store.queue.enqueue([part("a", "a")])
        first = await take_one(store, now_ms=100)
        assert await take(store, now_ms=100 + LEASE_MS - 1) == []
        second = await take_one(store, now_ms=100 + LEASE_MS)
        assert (second.part_id, second.attempt) == (first.part_id, 2)

    run(scenario)


def test_whoever_lost_the_hold_does_nothing(run: Run) -> None:
    """Once a part was handed out again, the one who held it before can do nothing in its name."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a")])
        late = await take_one(store, now_ms=100)
        held = await take_one(store, now_ms=100 + LEASE_MS)
        assert (await queue.is_held(late), await queue.is_held(held)) == (False, True)
        assert await queue.put_held(late, "p", b"late", 0, [entry(1)]) is None
        assert not await queue.acknowledge(late)
        assert not await queue.postpone(late, 1)
        assert not await queue.bury(late, "late")
        assert await store.get("p") is None
        assert await store.read_log("p") == []
        assert await queue.is_held(held)

    run(scenario)


def test_write_and_acknowledgement(run: Run) -> None:
    """The last write of a part writes record and log as any other does, and removes the part."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1"), part("a", "a2")])
        hold = await take_one(store)
        version = await queue.put_held(hold, "p", b"one", 0, [entry(1)])
        assert version is not None
        assert await queue.is_held(hold)
        last = await queue.put_held(hold, "p", b"two", version, [entry(1), entry(2)], last=True)
        assert await store.get("p") == (b"two", last)
        assert [found.message_key for found in await store.read_log("p")] == [1, 2]
        assert not await queue.is_held(hold)
        assert await taken_data(store) == ["a2"]

    run(scenario)


def test_conflict_keeps_the_part(run: Run) -> None:
    """A write that meets another version writes nothing, and the part stays held."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        version = await store.put_if("p", b"mine", 0)
        await queue.enqueue([part("a", "a")])
        hold = await take_one(store)
        assert await queue.put_held(hold, "p", b"theirs", 0, [entry(1)], last=True) is None
        assert await store.get("p") == (b"mine", version)
        assert await store.read_log("p") == []
        assert await queue.is_held(hold)

    run(scenario)


def test_a_time_that_is_too_late_is_none(run: Run) -> None:
    """Parts whose times a clock has set that was put back since come after those that are due."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "ahead", 10_000), part("b", "ahead too", 10_001)])
        await queue.enqueue([part("c", "due", 100), part("d", "soon", 200)])
        assert await queue.take(99, LEASE_MS, 10, 10_001) == []
        first = await queue.take(100, LEASE_MS, 1, 9_999)
        others = await queue.take(100, LEASE_MS, 10, 9_999)
        assert [found.data for found in first + others] == [b"due", b"ahead", b"ahead too"]
        # They are taken now, with times as others have them.
        assert await queue.take(100, LEASE_MS, 10, 9_999) == []
        # A latest time that has passed makes nothing be handed out twice.
        again = await queue.take(1_000_000, LEASE_MS, 10, 50)
        assert sorted(found.data for found in again) == [b"ahead", b"ahead too", b"due", b"soon"]

    run(scenario)


def test_postponed(run: Run) -> None:
    """A part that is given back comes at its time, and what is behind it waits for it."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1"), part("a", "a2")])
        assert await queue.postpone(await take_one(store), 5_000)
        assert await take(store, now_ms=4_999) == []
        (again,) = await take(store, now_ms=5_000)
        assert (again.data, again.hold.attempt) == (b"a1", 2)

    run(scenario)


def test_buried(run: Run) -> None:
    """A buried part is listed with its reason and never handed out; its lane goes on."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1"), part("a", "a2")])
        hold = await take_one(store)
        assert await queue.bury(hold, "no such place")
        assert not await queue.is_held(hold)
        assert await queue.buried(0, 10) == [
            BuriedPart(hold.part_id, 1, 10, "no such place", b"a1")
        ]
        assert await taken_data(store, now_ms=10**9) == ["a2"]
        assert await queue.state() == QueueState(1, 1, 10)

    run(scenario)


def test_buried_pages(run: Run) -> None:
    """Buried parts are listed in pages, by ascending id."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part(f"lane {number}", str(number)) for number in range(5)])
        for found in await take(store):
            await queue.bury(found.hold, "why")
        first = await queue.buried(0, 3)
        rest = await queue.buried(first[-1].id, 3)
        assert [found.data for found in (*first, *rest)] == [b"0", b"1", b"2", b"3", b"4"]

    run(scenario)


def test_revived(run: Run) -> None:
    """A buried part that is revived goes to the end of its lane, with all attempts before it."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1", 10, "k"), part("a", "a2")])
        hold = await take_one(store)
        await queue.bury(hold, "why")
        assert await queue.revive(hold.part_id, 50)
        assert not await queue.revive(hold.part_id, 50)
        await queue.acknowledge(await take_one(store))
        (again,) = await take(store)
        assert (again.data, again.queued_ms, again.hold.attempt) == (b"a1", 50, 1)
        assert again.hold.part_id != hold.part_id
        assert await store.forget_queued(["k"], 50) == 1

    run(scenario)


def test_dropped(run: Run) -> None:
    """A buried part can be removed for good, a waiting one cannot."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a"), part("b", "b")])
        buried, waiting = await take(store)
        await queue.bury(buried.hold, "why")
        assert await queue.drop(buried.hold.part_id)
        assert not await queue.drop(buried.hold.part_id)
        assert not await queue.drop(waiting.hold.part_id)
        assert not await queue.revive(waiting.hold.part_id, 50)
        assert await queue.state() == QueueState(1, 0, 10)

    run(scenario)


def test_state_with_buried_parts_in_front(run: Run) -> None:
    """The oldest that waits is told where older ones are buried, and younger ones wait too."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a", 20), part("b", "b", 30), part("c", "c", 40)])
        first, *_ = await take(store)
        assert await queue.bury(first.hold, "broken")
        assert await queue.state() == QueueState(2, 1, 30)

    run(scenario)


def test_state(run: Run) -> None:
    """The state counts what waits, leased parts included, and tells the age of the oldest."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1", 20), part("a", "a2", 30), part("b", "b", 40)])
        assert await queue.state() == QueueState(3, 0, 20)
        first, _ = await take(store)
        assert await queue.state() == QueueState(3, 0, 20)
        await queue.acknowledge(first.hold)
        assert await queue.state() == QueueState(2, 0, 30)

    run(scenario)


@pytest.mark.parametrize(
    ("keys", "until_ms", "left"),
    [
        pytest.param(["a"], 30, ["b1"], id="lane"),
        pytest.param(["k"], 30, ["a2"], id="further-key"),
        pytest.param(["k", "a"], 30, [], id="both"),
        pytest.param([], 30, ["a1", "b1"], id="none"),
        pytest.param(["a"], 10, ["a2", "b1"], id="only-until-then"),
        pytest.param(["k"], 9, ["a1", "b1"], id="too-early"),
        pytest.param(["nobody"], 30, ["a1", "b1"], id="unknown"),
    ],
)
def test_forgotten(run: Run, keys: list[str], until_ms: int, left: list[str]) -> None:
    """What was queued under a key by a time is removed, and what is behind it moves up."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1", 10, "k"), part("a", "a2", 30)])
        await queue.enqueue([part("b", "b1", 20, "other", "k")])
        await store.forget_queued(keys, until_ms)
        assert sorted(await taken_data(store)) == left

    run(scenario)


def test_forgotten_while_held_or_buried(run: Run) -> None:
    """A part in somebody's hands is removed too, and then nothing is written in its name."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1"), part("a", "a2"), part("b", "b", 10, "a")])
        first, other = await take(store)
        await queue.bury(first.hold, "why")
        assert await store.forget_queued(["a", "unknown"], 100) == 3
        assert await queue.put_held(other.hold, "p", b"x", 0, last=True) is None
        assert await store.get("p") is None
        assert await queue.state() == QueueState(0, 0, 0)

    run(scenario)


def test_no_id_comes_back(run: Run) -> None:
    """A part that is queued after all others are gone has an id of its own."""

    async def scenario(store: ServiceStore) -> None:
        queue = store.queue
        await queue.enqueue([part("a", "a1")])
        old = await take_one(store)
        await queue.acknowledge(old)
        await queue.enqueue([part("a", "a2")])
        new = await take_one(store)
        assert new.part_id > old.part_id
        assert not await queue.is_held(old)

    run(scenario)


def test_several_writes(run: Run) -> None:
    """Several keys are written with their logs, each at a version of its own."""

    async def scenario(store: ServiceStore) -> None:
        old = await store.put_if("old", b"1", 0)
        assert old is not None
        versions = await store.put_all(
            [Put("old", b"2", old, [entry(1)]), Put("new", b"3", 0, [entry(2)], 77)]
        )
        assert await store.get("old") == (b"2", versions[0])
        assert await store.get("new") == (b"3", versions[1])
        assert [found.message_key for found in await store.read_log("p")] == [1, 2]
        assert await store.expire(78, 10) == ["new"]

    run(scenario)


def test_several_writes_or_none(run: Run) -> None:
    """Where one of several keys has another version, none of them is written."""

    async def scenario(store: ServiceStore) -> None:
        await store.put_if("old", b"1", 0)
        puts = [Put("new", b"3", 0, [entry(1)]), Put("old", b"2", 0, [entry(2)])]
        assert await store.put_all(puts) == [None, None]
        assert await store.get("new") is None
        assert await store.read_log("p") == []

    run(scenario)
