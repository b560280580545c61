"""One update from load to save: retries, failures, preflights, deduplication, erasure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from edgewise.errors import (
    ConfigNotFound,
    InvalidData,
    NamespaceMismatch,
    ProfileNotFound,
    ProfileOverload,
    ServiceUnavailable,
    StoreBusy,
    StoreError,
)
from edgewise.merging import MOST_JOINED
from edgewise.model.imports import ImportedProfile
from edgewise.model.log import LogEntry
from edgewise.stores.codec import MAX_PROFILE_BYTES, encode_record
from edgewise.stores.memory import MemoryStore
from tests.serving import (
    DAY_MS,
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
    update_of,
)
from tests.simulation.loop import SimulatedLoop

HEX_ID = "ab" * 32


class PatientStore(MemoryStore):
    """Is busy whenever it is written to, after waiting for as long as a store on disk does.

    Shape: `waits` counts the writes.
    """

    def __init__(self, server_clock: list[int]) -> None:
        super().__init__()
        self.clock = server_clock
        self.waits = 0

    async def put_if(self, *args: Any, **kwargs: Any) -> int | None:
        """Wait in vain."""
        self.waits += 1
        self.clock[0] += 2_000
        raise StoreBusy("busy")


class FaultyStore(MemoryStore):
    """Fails its writes as it is told to.

    Args:
        faults: one per write, None for a write that works: "busy" writes nothing and says so,
            "lost" writes and says that it did not, "conflict" lets somebody else write before.
    """

    def __init__(self, *faults: str | None) -> None:
        super().__init__()
        self.faults = list(faults)
        self.always = ""

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write, or fail."""
        fault = self.always or (self.faults.pop(0) if self.faults else None)
        if fault == "busy":
            raise StoreBusy("busy")
        if fault == "conflict":
            await self._write_before(key)
        new = await super().put_if(key, value, version, entries, seen_ms)
        if fault == "lost":
            raise StoreBusy("lost")
        return new

    async def _write_before(self, key: str) -> None:
        found = await self.get(key)
        if found is not None:
            await super().put_if(key, *found)


def logged_keys(entries: list[LogEntry]) -> list[int]:
    return [entry.message_key for entry in entries]


def test_update_is_saved_with_its_log() -> None:
    """What an update answers is what a read finds, and its events are in the log."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy")))
        updated = await server.send(HEX_ID, track("buy"), identify("", plan="pro"))
        assert updated.decision.audiences == ["buy-1"]
        assert await server.read(HEX_ID) == updated
        assert len(await server.store.read_log(HEX_ID)) == 2

    run(scenario())


def test_ids_of_new_profiles() -> None:
    """Without an id one is made, an id is taken as it is, and a name always gets the same one."""

    async def scenario() -> None:
        server = Server()
        made = [(await server.profile(None, track())).id for _ in range(2)]
        assert all(len(one) == 64 and int(one, 16) for one in made)
        assert made[0] != made[1]
        for name, profile_id in ((HEX_ID, HEX_ID), ("device", name_key("device"))):
            profile = await server.profile(name, track())
            assert (profile.id, profile.stable_id) == (profile_id, profile_id)

    run(scenario())


@pytest.mark.parametrize("name", [HEX_ID, "nobody"], ids=["id", "name"])
def test_unknown_profile_is_not_found(name: str) -> None:
    """Reads and erasures of what is not there say so and create nothing."""

    async def scenario() -> None:
        server = Server()
        with pytest.raises(ProfileNotFound):
            await server.read(name)
        with pytest.raises(ProfileNotFound):
            await server.erase(name)
        assert await server.store.expire(NOW_MS * 2, 10) == []

    run(scenario())


def test_unknown_environment() -> None:
    """An environment that is not served is told before anything else."""

    async def scenario() -> None:
        server = Server()
        for coroutine in (
            server.send(HEX_ID, track(), environment="other"),
            server.read(HEX_ID, "other"),
            server.erase(HEX_ID, "other"),
        ):
            with pytest.raises(ConfigNotFound):
                await coroutine

    run(scenario())


def test_environments_share_ids_but_not_names() -> None:
    """An id of another environment is told from an unknown one; a name is another one there."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="stage"))
        await server.send(HEX_ID, track())
        await server.send("device", track())
        for coroutine in (
            server.read(HEX_ID, "stage"),
            server.send(HEX_ID, track(), environment="stage"),
            server.erase(HEX_ID, "stage"),
        ):
            with pytest.raises(NamespaceMismatch):
                await coroutine
        with pytest.raises(ProfileNotFound):
            await server.read("device", "stage")
        staged = (await server.send("device", track(), environment="stage")).profile
        assert staged.id == name_key("device", "stage") != name_key("device")

    run(scenario())


