"""Imports are applied once, in order, and whatever fails is tried again or buried."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from edgewise.errors import ProfileNotFound, StoreBusy
from edgewise.import_worker import ImportSettings, ImportWorker
from edgewise.model.imports import ImportedProfile
from edgewise.stores.base import ServiceStore
from edgewise.stores.import_queue import NewPart, QueueState, TakenPart
from edgewise.stores.memory import MemoryStore
from tests.serving import (
    MINUTE_MS,
    NOW_MS,
    ORGANIZATION,
    Server,
    event,
    identify,
    name_key,
    performed,
    ruleset_of,
    run,
    track,
)
from tests.simulation.loop import SimulatedLoop

HEX_ID = "ab" * 32
SETTINGS = ImportSettings(attempts=3, first_pause_s=1.0, longest_pause_s=60.0, lease_s=10.0)


class Importer:
    """A server with a worker that works when it is told to."""

    def __init__(self, server: Server, settings: ImportSettings = SETTINGS) -> None:
        service = server.service
        self.server = server
        self.queue = server.service.store.queue
        self.worker = ImportWorker(
            service.store,
            lambda: service.rulesets,
            lambda: server.now_ms,
            service.jitter,
            settings,
        )

    async def send(
        self,
        names: str | tuple[str, ...],
        *events: dict[str, Any],
        environment: str = "main",
        merges: bool = False,
    ) -> bool:
        """Queue the events of one profile."""
        raws = tuple(json.dumps(event).encode() for event in events)
        names = (names,) if isinstance(names, str) else names
        return await self.server.service.enqueue_import(
            ORGANIZATION, environment, [ImportedProfile(names, raws, merges)]
        )

    async def drain(self) -> None:
        """Apply everything that is due."""
        while await self.worker.step():
            pass

    async def waiting(self) -> int:
        """Return the number of parts that wait."""
        return (await self.queue.state()).waiting

    async def reasons(self) -> list[str]:
        """Return why each buried part was buried."""
        return [part.reason for part in await self.queue.buried(0, 100)]


def bought(times: int) -> Server:
    return Server(ruleset_of(performed("buy", times)))


def test_import_is_applied() -> None:
    """What is imported is not there at once, and after it is applied a read finds it."""

    async def scenario() -> None:
        importer = Importer(server := bought(2))
        assert await importer.send("a", track(), identify("u", plan="pro"), track())
        with pytest.raises(ProfileNotFound):
            await server.read("a")
        await importer.drain()
        outcome = await server.read("u")
        assert outcome.profile.id == name_key("a")
        assert outcome.profile.traits == {"plan": "pro"}
        assert outcome.decision.audiences == ["buy-2"]
        assert await importer.queue.state() == QueueState(0, 0, 0)

    run(scenario())


def test_same_record_as_a_single_update() -> None:
    """An import leaves the record that an update at its arrival would have left."""

    async def scenario() -> None:
        events = [track(timestamp=NOW_MS - 90 * MINUTE_MS), identify("u", plan="pro"), track()]
        direct, importer = bought(2), Importer(bought(2))
        await direct.send("a", *events)
        await importer.send("a", *events)
        importer.server.now_ms += MINUTE_MS
        await importer.drain()
        assert await importer.server.profile("a") == await direct.profile("a")

    run(scenario())


def test_unknown_environment_is_counted() -> None:
    """An import for an environment that is not served is counted and not queued."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        assert not await importer.send("a", track(), track(), environment="nowhere")
        assert await importer.waiting() == 0
        assert (await server.service.health())["imports"] == {
            "waiting": 0,
            "oldest_age_s": 0,
            "buried": 0,
            "unknown_environment": 2,
        }

    run(scenario())


