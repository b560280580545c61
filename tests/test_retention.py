"""What is removed with time, by whom, and what is never removed."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from edgewise.errors import ProfileNotFound, StoreBusy
from edgewise.model.profiles import Erasure
from edgewise.retention import Retention, RetentionSettings, expire_key
from edgewise.service import DecisionService
from edgewise.stores.memory import MemoryStore
from tests.serving import (
    DAY_MS,
    NOW_MS,
    ORGANIZATION,
    Server,
    identify,
    name_key,
    ruleset_of,
    run,
    track,
    update_of,
)
from tests.simulation.loop import SimulatedLoop

A, B = "a" * 64, "b" * 64


def retention_of(server: Server, **members: Any) -> Retention:
    settings = RetentionSettings(**members)
    return Retention(server.store, lambda: server.service.rulesets, lambda: server.now_ms, settings)


def test_defaults() -> None:
    """By default profiles are kept 400 days, and of the log 30 days and 1,000 lines each."""
    settings = RetentionSettings()
    assert (settings.profile_days, settings.log_days, settings.log_newest) == (400, 30, 1_000)


def test_profile_that_was_not_seen_is_erased_wholly() -> None:
    """A profile that nobody updated for too long goes with its names, its redirects and its log."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        await server.send(B, identify("user"))
        server.now_ms += 400 * DAY_MS
        retention = retention_of(server, log_days=0)
        assert await retention.step() == 0
        server.now_ms += 1
        assert await retention.step() == 1
        assert server.store._rows == {}
        assert [entry async for entry in server.store.scan_log()] == []

    run(scenario())


def test_service_keeps_nothing_of_an_expired_profile() -> None:
    """What a service has in memory of a visitor goes with the record."""

    async def scenario() -> None:
        store = MemoryStore()
        settings = RetentionSettings(profile_days=1, rest_s=0.001)
        server = Server(store=store)
        ruleset = server.ruleset
        names = (ruleset.organization, ruleset.environment)
        service = DecisionService(
            {names: ruleset}, store, clock=lambda: server.now_ms, retention=settings, imports=None
        )
        await service.update(*names, "ab" * 32, update_of(track()), preflight=False)
        assert len(service._kept) == 1
        server.now_ms += 2 * DAY_MS
        await service.start()
        for _ in range(100):
            await asyncio.sleep(0.001)
            if not len(service._kept):
                break
        await service.stop()
        assert len(service._kept) == 0

    run(scenario())


def test_profile_that_was_seen_stays() -> None:
    """An update keeps a profile, a read does not count as one."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        await server.send(B, track())
        server.now_ms += 300 * DAY_MS
        await server.send(A, track(timestamp=server.now_ms))
        await server.read(B)
        server.now_ms += 200 * DAY_MS
        await retention_of(server, log_days=0).step()
        assert (await server.profile(A)).session.count == 2
        with pytest.raises(ProfileNotFound):
            await server.read(B)

    run(scenario())


def test_visitor_who_was_seen_as_the_survivor_stays() -> None:
    """A half-done merge of a profile that was not seen for long is completed, not erased, where
    the other one was seen."""

    async def scenario() -> None:
        server = Server()
        await server.send(B, track())
        loser = await server.living(B)
        loser.profile.merging_into = A
        server.now_ms += 500 * DAY_MS
        await server.send(A, track())
        await server.records.save(loser.profile, loser.version)
        assert await retention_of(server, log_days=0).step() == 0
        assert (await server.profile(B)).id == A
        assert (await server.profile(A)).session.count == 2

    run(scenario())


def test_environment_that_is_not_served_expires_too() -> None:
    """Profiles of rules that are gone do not stay for ever."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        server.service.rulesets = {}
        server.now_ms += 500 * DAY_MS
        assert await retention_of(server, log_days=0).step() == 1
        assert server.store._rows == {}

    run(scenario())


def test_half_done_erasure_is_completed() -> None:
    """What an erasure whose process died has left is removed by the next step, however young."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        found = await server.records.load(A)
        assert found is not None
        erasure = Erasure(ORGANIZATION, "main", [name_key("user")])
        await server.records.save_erasure(A, erasure, found.version)
        assert await retention_of(server, log_days=0).step() == 1
        assert server.store._rows == {}

    run(scenario())


@pytest.mark.parametrize(
    ("members", "left"),
    [
        pytest.param({}, 5, id="all-young"),
        pytest.param({"log_newest": 2}, 2, id="too-many"),
        pytest.param({"log_days": 1}, 2, id="too-old"),
        pytest.param({"log_days": 0}, 5, id="for-ever"),
        pytest.param({"log_newest": 2, "step_size": 1}, 4, id="small-step"),
    ],
)
def test_log_is_trimmed(members: dict[str, Any], left: int) -> None:
    """Lines of the log go by age and by number, not more at once than a step may take."""

    async def scenario() -> None:
        server = Server()
        for _ in range(3):
            await server.send(A, track())
        server.now_ms += 2 * DAY_MS
        for _ in range(2):
            await server.send(A, track())
        await retention_of(server, **members).step()
        assert len(await server.store.read_log(A)) == left
        assert len((await server.profile(A)).message_ids) == 5 * 8

    run(scenario())


def test_profiles_can_be_kept_for_ever() -> None:
    """Zero days of keeping profiles means no end of it."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        server.now_ms += 10_000 * DAY_MS
        await retention_of(server, profile_days=0).step()
        assert (await server.profile(A)).id == A

    run(scenario())