@pytest.mark.parametrize(
    "faults", [["busy"], ["lost"], ["conflict"], ["busy", "conflict", "lost"]], ids="-".join
)
def test_update_is_repeated_until_it_is_saved(faults: list[str]) -> None:
    """A write that failed, or that only seemed to, is repeated, and its events count once."""

    async def scenario() -> None:
        store = FaultyStore(None, *faults)
        server = Server(ruleset_of(performed("buy", 3)), store=store)
        await server.send(HEX_ID, track("buy"))
        updated = await server.send(HEX_ID, track("buy"))
        assert not store.faults
        assert list(updated.profile.counts.values()) == [2]
        assert (await server.read(HEX_ID)).profile == updated.profile

    run(scenario())


@pytest.mark.parametrize("fault", ["busy", "conflict"])
def test_update_gives_up_after_a_while(fault: str) -> None:
    """A store that stays busy, or an opponent who is always faster, ends in a 503 that has changed
    nothing; sending the same again is right."""

    async def scenario() -> None:
        store = FaultyStore()
        server = Server(store=store)
        await server.send(HEX_ID, track())
        before = (await server.read(HEX_ID)).profile
        resent = track("later")
        store.always = fault
        started_s = asyncio.get_running_loop().time()
        with pytest.raises(ServiceUnavailable):
            await server.send(HEX_ID, resent)
        assert 1.9 < asyncio.get_running_loop().time() - started_s < 2.1
        store.always = ""
        assert (await server.read(HEX_ID)).profile == before
        assert len(await store.read_log(HEX_ID)) == 1
        await server.send(HEX_ID, resent)
        assert len(await store.read_log(HEX_ID)) == 2

    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(scenario())


def test_other_errors_are_not_repeated() -> None:
    """A store that is broken and not just busy fails the request at once."""

    async def scenario() -> None:
        server = Server()
        await server.store.close()
        with pytest.raises(StoreError, match="closed"):
            await server.send(HEX_ID, track())

    run(scenario())


