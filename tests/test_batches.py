"""Events of several profiles in one request: one fold and one write each, saved together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from edgewise.errors import ConfigNotFound, NamespaceMismatch, ProfileOverload
from edgewise.grouping import group_events
from edgewise.lanes import MAX_WAITING
from edgewise.model.decision import Outcome
from edgewise.receiving import NEWEST_FIRST_LIBRARY
from edgewise.stores.base import Put
from edgewise.stores.memory import MemoryStore
from tests.serving import (
    MINUTE_MS,
    NOW_MS,
    ORGANIZATION,
    Server,
    identify,
    name_key,
    performed,
    ruleset_of,
    run,
    track,
    update_of,
)

HEX_ID = "ab" * 32


def by(name: str, event: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    return {**(event or track()), "anonymousId": name, **members}


async def batch(
    server: Server, *events: dict[str, Any], environment: str = "main", preflight: bool = False
) -> list[Outcome]:
    groups = group_events(update_of(*events))
    return await server.service.apply_batch(ORGANIZATION, environment, groups, preflight=preflight)


class CountingStore(MemoryStore):
    """Counts its writes, and may let somebody else write before some."""

    def __init__(self, *conflicts: str) -> None:
        super().__init__()
        self.conflicts = list(conflicts)
        self.written: list[list[str]] = []

    async def put_all(self, puts: Sequence[Put]) -> list[int | None]:
        """Write several keys."""
        if self.conflicts:
            found = await self.get(key := self.conflicts.pop(0))
            await self.put_if(key, *(found or (b"", 0)))
        self.written.append([put.key for put in puts])
        return await super().put_all(puts)


def test_profiles_in_order() -> None:
    """The answer has the profiles in the order of first appearance, and they stay."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        outcomes = await batch(server, by("b"), by("a"), by("b"), by(HEX_ID))
        ids = [outcome.profile.id for outcome in outcomes]
        assert ids == [name_key("b"), name_key("a"), HEX_ID]
        assert [outcome.decision.audiences for outcome in outcomes] == [["buy-2"], [], []]
        for name, outcome in zip(("b", "a", HEX_ID), outcomes, strict=True):
            assert await server.read(name) == outcome

    run(scenario())


def test_one_write_for_all() -> None:
    """Profiles that exist or are new are saved in one go, each once, with all of their events."""

    async def scenario() -> None:
        store = CountingStore()
        server = Server(store=store)
        await server.profile("a", track())
        before = (await server.living("a")).version
        await batch(server, *(by(name) for name in "abcabc"))
        assert store.written == [[name_key(name) for name in "abc"]]
        assert (await server.living("a")).version == before + 1
        assert len(await store.read_log(name_key("a"))) == 3

    run(scenario())


def test_same_as_single_updates() -> None:
    """A batch leaves the records that single updates of its profiles leave."""

    async def scenario() -> None:
        events = [
            by("a", identify("user-1", plan="pro")),
            by("b", track("look"), timestamp=NOW_MS - 90 * MINUTE_MS),
            by("a", track("buy"), timestamp=NOW_MS - 5),
            by("b", identify("", plan="free")),
        ]
        rules = ruleset_of(performed("buy"), performed("look", within="2 days"))
        together, apart = Server(rules), Server(rules)
        await batch(together, *events)
        for name in "ab":
            await apart.send(name, *(one for one in events if one["anonymousId"] == name))
        for name in ("a", "b", "user-1"):
            assert await together.profile(name) == await apart.profile(name)

    run(scenario())


def test_resent() -> None:
    """A batch that is sent again counts nothing and writes nothing, and answers the same."""

    async def scenario() -> None:
        store = CountingStore()
        server = Server(ruleset_of(performed("buy", 2)), store=store)
        events = [by("a", identify("user-1")), by("a"), by("b")]
        first = await batch(server, *events)
        assert await batch(server, *events) == first
        assert len(store.written) == 1

    run(scenario())