def test_health_tells_depth_and_age() -> None:
    """Health tells how many parts wait and for how long the oldest of them already."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        server.now_ms += 2_500
        await importer.send("b", track())
        server.now_ms += 1_000
        health: Any = (await server.service.health())["imports"]
        assert (health["waiting"], health["oldest_age_s"]) == (2, 3)

    run(scenario())


def test_delivered_twice() -> None:
    """Of a part that is delivered again after its lease, nothing is counted twice."""

    async def scenario() -> None:
        importer = Importer(server := bought(2))
        await importer.send("a", track())
        (late,) = await importer.queue.take(server.now_ms, 1, 10)
        server.now_ms += 1
        await importer.drain()
        await importer.worker._finish(late)
        assert (await server.read("a")).decision.audiences == []
        assert len(await server.store.read_log(name_key("a"))) == 1

    run(scenario())


def test_a_clock_that_is_put_back() -> None:
    """What a clock that was ahead has queued, or put off, is applied all the same."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        server.now_ms += 3_600_000
        await importer.send("a", track())
        await importer.send("b", track())
        (hold,) = [found.hold for found in await importer.queue.take(server.now_ms, 1_000, 1)]
        assert await importer.queue.postpone(hold, server.now_ms + 1_000)
        server.now_ms -= 3_600_000
        await importer.drain()
        assert (await server.read("a")).decision.audiences == ["buy-1"]
        assert (await server.read("b")).decision.audiences == ["buy-1"]

    run(scenario())


def test_what_another_process_holds_is_not_taken() -> None:
    """A worker that read its clock a moment before the other one took the part leaves it there."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        server.now_ms += 5
        longest_ms = int(max(SETTINGS.lease_s, SETTINGS.longest_pause_s) * 1000)
        assert len(await importer.queue.take(server.now_ms, longest_ms, 10)) == 1
        server.now_ms -= 5
        assert await importer.worker.step() == 0

    run(scenario())


def test_counted_before() -> None:
    """A part whose events are all counted already is acknowledged without a write."""

    async def scenario() -> None:
        importer = Importer(server := bought(2))
        event = track()
        await server.profile("a", event)
        before = await server.living("a")
        await importer.send("a", event)
        await importer.drain()
        assert (await server.living("a")).version == before.version
        assert await importer.waiting() == 0

    run(scenario())


def test_order_of_one_name() -> None:
    """Imports under one name are applied in the order in which they came."""

    async def scenario() -> None:
        importer = Importer(Server(ruleset_of(performed("buy"))))
        for plan in ("one", "two", "three"):
            await importer.send("a", identify("", plan=plan))
        assert await importer.worker.step() == 1
        assert (await importer.server.profile("a")).traits == {"plan": "one"}
        await importer.drain()
        assert (await importer.server.profile("a")).traits == {"plan": "three"}

    run(scenario())


def test_no_profile_waits_for_another() -> None:
    """A part that fails holds up only what came under the same name."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        rulesets, server.service.rulesets = server.service.rulesets, {}
        await importer.drain()
        server.service.rulesets = rulesets
        await importer.send("a", track())
        await importer.send("b", track())
        await importer.drain()
        assert (await server.read("b")).decision.audiences == ["buy-1"]
        assert await importer.waiting() == 2

    run(scenario())