@pytest.mark.parametrize("key", ["nothing", name_key("user")], ids=["nothing", "redirect"])
def test_other_keys_do_not_expire(key: str) -> None:
    """What is gone already, or is no profile, is left alone."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        before = dict(server.store._rows)
        assert not await expire_key(server.records, server.service.rulesets, key, 2 * NOW_MS)
        assert server.store._rows == before

    run(scenario())


def test_task_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """A store that is busy is noted and tried again later; the steps go on until all is done, the
    full ones without a pause since they take no time here, and then rest."""

    async def scenario() -> None:
        server = Server()
        for number in range(5):
            await server.send(f"device-{number}", track())
        server.now_ms += 500 * DAY_MS
        expire, calls = server.store.expire, []

        async def busy_first(before_ms: int, limit: int) -> list[str]:
            calls.append(asyncio.get_running_loop().time())
            if len(calls) == 1:
                raise StoreBusy("busy")
            keys: list[str] = await expire(before_ms, limit)
            return keys

        server.store.expire = busy_first
        retention = retention_of(server, step_size=2, log_days=0, pause_s=1.0, rest_s=100.0)
        retention.start()
        await asyncio.sleep(250)
        await retention.stop()
        assert server.store._rows == {}
        assert calls == pytest.approx([100, 200, 200, 200, 201])

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(scenario())
    assert "tried again later" in caplog.text


def test_stop_ends_the_task() -> None:
    """After a stop nothing is removed any more, and a stop without a start is nothing."""

    async def scenario() -> None:
        server = Server()
        retention = retention_of(server)
        await retention.stop()
        retention.start()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 2
        await retention.stop()
        assert len(asyncio.all_tasks()) == 1

    run(scenario())


def test_what_is_too_much_for_a_step_goes_soon() -> None:
    """A step that found more than it may remove is followed by another without the whole pause."""

    async def scenario() -> None:
        server = Server()
        for _ in range(40):
            await server.send("anna", track())
        server.now_ms += 31 * DAY_MS
        retention = retention_of(server, step_size=10, pause_s=3_600, rest_s=60)
        retention.start()
        await asyncio.sleep(61)
        assert [entry async for entry in server.store.scan_log()] == []
        await retention.stop()

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(scenario())


def test_what_cannot_be_read_keeps_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    """A record that is damaged is told once and stays; all others that are too old are erased."""

    async def scenario() -> None:
        server = Server()
        for name in ("anna", "ben", "clara"):
            await server.send(name, track())
        row = server.store._rows[name_key("anna")]
        server.store._rows[name_key("anna")] = msgspec.structs.replace(row, value=b"damaged")
        server.now_ms += 500 * DAY_MS
        retention = retention_of(server, log_days=0)
        for _ in range(3):
            await retention.step()
        assert list(server.store._rows) == [name_key("anna")]

    run(scenario())
    assert caplog.text.count("cannot be erased: A stored record cannot be read") == 1


def test_many_records_that_cannot_be_read_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a hundred it is clear that something is wrong."""

    async def scenario() -> None:
        server = Server()
        for number in range(110):
            await server.store.put_if(f"{number}", b"damaged", 0, (), NOW_MS)
        server.now_ms += 500 * DAY_MS
        await retention_of(server, log_days=0, step_size=200).step()

    run(scenario())
    assert caplog.text.count("cannot be erased") == 100


def test_a_merge_into_another_environment_keeps_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A profile that leads where it cannot is told and stays; the others are erased."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="other"))
        await server.send(B, track(), environment="other")
        for name in (A, "anna"):
            await server.send(name, track())
        sealed = await server.living(A)
        sealed.profile.merging_into = B
        await server.records.save(sealed.profile, sealed.version)
        server.now_ms += 500 * DAY_MS
        await server.send(B, track(), environment="other")
        await retention_of(server, log_days=0).step()
        assert sorted(server.store._rows) == [A, B]

    run(scenario())
    assert "cannot be erased: The profile belongs to another environment" in caplog.text


def test_a_fault_of_its_own_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever fails is told, and removal goes on; started twice it runs once."""

    async def scenario() -> None:
        server = Server()
        await server.send("anna", track())
        server.now_ms += 500 * DAY_MS
        retention = retention_of(server, log_days=0, rest_s=0.001)
        expire = server.store.expire
        failures = iter([RuntimeError("a fault")])

        async def failing(*arguments: Any) -> Any:
            for failure in failures:
                raise failure
            return await expire(*arguments)

        server.store.expire = failing
        retention.start()
        task = retention._task
        retention.start()
        assert retention._task is task
        for _ in range(1_000):
            await asyncio.sleep(0.001)
            if not server.store._rows:
                break
        await retention.stop()
        assert server.store._rows == {}

    run(scenario())
    assert "RuntimeError: a fault" in caplog.text