def test_updates_of_one_profile_queue_up() -> None:
    """One update runs and 64 wait; one more is refused, and none of the others is lost."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 99)))
        gate = asyncio.Event()
        put_if = server.store.put_if

        async def slow_put_if(*arguments: Any) -> int | None:
            await gate.wait()
            result: int | None = await put_if(*arguments)
            return result

        server.store.put_if = slow_put_if
        tasks = [asyncio.create_task(server.send(HEX_ID, track("buy"))) for _ in range(66)]
        other = asyncio.create_task(server.send("cd" * 32, track("buy")))
        await asyncio.sleep(0.01)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, ProfileOverload) for one in results] == [False] * 65 + [True]
        profile = (await server.read(HEX_ID)).profile
        assert list(profile.counts.values()) == [65]
        assert (await other).profile.id == "cd" * 32

    run(scenario())


def test_new_visitors_do_not_wait_for_each_other() -> None:
    """Requests without an id are about different visitors, and any number may run at once."""

    async def scenario() -> None:
        server = Server()
        outcomes = await asyncio.gather(*(server.send(None, track()) for _ in range(200)))
        assert len({outcome.profile.id for outcome in outcomes}) == 200

    run(scenario())


@pytest.mark.parametrize(
    "first",
    [
        pytest.param({}, id="message-id"),
        pytest.param({"messageId": None}, id="no-message-id"),
        pytest.param({"timestamp": NOW_MS + 10 * MINUTE_MS}, id="clock-ahead"),
        pytest.param(
            {"timestamp": NOW_MS + 10 * MINUTE_MS, "messageId": None}, id="clock-ahead-no-id"
        ),
        pytest.param({"timestamp": None}, id="no-time"),
        pytest.param({"timestamp": NOW_MS - DAY_MS}, id="late"),
        pytest.param({"timestamp": None, "sentAt": NOW_MS}, id="sent-at-only"),
    ],
)
@pytest.mark.parametrize("later_events", [0, 300], ids=["remembered", "forgotten"])
def test_resent_event_counts_once(first: dict[str, Any], later_events: int) -> None:
    """A resend counts once, whatever time the event claims, and even when the record has forgotten
    its message, for then the log has it."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        bought = track("buy", **first)
        await server.send(HEX_ID, bought)
        server.now_ms += 5 * MINUTE_MS
        for _ in range(later_events // 100):
            await server.send(HEX_ID, *(track("look") for _ in range(100)))
        server.now_ms += 10 * MINUTE_MS
        if bought.get("timestamp") is None and "sentAt" in bought:
            bought["sentAt"] = server.now_ms
        outcome = await server.send(HEX_ID, bought)
        assert list(outcome.profile.counts.values()) == [1]
        assert len(await server.store.read_log(HEX_ID)) == 1 + later_events

    run(scenario())


def test_resend_after_a_merge_counts_once() -> None:
    """What the loser of a merge has counted and forgotten is found in its log."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        bought = track("buy")
        await server.send("owner", identify("user"))
        await server.send("device", bought)
        for _ in range(3):
            await server.send("device", *(track("look") for _ in range(100)))
        await server.send("device", identify("user"))
        outcome = await server.send("device", bought)
        assert outcome.profile.id == name_key("owner")
        assert list(outcome.profile.counts.values()) == [1]

    run(scenario())


def test_resent_first_request_without_an_id() -> None:
    """A visitor who is identified in a first request without an id is found again by a resend."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        events = [track("buy", messageId=None), identify("user")]
        first = await server.send(None, *events)
        second = await server.send(None, *events)
        assert second.profile == first.profile
        assert list(second.profile.counts.values()) == [1]

    run(scenario())


def test_resend_alone_writes_nothing() -> None:
    """An update without anything new leaves the record at its version."""

    async def scenario() -> None:
        server = Server()
        bought = track()
        await server.send(HEX_ID, bought)
        before = await server.store.get(HEX_ID)
        server.now_ms += DAY_MS
        await server.send(HEX_ID, bought)
        assert await server.store.get(HEX_ID) == before

    run(scenario())


def test_preflight_answers_and_keeps_nothing() -> None:
    """A preflight answers what the update would, and leaves no trace of events or names."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        await server.send("owner", identify("user", plan="pro"))
        await server.send("device", track("buy"))
        rows = dict(server.store._rows)
        events = (track("buy"), identify("user", colour="red"))
        tried = await server.send("device", *events, preflight=True)
        assert server.store._rows == rows
        assert len([entry async for entry in server.store.scan_log()]) == 2
        assert tried.decision.audiences == ["buy-2"]
        assert tried.profile.traits == {"plan": "pro", "colour": "red"}
        assert await server.send("device", *events) == tried

    run(scenario())


@pytest.mark.parametrize("name", [None, "device", HEX_ID], ids=["none", "name", "id"])
def test_preflight_of_a_new_visitor_shows_the_later_id(name: str | None) -> None:
    """The id that a preflight answers is the one under which the visitor is created later."""

    async def scenario() -> None:
        server = Server()
        tried = (await server.send(name, track(), preflight=True)).profile
        with pytest.raises(ProfileNotFound):
            await server.read(tried.id)
        real = (await server.send(name or tried.id, track())).profile
        assert (real.id, real.stable_id) == (tried.id, tried.stable_id)

    run(scenario())


def view(index: int) -> dict[str, Any]:
    return event("component", componentId="c", experienceId="sticky", variantIndex=index)


def test_first_view_pins_a_variant_but_no_preflight_does() -> None:
    """A view in a preflight pins nothing, not even in its own answer; the first real one does."""

    async def scenario() -> None:
        server = Server(ruleset_of(sticky=("sticky",)))
        (allocated,) = (await server.send(HEX_ID, track())).decision.variants
        others = [index for index in range(3) if index != allocated.variant_index]
        tried = await server.send(HEX_ID, view(others[0]), preflight=True)
        assert tried.decision.variants == [allocated]
        assert tried.profile.assignments == {}
        for index in others:
            await server.send(HEX_ID, view(index))
        (pinned,) = (await server.read(HEX_ID)).decision.variants
        assert pinned.variant_index == others[0]
        # A preflight of somebody whose variant is pinned shows it.
        (shown,) = (await server.send(HEX_ID, track(), preflight=True)).decision.variants
        assert shown == pinned

    run(scenario())


def test_read_changes_nothing() -> None:
    """A read leaves sessions alone and writes nothing, however late it comes."""

    async def scenario() -> None:
        server = Server()
        updated = await server.send(HEX_ID, track())
        rows = dict(server.store._rows)
        server.now_ms += 400 * DAY_MS
        assert (await server.read(HEX_ID)).profile == updated.profile
        assert server.store._rows == rows

    run(scenario())


def test_read_is_repeated_while_the_store_is_busy() -> None:
    """A read survives a moment in which the store is busy, also while it counts from the log."""

    async def scenario() -> None:
        server = Server()
        await server.send(HEX_ID, track("buy"))
        server.serve(ruleset_of(performed("buy")))
        read_log, calls = server.store.read_log, []

        async def busy_once(profile_id: str) -> list[LogEntry]:
            calls.append(profile_id)
            if len(calls) == 1:
                raise StoreBusy("busy")
            entries: list[LogEntry] = await read_log(profile_id)
            return entries

        server.store.read_log = busy_once
        assert (await server.read(HEX_ID)).decision.audiences == ["buy-1"]
        assert calls == [HEX_ID, HEX_ID]

    run(scenario())


def test_cancelled_update_frees_its_lane() -> None:
    """A request that is cancelled while it waits or runs does not hold up the next one."""

    async def scenario() -> None:
        server = Server()
        tasks = [asyncio.create_task(server.send(HEX_ID, track())) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait_for(server.send(HEX_ID, track()), 5)

    run(scenario())


def test_erased_profile_is_gone_by_every_name() -> None:
    """A deletion removes the profile, its names, what it was merged from, and all logs."""

    async def scenario() -> None:
        server = Server()
        await server.send("owner", identify("user", plan="pro"))
        await server.send("device", track())
        old_id = (await server.read("device")).profile.id
        await server.send("device", identify("user"))
        await server.erase("user")
        for name in ("owner", "device", "user", old_id):
            with pytest.raises(ProfileNotFound):
                await server.read(name)
        assert server.store._rows == {}
        assert [entry async for entry in server.store.scan_log()] == []

    run(scenario())


def test_redelivered_event_brings_back_nothing_old() -> None:
    """An old event that comes again after a deletion starts a profile that knows it alone."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 1)))
        old = identify("user", plan="pro")
        await server.send("device", old, track("buy"), identify("", colour="red"))
        await server.erase("device")
        server.serve(ruleset_of(performed("buy", 1), performed("look", 1)))
        outcome = await server.send("device", old)
        assert outcome.profile.traits == {"plan": "pro"}
        assert outcome.profile.session.count == 1
        assert outcome.decision.audiences == []
        assert len(await server.store.read_log(outcome.profile.id)) == 1

    run(scenario())


@pytest.mark.parametrize("lost", [0, 1, 2], ids=["seal", "log", "record"])
def test_erasure_survives_a_lost_acknowledgement(lost: int) -> None:
    """A deletion whose step happened without saying so is completed, and it says that it was."""

    async def scenario() -> None:
        server = Server()
        await server.send(HEX_ID, track())
        steps = ["put_if", "delete_log", "delete"]
        method = getattr(server.store, steps[lost])
        calls = []

        async def lost_once(*arguments: Any) -> Any:
            result = await method(*arguments)
            calls.append(arguments)
            if len(calls) == 1:
                raise StoreBusy("lost")
            return result

        setattr(server.store, steps[lost], lost_once)
        await server.erase(HEX_ID)
        assert calls
        assert await server.store.get(HEX_ID) is None
        assert await server.store.read_log(HEX_ID) == []

    run(scenario())


def test_update_during_an_erasure_starts_anew() -> None:
    """Whoever meets an erasure that was left half-done completes it before it creates a profile."""

    async def scenario() -> None:
        server = Server()
        await server.send(HEX_ID, identify("user", plan="pro"))
        delete_log = server.store.delete_log

        async def die(*arguments: Any) -> int:
            raise asyncio.CancelledError

        server.store.delete_log = die
        with pytest.raises(asyncio.CancelledError):
            await server.erase(HEX_ID)
        server.store.delete_log = delete_log
        outcome = await server.send(HEX_ID, track())
        assert outcome.profile.traits == {}
        assert len(await server.store.read_log(HEX_ID)) == 1
        with pytest.raises(ProfileNotFound):
            await server.read("user")

    run(scenario())


def test_an_unknown_audience_is_told_with_the_one_that_is_meant() -> None:
    """Whoever asks for the reasons of one audience learns which there are that look like it."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy")))
        await server.send("anna", track())
        for asked, told in (("buy1", '"buy1" (did you mean "buy-1"?)'), ("zebra", '"zebra"')):
            with pytest.raises(InvalidData, match="audience: there is no ") as refused:
                await server.service.explain(ORGANIZATION, "main", "anna", asked)
            assert str(refused.value).endswith(told)
        explanation = await server.service.explain(ORGANIZATION, "main", "anna", "buy-1")
        assert [one.holds for one in explanation.audiences] == [True]

    run(scenario())


def test_stop_closes_the_store() -> None:
    """A stopped service has let go of its store."""

    async def scenario() -> None:
        server = Server()
        await server.service.start()
        await server.service.stop()
        with pytest.raises(StoreError):
            await server.store.get("key")

    run(scenario())


def test_stop_closes_the_store_whatever_fails() -> None:
    """The store is let go of where something before it cannot be ended."""

    async def scenario() -> None:
        server = Server()

        async def failing() -> None:
            raise RuntimeError("a fault")

        server.service.enricher.stop = failing  # type: ignore[method-assign]
        await server.service.start()
        with pytest.raises(RuntimeError, match="a fault"):
            await server.service.stop()
        with pytest.raises(StoreError):
            await server.store.get("key")

    run(scenario())


def test_update_without_events_of_its_own() -> None:
    """Of an update the same object is used on each attempt, so nothing in it may change."""

    async def scenario() -> None:
        store = FaultyStore("busy", "busy")
        server = Server(store=store)
        update = update_of(track(), identify("user", plan="pro"))
        raws = list(update.raws)
        await server.service.update(ORGANIZATION, "main", HEX_ID, update, preflight=False)
        assert update.raws == raws

    run(scenario())


def test_an_environment_that_is_not_served_is_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever asks for it, the log names it once with what is served; what is served is not told.

    Events of an import are answered as if nothing was wrong, so that the log alone tells.
    """

    async def scenario() -> None:
        service = Server().service
        imported = ImportedProfile(("a",), (b'{"type": "page"}',))
        await service.enqueue_import(ORGANIZATION, "main", [imported])
        await service.enqueue_import(ORGANIZATION, "mian", [imported])
        for _ in range(3):
            with pytest.raises(ConfigNotFound):
                service.environment_exists(ORGANIZATION, "mian")

    with caplog.at_level(logging.WARNING, "edgewise.service"):
        run(scenario())
    told = [one.getMessage() for one in caplog.records if one.name == "edgewise.service"]
    (message,) = told
    assert message == (
        f"The environment '{ORGANIZATION}/mian' was asked for, and is not served"
        f' (did you mean "{ORGANIZATION}/main"?); served: {ORGANIZATION}/main'
    )


@pytest.mark.parametrize(
    ("environments", "is_started", "warnings"),
    [
        pytest.param(["main", "main"], False, 1, id="waits"),
        pytest.param(["main", "main"], True, 0, id="started"),
        pytest.param(["unknown"], False, 0, id="nothing-kept"),
    ],
)
def test_import_without_a_start(
    environments: list[str], is_started: bool, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that nobody started says once that the imports it accepts wait."""

    async def scenario() -> None:
        service = Server().service
        if is_started:
            await service.start()
        for environment in environments:
            profile = ImportedProfile(("a",), (b'{"type": "page"}',))
            await service.enqueue_import(ORGANIZATION, environment, [profile])
        if is_started:
            await service.stop()

    with caplog.at_level(logging.WARNING, "edgewise.imports"):
        run(scenario())
    assert caplog.text.count("the service was not started") == warnings


def test_a_store_that_has_waited_is_not_asked_again() -> None:
    """Whoever has waited for a lock in vain is told so, before its client gives up."""
    clock = [NOW_MS]
    store = PatientStore(clock)
    server = Server(store=store)
    server.service.clock = lambda: clock[0]
    with pytest.raises(ServiceUnavailable):
        run(server.send("anna", track()))
    assert store.waits == 1


HALF = {"text": "x" * (MAX_PROFILE_BYTES // 2 - 10_000)}


def test_a_profile_has_room_for_so_much() -> None:
    """Events for which a profile has no room are not counted, alone, with a login or in a batch."""

    async def scenario() -> None:
        server = Server()
        await server.send("anna", identify("anna", a=HALF))
        await server.send("anna", identify("anna", b=HALF))
        for refused in (
            server.send("anna", identify("anna", c="x" * 50_000)),
            server.send("anna", identify("z" * 500, c="x" * 50_000)),
            server.service.apply_batch(
                ORGANIZATION,
                "main",
                {"anna": update_of(identify("anna", c="x" * 50_000))},
                preflight=False,
            ),
        ):
            with pytest.raises(InvalidData, match="would exceed 2 MiB"):
                await refused
        assert (await server.profile("anna")).traits.keys() == {"a", "b"}
        await server.send("anna", identify("anna", a=None))
        await server.send("anna", identify("anna", c="x" * 50_000))

    run(scenario())


def test_two_profiles_too_large_for_one_stay_two() -> None:
    """A login that would make one profile of two that are too large is refused."""

    async def scenario() -> None:
        server = Server()
        await server.send("anna", identify("user", a=HALF, b="x" * 20_000))
        await server.send("ben", identify("ben", c=HALF))
        with pytest.raises(InvalidData, match="would exceed 2 MiB"):
            await server.send("ben", identify("user"))
        assert (await server.profile("ben")).traits.keys() == {"c"}
        assert (await server.profile("user")).traits.keys() == {"a", "b"}
        await server.send("ben", track())
        # What both have is there once, so that there is room.
        await server.send("clara", identify("clara", a=HALF))
        await server.send("clara", identify("user"))
        assert (await server.profile("clara")).traits.keys() == {"a", "b"}

    run(scenario())


@pytest.mark.parametrize("theirs", [0, 400])
def test_so_many_profiles_become_one(theirs: int) -> None:
    """A user id by which a whole crowd is identified joins no more of them than a thousand.

    The others stay apart, and what they do counts for themselves.
    """

    async def scenario() -> None:
        server = Server()
        await server.send("anna", identify("user"))
        for name, count in (("user", MOST_JOINED - 2 - theirs), ("ben", theirs)):
            await server.send(name, track())
            profile = await server.profile(name)
            profile.absorbed = [f"{name}-{number}" for number in range(count)]
            _, version = await server.store.get(profile.id)
            await server.store.put_if(profile.id, encode_record(profile), version)
        # With all that it has absorbed, and itself, one more has room.
        await server.send("clara", track())
        await server.send("clara", identify("user"))
        crowd = await server.profile("user")
        assert (await server.profile("clara")).id == crowd.id
        assert 1 + len(crowd.absorbed) == MOST_JOINED - theirs
        await server.send("ben", identify("user", plan="pro"))
        ben = await server.profile("ben")
        assert ben.id != crowd.id
        assert ben.traits == {"plan": "pro"}
        assert (await server.profile("user")).traits == {}

    run(scenario())


def test_names_of_a_profile_are_bounded_too() -> None:
    """However many user ids a visitor without room is identified by, its record stops growing."""

    async def scenario() -> None:
        server = Server()
        await server.send("anna", identify("anna", a=HALF))
        await server.send("anna", identify("anna", b=HALF))
        refused = 0
        for number in range(60):
            try:
                await server.send("anna", identify(f"{number:0500}"))
            except InvalidData:
                refused += 1
        assert refused
        size_bytes = len(encode_record(await server.profile("anna")))
        assert size_bytes < MAX_PROFILE_BYTES + 2_000

    run(scenario())


def test_a_wait_for_ones_turn_is_no_attempt() -> None:
    """An update that others have held up is tried again as long as any other."""

    async def scenario() -> None:
        clock = [NOW_MS]
        server = Server(store=FaultyStore("busy"))
        server.service.clock = lambda: clock[0]
        lane = f"{server.service.rulesets[ORGANIZATION, 'main'].names}/anna"
        assert server.service.lanes.enter_free(lane)
        update = asyncio.create_task(server.send("anna", track()))
        await asyncio.sleep(0.01)
        assert not update.done()
        clock[0] += 1_500
        server.service.lanes.leave(lane)
        await update

    run(scenario())
