"""Server processes that die and come back, on one disk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from edgewise.import_worker import ImportSettings
from edgewise.ruleset import Ruleset
from edgewise.service import DecisionService
from tests.simulation.disk import READ_ONLY, Disk, Faults, SimulatedStore
from tests.simulation.rules import ENVIRONMENT, ORGANIZATION, Revision

_T = TypeVar("_T")

START_MS = 1_790_000_000_000

IMPORTS = ImportSettings(attempts=10**6, longest_pause_s=5.0, rest_s=20.0)
"""Nothing is given up, since what fails is bound to work in the end."""


class ConnectionLost(Exception):
    """The client will never learn what became of its request."""


class Process:
    """One server process: a service that runs between two crashes.

    Args:
        choose: gives the rules that the process finds when it starts.
        skew_ms: how far its wall clock is ahead.
    """

    def __init__(
        self,
        disk: Disk,
        faults: Faults,
        rng: random.Random,
        choose: Callable[[], Revision],
        skew_ms: int,
    ) -> None:
        self.disk = disk
        self.faults = faults
        self.rng = rng
        self.choose = choose
        self.skew_ms = skew_ms
        self.crashes = 0
        self._running: list[asyncio.Task[Any]] = []
        self._down_until_s = 0.0
        self.service = self._start()

    def now_ms(self) -> int:
        """Return the wall clock of this process."""
        return START_MS + self.skew_ms + int(asyncio.get_running_loop().time() * 1000)

    def change_rules(self) -> None:
        """Serve what is chosen now, without a restart."""
        self.service.rulesets = rulesets_of(self.choose())

    async def call(self, work: Callable[[DecisionService], Coroutine[Any, Any, _T]]) -> _T:
        """Return the answer of a request. Errors: ConnectionLost, and what the service raises."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.002 * self.rng.random())
        if loop.time() < self._down_until_s or self.rng.random() < 0.01:
            raise ConnectionLost
        task = loop.create_task(work(self.service))
        self._running.append(task)
        await asyncio.wait([task])
        if task in self._running:
            self._running.remove(task)
        if task.cancelled():
            raise ConnectionLost
        result = task.result()
        await asyncio.sleep(0.002 * self.rng.random())
        if self.rng.random() < 0.01:
            raise ConnectionLost
        return result

    def crash(self) -> None:
        """End everything that runs, and start again after a while with the rules of then."""
        self.crashes += 1
        for task in self._running:
            task.cancel()
        self._running.clear()
        self._down_until_s = asyncio.get_running_loop().time() + self.rng.random()
        self.service = self._start()

    def _start(self) -> DecisionService:
        store = SimulatedStore(self.disk, self.faults, self.rng, self.crash)
        service = DecisionService(
            rulesets_of(self.choose()),
            store,
            clock=self.now_ms,
            make_id=lambda: f"{self.rng.getrandbits(256):064x}",
            jitter=self.rng,
            retention=None,
            imports=IMPORTS,
        )
        # A request that changes nothing may have been what crashed: what is imported is not its.
        token = READ_ONLY.set(False)
        if service.import_worker:
            self._running.append(service.import_worker.start())
        READ_ONLY.reset(token)
        return service


def rulesets_of(revision: Revision) -> Mapping[tuple[str, str], Ruleset]:
    """Return a revision as a service takes it."""
    return {(ORGANIZATION, ENVIRONMENT): revision.ruleset}