def test_back_off_and_burial() -> None:
    """What fails comes again after ever longer pauses, and in the end is buried with the reason."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        server.service.rulesets = {}
        for longest_pause_ms in (1_000, 2_000):
            assert await importer.worker.step() == 1
            assert await importer.worker.step() == 0
            server.now_ms += longest_pause_ms // 2 - 1
            assert await importer.worker.step() == 0
            server.now_ms += longest_pause_ms // 2 + 1
        assert await importer.worker.step() == 1
        assert await importer.waiting() == 0
        assert await importer.reasons() == ["ConfigNotFound: org/main is not served."]

    run(scenario())


def test_revived() -> None:
    """A buried part that is revived is applied as if it had just come."""

    async def scenario() -> None:
        importer = Importer(server := bought(1), ImportSettings(attempts=1))
        await importer.send("a", track())
        rulesets, server.service.rulesets = server.service.rulesets, {}
        await importer.drain()
        (part,) = await importer.queue.buried(0, 10)
        server.service.rulesets = rulesets
        await importer.queue.revive(part.id, server.now_ms)
        await importer.drain()
        assert (await server.read("a")).decision.audiences == ["buy-1"]

    run(scenario())


def test_hopeless(caplog: pytest.LogCaptureFixture) -> None:
    """A part that can never be applied is buried at its first failure; one in a while is told."""

    async def scenario() -> None:
        rules = ruleset_of(performed("buy"))
        other = ruleset_of(performed("buy"), environment="other")
        importer = Importer(server := Server(rules, other))
        await server.send(HEX_ID, track(), environment="other")
        await importer.send(HEX_ID, track())
        await importer.queue.enqueue([NewPart("broken", b"\xc1", 1)])
        await importer.drain()
        one, other_reason = sorted(await importer.reasons())
        assert one.startswith("NamespaceMismatch: ")
        assert other_reason.startswith("StoreCorrupt: ")

    run(scenario())
    assert (
        caplog.text.count("A part of an import was buried, as `edgewise imports list` shows") == 1
    )


def test_processes_that_die() -> None:
    """A part during which the process died in each attempt is buried and not tried again."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        for _ in range(SETTINGS.attempts):
            await importer.queue.take(server.now_ms, 1, 10)
            server.now_ms += 1
        await importer.drain()
        assert await importer.reasons() == ["The process ended in each attempt."]

    run(scenario())