def test_user_id_merges() -> None:
    """An identify event in a batch joins two profiles as in a single update."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        await server.profile("phone", track())
        owner = await server.profile("laptop", identify("user-1"))
        (outcome,) = await batch(server, by("phone", identify("user-1")), by("phone"))
        assert outcome.profile.id == owner.id
        assert outcome.decision.audiences == ["buy-2"]
        assert (await server.profile("phone")).id == owner.id

    run(scenario())


def test_two_names_of_one_profile() -> None:
    """Names that turn out to be one visitor are answered once, with the events of both."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 3)))
        same = track()
        outcomes = await batch(
            server,
            by("phone", identify("user-1")),
            by("other"),
            by("laptop", identify("user-1")),
            by("laptop", same),
            by("phone"),
            by("phone", same),
            track(userId="user-1"),
        )
        assert len(outcomes) == 2
        merged, other = outcomes
        assert other.profile.id == name_key("other")
        assert merged.decision.audiences == ["buy-3"]
        for name in ("phone", "laptop", "user-1"):
            assert (await server.profile(name)).id == merged.profile.id

    run(scenario())


@pytest.mark.parametrize("names", ["01", "10", "010", "0110", "1001"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_events_of_two_names_at_one_time_fold_in_their_order(
    names: str, newest_first: bool
) -> None:
    """As the events of one name do, whichever order their sender queues them in."""

    async def plan_of(aliases: tuple[str, str]) -> object:
        server = Server()
        await server.profile("phone", identify("user-1"))
        context = {"library": {"name": NEWEST_FIRST_LIBRARY, "version": "1"}}
        own = {"context": context} if newest_first else {}
        events = [
            by(aliases[int(name)], identify("user-1", plan=place), **own)
            for place, name in enumerate(names)
        ]
        (outcome,) = await batch(server, *events)
        return outcome.profile.traits["plan"]

    expected = 0 if newest_first else len(names) - 1
    assert run(plan_of(("phone", "phone"))) == expected
    assert run(plan_of(("phone", "user-1"))) == expected


def test_events_of_two_names_fold_by_time() -> None:
    """The later of two traits wins, whichever of a profile's names it came under."""

    async def scenario() -> None:
        server = Server()
        await server.profile("phone", identify("user-1"))
        (outcome,) = await batch(
            server,
            by("phone", identify("", plan="new"), timestamp=NOW_MS - 1),
            identify("user-1", plan="old") | {"timestamp": NOW_MS - 2},
        )
        assert outcome.profile.traits == {"plan": "new"}

    run(scenario())


def test_conflict_is_tried_again() -> None:
    """Where somebody else writes one profile meanwhile, all are folded anew and counted once."""

    async def scenario() -> None:
        key = name_key("b")
        store = CountingStore(key)
        server = Server(ruleset_of(performed("buy", 2)), store=store)
        await server.profile("b", track())
        outcomes = await batch(server, by("a"), by("b"))
        assert [outcome.decision.audiences for outcome in outcomes] == [[], ["buy-2"]]
        assert len(store.written) == 2
        assert len(await store.read_log(key)) == 2

    run(scenario())


def test_preflight() -> None:
    """A preflight answers as the batch would, and keeps nothing."""

    async def scenario() -> None:
        store = CountingStore()
        server = Server(ruleset_of(performed("buy")), store=store)
        events = [by("a"), by("b", identify("user-1"))]
        shown = await batch(server, *events, preflight=True)
        assert store.written == []
        assert await store.get(name_key("a")) is None
        assert await store.get(name_key("user-1")) is None
        assert await batch(server, *events) == shown

    run(scenario())


def test_refused_as_a_whole() -> None:
    """Where one profile belongs to another environment, nothing of the batch is counted."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="other"))
        await server.send(HEX_ID, track(), environment="other")
        with pytest.raises(NamespaceMismatch):
            await batch(server, by("a"), by(HEX_ID))
        assert await server.store.get(name_key("a")) is None

    run(scenario())


def test_unknown_environment() -> None:
    """A batch for an environment that is not served is refused."""

    async def scenario() -> None:
        with pytest.raises(ConfigNotFound):
            await batch(Server(), by("a"), environment="nowhere")

    run(scenario())


def test_lanes_are_shared_with_updates() -> None:
    """A batch waits for its turn at each profile, and leaves every lane that it has entered."""

    async def scenario() -> None:
        server = Server()
        lanes = server.service.lanes
        lane = f"{ORGANIZATION}/main/b"
        await lanes.enter(lane)
        lanes.max_waiting = 0
        with pytest.raises(ProfileOverload):
            await batch(server, by("a"), by("b"), by("c"))
        lanes.leave(lane)
        lanes.max_waiting = MAX_WAITING
        assert len(await batch(server, by("a"), by("b"), by("c"))) == 3

    run(scenario())
