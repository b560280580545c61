"""Turns of updates within one process."""

from __future__ import annotations

import asyncio

import pytest

from edgewise.errors import ProfileOverload, ServiceUnavailable
from edgewise.lanes import LONGEST_WAIT_S, MAX_WAITING, Lanes
from edgewise.retries import RETRY_FOR_S
from tests.serving import run


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def take(lanes: Lanes, key: str, name: str, order: list[str]) -> None:
    await lanes.enter(key)
    try:
        order.append(name)
        await asyncio.sleep(0)
        order.append(name)
    finally:
        lanes.leave(key)


def test_turns_come_in_order_and_one_by_one() -> None:
    """Whoever came first goes first, and nobody enters before the one in front has left."""

    async def scenario() -> list[str]:
        lanes, order = Lanes(), list[str]()
        await asyncio.gather(*(take(lanes, "key", name, order) for name in "abcd"))
        return order

    assert run(scenario()) == list("aabbccdd")


def test_lanes_are_independent() -> None:
    """A lane that is held delays no other."""

    async def scenario() -> None:
        lanes = Lanes()
        await lanes.enter("one")
        await asyncio.wait_for(lanes.enter("other"), 1)

    run(scenario())


def test_free_lanes_leave_nothing() -> None:
    """A lane that everybody has left takes no memory."""

    async def scenario() -> Lanes:
        lanes = Lanes()
        await asyncio.gather(*(take(lanes, name, name, []) for name in "aabbcc"))
        return lanes

    assert run(scenario())._waiting == {}


def test_too_many_are_refused() -> None:
    """64 may wait for one that runs; the next is refused, and there is room again after a turn."""

    async def scenario() -> None:
        lanes = Lanes()
        await lanes.enter("key")
        waiting = [asyncio.create_task(lanes.enter("key")) for _ in range(MAX_WAITING)]
        await settle()
        with pytest.raises(ProfileOverload):
            await lanes.enter("key")
        lanes.leave("key")
        await settle()
        assert [task.done() for task in waiting] == [True] + [False] * (MAX_WAITING - 1)
        last = asyncio.create_task(lanes.enter("key"))
        await settle()
        for _ in range(MAX_WAITING):
            lanes.leave("key")
            await settle()
        assert last.done()
        assert await asyncio.gather(*waiting) == [None] * MAX_WAITING

    assert MAX_WAITING == 64
    run(scenario())


def test_cancelled_waiter_makes_room() -> None:
    """Who stops waiting is not counted among those who wait, and gets no turn."""

    async def scenario() -> None:
        lanes = Lanes(max_waiting=1)
        await lanes.enter("key")
        first = asyncio.create_task(lanes.enter("key"))
        await settle()
        first.cancel()
        await settle()
        second = asyncio.create_task(lanes.enter("key"))
        await settle()
        assert not second.done()
        lanes.leave("key")
        await settle()
        assert second.done()

    run(scenario())


async def enter_all(lanes: Lanes, keys: str) -> None:
    async with lanes.hold(keys):
        pass


@pytest.mark.parametrize("cancel_first", [True, False], ids=["before", "after"])
def test_cancelled_in_the_moment_of_its_turn(cancel_first: bool) -> None:
    """Who is cancelled just as its turn comes hands the lane on, whichever happens first."""

    async def scenario() -> None:
        lanes = Lanes()
        await lanes.enter("key")
        tasks = [asyncio.create_task(lanes.enter("key")) for _ in range(2)]
        await settle()
        if cancel_first:
            tasks[0].cancel()
        lanes.leave("key")
        if not cancel_first:
            tasks[0].cancel()
        await settle()
        assert tasks[0].cancelled()
        assert tasks[1].done()
        lanes.leave("key")
        assert lanes._waiting == {}

    run(scenario())


@pytest.mark.parametrize("turns", [1, 2], ids=["alone", "before another"])
def test_cancelled_in_the_moment_of_giving_up(turns: int) -> None:
    """Who is cancelled just as its time is over leaves no lane, which it never had."""

    async def scenario() -> None:
        lanes = Lanes(longest_wait_s=0)
        await lanes.enter("key")
        tasks = [asyncio.create_task(lanes.enter("key", 0 if n == 0 else 60)) for n in range(turns)]
        loop = asyncio.get_running_loop()
        # Behind the end of the time, and before the task hears of it.
        loop.call_soon(lambda: loop.call_later(0, tasks[0].cancel))
        await settle()
        assert tasks[0].cancelled()
        assert not lanes.enter_free("key")
        lanes.leave("key")
        await settle()
        if turns > 1:
            assert tasks[1].done()
            lanes.leave("key")
        assert lanes._waiting == {}

    run(scenario())


def test_a_turn_that_does_not_come() -> None:
    """Who has waited too long gives up and makes room; the lane goes to the next."""

    async def scenario() -> None:
        lanes = Lanes(max_waiting=1, longest_wait_s=0)
        await lanes.enter("key")
        with pytest.raises(ServiceUnavailable):
            await lanes.enter("key")
        lanes.longest_wait_s = 60
        second = asyncio.create_task(lanes.enter("key"))
        await settle()
        lanes.leave("key")
        await settle()
        assert second.done()
        lanes.leave("key")
        assert lanes._waiting == {}

    run(scenario())


def test_several_lanes_share_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first lanes have cost of the time is not left for the others; none stays entered."""

    async def scenario() -> None:
        lanes = Lanes(longest_wait_s=60)
        await lanes.enter("a")
        await lanes.enter("b")
        holding = asyncio.create_task(enter_all(lanes, "ab"))
        await settle()
        # The turn for the first comes when the time for both is over.
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        monkeypatch.setattr(loop, "time", lambda: now_s + 61)
        lanes.leave("a")
        await settle()
        assert holding.done()
        with pytest.raises(ServiceUnavailable):
            await holding
        lanes.leave("b")
        assert lanes._waiting == {}

    run(scenario())


def test_clients_hear_of_it_in_time() -> None:
    """The wait for a turn and the attempts after it end before clients give up."""
    clients_give_up_after_s = 3
    assert clients_give_up_after_s > LONGEST_WAIT_S + RETRY_FOR_S