def test_unexpected_error(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of the engine's own is logged, and the part comes again."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        rulesets = server.service.rulesets
        server.service.rulesets = {(ORGANIZATION, "main"): 1}  # type: ignore[dict-item]
        with caplog.at_level(logging.ERROR, "edgewise.imports"):
            await importer.drain()
        assert "A part of an import failed." in caplog.text
        server.service.rulesets = rulesets
        server.now_ms += MINUTE_MS
        await importer.drain()
        assert (await server.read("a")).decision.audiences == ["buy-1"]

    run(scenario())


def test_conflict_is_tried_again() -> None:
    """An update that gets in between does not cost the part an attempt."""

    class Contended(MemoryStore):
        contended = True

        async def get(self, key: str) -> tuple[bytes, int] | None:
            found = await super().get(key)
            if self.contended and found:
                self.contended = False
                await self.put_if(key, *found)
            return found

    async def scenario() -> None:
        store = Contended()
        importer = Importer(server := Server(ruleset_of(performed("buy", 2)), store=store))
        store.contended = False
        await server.profile("a", track())
        await importer.send("a", track())
        store.contended = True
        assert await importer.worker.step() == 1
        assert not store.contended
        assert (await server.read("a")).decision.audiences == ["buy-2"]

    run(scenario())


def test_erased_while_queued() -> None:
    """An erasure removes what is queued for any of the profile's names; nothing of it returns."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await server.profile("a", identify("u"), track())
        for name in ("a", "u", name_key("a"), "b"):
            await importer.send(name, track())
        await importer.send("c", identify("u"))
        await server.erase("u")
        assert await importer.waiting() == 1
        await importer.drain()
        assert (await server.read("b")).decision.audiences == ["buy-1"]
        for name in ("a", "u", name_key("a"), "c"):
            with pytest.raises(ProfileNotFound):
                await server.read(name)

    run(scenario())


def test_erased_before_it_was_applied() -> None:
    """A name for which something is only queued yet can be erased."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send("a", track())
        await server.erase("a")
        assert await importer.waiting() == 0
        with pytest.raises(ProfileNotFound):
            await server.erase("a")

    run(scenario())


@pytest.mark.parametrize("events", [[track()], [identify("u"), track()]], ids=["plain", "claiming"])
def test_erased_while_in_hand(events: list[dict[str, Any]]) -> None:
    """What a worker already has in hand when the profile is erased leaves no trace."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await server.profile("a", identify("u"))
        await importer.send("a", *events)
        (part,) = await importer.queue.take(server.now_ms, 1_000, 10)
        await server.erase("a")
        await importer.worker._finish(part)
        assert await server.store.get(name_key("a")) is None
        assert await server.store.get(name_key("u")) is None

    run(scenario())


def test_imported_after_an_erasure() -> None:
    """What comes after an erasure is kept, also where another process completes the erasure."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await server.profile("a", track())
        await server.erase("a")
        server.now_ms += 1
        await importer.send("a", track())
        await importer.drain()
        assert (await server.read("a")).decision.audiences == ["buy-1"]

    run(scenario())


def test_further_names_lead_to_one_profile() -> None:
    """All names of an imported profile lead to it from then on."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.send(("one", "two", HEX_ID), track())
        await importer.drain()
        for name in ("one", "two", HEX_ID):
            assert (await server.profile(name)).id == name_key("one")

    run(scenario())


def test_first_known_name_says_which() -> None:
    """Of several names the first that leads to a profile says which one is meant."""

    async def scenario() -> None:
        importer = Importer(server := bought(2))
        known = await server.profile("two", track())
        await importer.send(("one", "two"), track())
        await importer.drain()
        for name in ("one", "two"):
            assert (await server.profile(name)).id == known.id
        assert (await server.read("two")).decision.audiences == ["buy-2"]

    run(scenario())


@pytest.mark.parametrize("merges", [False, True], ids=["apart", "merged"])
def test_further_name_of_another_profile(merges: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A further name that another profile has stays there, unless the import says to merge."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await server.profile("one", track())
        await server.profile("two", track())
        await importer.send(("one", "two"), track(), merges=merges)
        await importer.drain()
        ids = {(await server.profile(name)).id for name in ("one", "two")}
        assert len(ids) == (1 if merges else 2)
        told = [[name_key("two"), name_key("one")]] if merges else None
        last = (await server.store.read_log(name_key("one")))[-1]
        assert json.loads(last.event).get("$joined") == told
        assert ("belongs to another profile" in caplog.text) is not merges

    run(scenario())


def test_a_further_name_of_a_crowd_takes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no more profiles become one, the import is still for the profile of its best name."""
    monkeypatch.setattr("edgewise.identity.MOST_JOINED", 1)

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await server.profile("one", event("page"))
        await server.profile("two", event("page"))
        await importer.send(("one", "two"), track(), merges=True)
        await importer.drain()
        assert (await server.read("one")).decision.audiences == ["buy-1"]
        assert (await server.read("two")).decision.audiences == []

    run(scenario())
    assert "belongs to another profile" in caplog.text


class FailingQueueStore(MemoryStore):
    """Its queue cannot be read as often as it is told."""

    def __init__(self, failures: int, error: Exception) -> None:
        super().__init__()
        self.failures = failures
        self.taken = asyncio.Event()
        take = self.queue.take

        async def failing(*arguments: int) -> Sequence[TakenPart]:
            if self.failures:
                self.failures -= 1
                raise error
            found = await take(*arguments)
            if not found:
                self.taken.set()
            return found

        self.queue.take = failing  # type: ignore[method-assign, assignment]


async def until_applied(server: Server, name: str) -> None:
    """Return once a profile is there."""
    while True:
        try:
            await server.read(name)
        except ProfileNotFound:
            await asyncio.sleep(0.001)
        else:
            return


@pytest.mark.parametrize(
    ("failures", "error"),
    [
        pytest.param(0, None, id="works"),
        pytest.param(2, StoreBusy("busy"), id="busy-at-first"),
        pytest.param(2, RuntimeError("a fault"), id="fails-at-first"),
    ],
)
def test_running_service_applies_imports(failures: int, error: Exception) -> None:
    """A service that runs applies what is imported by itself, also after its queue has failed."""

    async def scenario() -> None:
        store: ServiceStore = FailingQueueStore(failures, error)
        server = Server(ruleset_of(performed("buy")), store=store)
        importer = Importer(server)
        await importer.send("before", track())
        await server.service.start()
        await until_applied(server, "before")
        await importer.send("later", track())
        await until_applied(server, "later")
        await server.service.stop()

    run(scenario())


def test_a_queue_that_cannot_be_read_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is tried and whatever is queued meanwhile, and it is tried less often."""

    async def scenario() -> None:
        store = FailingQueueStore(1_000, RuntimeError("a fault"))
        server = Server(bought(1).ruleset, store=store)
        await server.service.start()
        worker = server.service.import_worker
        assert worker is not None
        for _ in range(20):
            worker.notice()
            await asyncio.sleep(0.01)
        assert 1_000 - store.failures <= 2
        # What is buried meanwhile is told all the same.
        await store.queue.enqueue([NewPart("broken", b"\xc1", 1)])
        store.failures = 0
        async with asyncio.timeout(10):
            await store.taken.wait()
        await server.service.stop()

    run(scenario())
    assert caplog.text.count("The import queue cannot be read") == 1
    assert caplog.text.count("A part of an import was buried") == 1


def test_a_queue_that_cannot_be_read_is_tried_less_and_less() -> None:
    """Each pause is twice as long as the one before, up to the longest."""

    async def scenario() -> list[float]:
        store = FailingQueueStore(1_000, RuntimeError("a fault"))
        server = Server(bought(1).ruleset, store=store)
        worker = server.service.import_worker
        assert worker is not None
        loop = asyncio.get_running_loop()
        times: list[float] = []
        step = worker.step

        async def noted() -> int:
            times.append(loop.time())
            return await step()

        worker.step = noted  # type: ignore[method-assign]
        worker.start()
        await asyncio.sleep(200)
        await worker.stop()
        return [round(later - one, 3) for one, later in pairwise(times)]

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        pauses = runner.run(scenario())
    assert pauses[:9] == [0.25, 0.5, 1, 2, 4, 8, 16, 32, 60]


def test_stopping_after_its_task_was_cancelled() -> None:
    """What ended the task is no business of whoever stops the worker, however often."""

    async def scenario() -> None:
        importer = Importer(bought(1))
        task = importer.worker.start()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        for _ in range(2):
            await importer.worker.stop()

    run(scenario())


def test_a_stop_that_is_cancelled_ends_the_worker() -> None:
    """Whoever has no time to wait for what is under way leaves nothing behind."""

    async def scenario() -> None:
        importer = Importer(bought(1))
        task = importer.worker.start()
        held = asyncio.Event()

        async def step() -> int:
            held.set()
            await asyncio.sleep(60)
            return 0

        importer.worker.step = step  # type: ignore[method-assign]
        await held.wait()
        stopping = asyncio.create_task(importer.worker.stop())
        await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait({stopping, task}, timeout=5)
        assert stopping.cancelled()
        assert task.cancelled()

    run(scenario())


def test_starting_twice_and_stopping() -> None:
    """A worker that is started twice runs once, and one that never ran can be stopped."""

    async def scenario() -> None:
        importer = Importer(server := bought(1))
        await importer.worker.stop()
        importer.worker.start()
        task = importer.worker._task
        importer.worker.start()
        assert importer.worker._task is task
        await importer.worker.stop()
        await importer.send("a", track())
        importer.worker.start()
        await until_applied(server, "a")
        await importer.worker.stop()

    run(scenario())


def test_what_a_profile_has_no_room_for_is_buried() -> None:
    """An import that would make a profile too large is buried, and the profile is as before."""

    async def scenario() -> None:
        importer = Importer(Server())
        for name in ("a", "b", "c"):
            await importer.send("anna", identify("anna", **{name: "x" * 900_000}))
        await importer.drain()
        assert (await importer.server.profile("anna")).traits.keys() == {"a", "b"}
        (reason,) = await importer.reasons()
        assert "would exceed 2 MiB" in reason

    run(scenario())
