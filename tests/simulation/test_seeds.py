"""The service keeps its promises whatever fails underneath it: many short simulated lives.

`make simulate-faults SEEDS=10000` runs as many as you like.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.simulation.loop import SimulatedLoop
from tests.simulation.run import run_seed

SEEDS = 200
AT_ONCE = 20


@pytest.mark.parametrize("first", range(1, SEEDS + 1, AT_ONCE))
def test_promises_hold(first: int) -> None:
    """Every event is counted once, every id means one visitor, every record is what a replay of
    its log makes it, however processes, writes and acknowledgements get lost."""
    for seed in range(first, first + AT_ONCE):
        run_seed(seed)


def test_seeds_make_something_happen() -> None:
    """Seeds are lives with events and crashes, and not all of them alike."""
    summaries = [run_seed(seed) for seed in range(1, 11)]
    assert sum(summary.events for summary in summaries) > 500
    assert sum(summary.crashes for summary in summaries) > 2
    assert len({summary.digest for summary in summaries}) == len(summaries)


@pytest.mark.parametrize("seed", [3, 12, 44])
def test_a_seed_is_one_run(seed: int) -> None:
    """The same seed ends with the same bytes, so that what was found can be looked at again."""
    assert run_seed(seed) == run_seed(seed)


def test_simulated_time_does_not_pass() -> None:
    """A loop whose tasks only wait is done at once, in the order of what they wait for."""

    async def wait(seconds: float, ended: list[float]) -> None:
        await asyncio.sleep(seconds)
        ended.append(asyncio.get_running_loop().time())

    async def scenario() -> list[float]:
        ended: list[float] = []
        await asyncio.gather(*(wait(seconds, ended) for seconds in (86_400.0, 1.0, 0.5)))
        return ended

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        assert runner.run(scenario()) == pytest.approx([0.5, 1.0, 86_400.0])


def test_deadlock_is_an_error() -> None:
    """Tasks that wait for each other for ever do not hang the tests."""

    async def scenario() -> None:
        await asyncio.get_running_loop().create_future()

    loop = SimulatedLoop()
    with pytest.raises(RuntimeError, match="waits for another"):
        loop.run_until_complete(scenario())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
