"""One run of the simulation: everything that happens in it follows from its seed."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from dataclasses import dataclass

from tests.simulation import checks
from tests.simulation.disk import Disk, Faults
from tests.simulation.loop import SimulatedLoop
from tests.simulation.partners import Partner
from tests.simulation.processes import START_MS, Process
from tests.simulation.reference import Violation
from tests.simulation.rules import Revision, make_revision
from tests.simulation.visitors import Device, Eraser, Shared

REVISIONS = 3
_REVISIONS: dict[int, tuple[Revision, ...]] = {}


@dataclass(frozen=True)
class Summary:
    """What happened in a run, for a person to see that it did something.

    Args:
        digest: the same whenever the same seed runs on the same code.
    """

    writes: int
    crashes: int
    events: int
    profiles: int
    digest: str


def run_seed(seed: int) -> Summary:
    """Run one simulation. Errors: Violation, which names the seed and how to run it again."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        try:
            return runner.run(_World(seed).run())
        except Exception as error:
            command = f"make simulate-faults FROM={seed} SEEDS=1"
            raise Violation(f"seed {seed}: {error!r}; run it again: {command}") from error


class _Failures(logging.Handler):
    """What the background tasks report, since nobody waits for them."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error that a record is about."""
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


class _World:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.disk = Disk()
        # Rules compile slowly, so few sets of them serve all seeds.
        group = seed % 8
        if group not in _REVISIONS:
            rng = random.Random(group)
            _REVISIONS[group] = tuple(make_revision(rng) for _ in range(REVISIONS))
        self.revisions = _REVISIONS[group]

    async def run(self) -> Summary:
        failures = _Failures()
        logger = logging.getLogger("edgewise.imports")
        logger.addHandler(failures)
        logger.propagate = False
        try:
            return await self._live(failures)
        finally:
            logger.removeHandler(failures)
            logger.propagate = True

    async def _live(self, failures: _Failures) -> Summary:
        rng = self.rng
        scale = rng.choice((0.3, 1.0, 3.0, 5.0))
        erasing = rng.random() < 0.4
        # An erasure must not harm what was created anew while one of its steps was on the way.
        slow = 0.1 if erasing else 0.01 * scale
        faults = Faults(busy=0.02 * scale, lost=0.02 * scale, crash=0.01 * scale, slow=slow)
        processes = [
            Process(self.disk, faults, rng, lambda: rng.choice(self.revisions), skew_ms)
            for skew_ms in (0, rng.choice((0, 0, 700)))[: rng.choice((1, 2, 2, 2))]
        ]
        hashed_user_id = f"{rng.getrandbits(256):064x}"
        users = ["user-1", "user-2", hashed_user_id][: rng.randint(1, 3)]
        shared = Shared(rng, processes, users)
        devices = [Device(shared, self._first_name(users)) for _ in range(rng.randint(2, 5))]
        actors = [device.live(rng.randint(8, 20)) for device in devices]
        if erasing:
            actors.append(Eraser(shared, devices).live(rng.randint(1, 5)))
        imported: list[int] = []
        if rng.random() < 0.5:
            actors.append(Partner(shared, devices, imported).live(rng.randint(1, 12)))
        operator = asyncio.create_task(self._change_rules(processes))
        await asyncio.gather(*actors)
        operator.cancel()
        while (await self.disk.queue.state()).waiting:  # noqa: ASYNC110 - the others tell no one
            await asyncio.sleep(1)
        if not erasing:
            # What is queued for a profile is erased with it.
            shared.acknowledged += imported
        if failures.errors:
            raise failures.errors[0]
        await self._check(shared, erasing)
        summary = self._summary(processes)
        await checks.check_erasures(self.disk)
        return summary

    def _first_name(self, users: list[str]) -> str | None:
        rng = self.rng
        return rng.choice((None, None, f"device-{rng.randrange(99)}", rng.choice(users)))

    async def _change_rules(self, processes: list[Process]) -> None:
        while True:
            await asyncio.sleep(2000 * self.rng.random())
            self.rng.choice(processes).change_rules()

    async def _check(self, shared: Shared, erasing: bool) -> None:
        # Whoever was slow may still be writing: nobody waits for them any more.
        await asyncio.sleep(60)
        revision = self.rng.choice(self.revisions)
        await checks.settle(self.disk, revision)
        await checks.check_resolution(self.disk)
        now_ms = START_MS + int(asyncio.get_running_loop().time() * 1000)
        await checks.check_profiles(self.disk, revision, now_ms)
        checks.check_events(self.disk, shared)
        if not erasing:
            checks.check_no_resends_counted(self.disk)
            await checks.check_families(self.disk, shared, revision)
            await checks.check_redirects(self.disk)

    def _summary(self, processes: list[Process]) -> Summary:
        state = repr((sorted(self.disk._rows.items()), sorted(self.disk._log.items())))
        return Summary(
            writes=self.disk.writes,
            crashes=sum(process.crashes for process in processes),
            events=len(self.disk.reference.counted),
            profiles=len(self.disk.reference.profiles),
            digest=hashlib.sha256(state.encode()).hexdigest()[:16],
        )
