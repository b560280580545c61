"""Records of recent visitors: taken once, never more than so many, and never believed unproven."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

import msgspec
import pytest

from edgewise.asgi.wire import encode_outcome
from edgewise.errors import NamespaceMismatch
from edgewise.keeping import LARGEST_BYTES, MOST_DECIDED, KeptRecords
from edgewise.model.decision import Decision, DecisionJson
from edgewise.model.log import LogEntry
from edgewise.standing import Standing
from edgewise.stores.memory import MemoryStore
from tests.serving import (
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

HEX_ID = "ab" * 32
RULESET = ruleset_of(performed("buy", 2), environment="main")


def performed_never() -> dict[str, str]:
    """Return a rule that nobody satisfies."""
    return {"has performed event": "never"}


def keep(records: KeptRecords, key: str, value: bytes = b"record", decided: int = 0) -> None:
    """Keep a record with so many audiences."""
    standing = Standing(Decision(["a"] * decided, []), DecisionJson(), 0, 0, 0, decided)
    records.keep(key, value, 1, standing, RULESET)


class CountingStore(MemoryStore):
    """Notes which keys are read, and which writes were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.refused = 0

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Read, and note the key."""
        self.reads.append(key)
        return await super().get(key)

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write, and note a refusal."""
        new = await super().put_if(key, value, version, entries, seen_ms)
        self.refused += new is None
        return new


def test_what_is_taken_is_gone() -> None:
    """A record is handed out once."""
    records = KeptRecords(2)
    keep(records, "a")
    assert records.take("a") is not None
    assert records.take("a") is None


def test_oldest_make_room() -> None:
    """Who was here last stays, and who came again counts anew."""
    records = KeptRecords(2)
    for key in ("a", "b", "a", "c"):
        records.take(key)
        keep(records, key)
    assert [key for key in ("a", "b", "c") if records.take(key)] == ["a", "c"]


@pytest.mark.parametrize(
    ("most", "size_bytes", "stays"),
    [
        pytest.param(1, LARGEST_BYTES, True, id="large"),
        pytest.param(1, LARGEST_BYTES + 1, False, id="too-large"),
        pytest.param(0, 1, False, id="none-kept"),
    ],
)
def test_memory_is_bounded(most: int, size_bytes: int, *, stays: bool) -> None:
    """Neither the number of records nor the size of one is without limit."""
    records = KeptRecords(most)
    keep(records, "a", bytes(size_bytes))
    assert len(records) == stays


@pytest.mark.parametrize(("decided", "stays"), [(MOST_DECIDED, True), (MOST_DECIDED + 1, False)])
def test_large_decisions_are_not_kept(decided: int, *, stays: bool) -> None:
    """A record is kept without what was decided, where that is much."""
    records = KeptRecords(1)
    keep(records, "a", decided=decided)
    found = records.take("a")
    assert found is not None
    assert (found.standing_of(RULESET) is not None) is stays


@pytest.mark.parametrize("name", [HEX_ID, "ada"])
def test_second_update_reads_nothing(name: str) -> None:
    """The record of a visitor who was just here is not read again."""

    async def scenario() -> None:
        store = CountingStore()
        server = Server(RULESET, store=store)
        await server.send(name, track())
        store.reads.clear()
        outcome = await server.send(name, track())
        assert store.reads == []
        assert outcome.decision.audiences == ["buy-2"]

    run(scenario())


@pytest.mark.parametrize("between", ["other process", "batch"])
def test_what_others_wrote_meanwhile_is_not_lost(between: str) -> None:
    """A record that changed behind the back of who keeps it is loaded, and folded into anew."""

    async def scenario() -> None:
        store = CountingStore()
        server, other = Server(RULESET, store=store), Server(RULESET, store=store)
        await server.send(HEX_ID, track(messageId="one"))
        if between == "batch":
            update = update_of(track(messageId="two"))
            await server.service.apply_batch("org", "main", {HEX_ID: update}, preflight=False)
        else:
            await other.send(HEX_ID, track(messageId="two"))
        profile = await server.profile(HEX_ID, track(messageId="three"))
        assert list(profile.counts.values()) == [3]
        assert store.refused == (between != "batch")

    run(scenario())


def test_resend_is_answered_from_the_store() -> None:
    """An event that was counted writes nothing, so nothing would tell that what is kept is old."""

    async def scenario() -> None:
        store = CountingStore()
        server, other = Server(RULESET, store=store), Server(RULESET, store=store)
        await server.send(HEX_ID, track(messageId="one"))
        assert (await other.send(HEX_ID, track())).decision.audiences == ["buy-2"]
        outcome = await server.send(HEX_ID, track(messageId="one"))
        assert outcome.decision.audiences == ["buy-2"]
        assert list(outcome.profile.counts.values()) == [2]

    run(scenario())


def test_outcome_does_not_change_afterwards() -> None:
    """Who looks at a profile later sees what it was, and may change it without harm."""

    async def scenario() -> None:
        server = Server(RULESET)
        first = await server.send(HEX_ID, identify("u", name="Ada"))
        second = await server.send(HEX_ID, track())
        assert first.profile.counts == {}
        second.profile.traits["name"] = "Eve"
        assert (await server.profile(HEX_ID, track())).traits == {"name": "Ada"}

    run(scenario())


def test_answer_is_the_same_whether_it_stands_or_not() -> None:
    """What was written of an answer before is what would be written now."""

    async def scenario() -> None:
        ruleset = ruleset_of(performed("buy", 2), performed("buy", 3), sticky=("e1", "e2"))
        kept_server, plain_server = Server(ruleset), Server(ruleset)
        plain_server.service._kept = KeptRecords(0)
        pages = [event("page", messageId=f"p{number}") for number in range(4)]
        buys = [track(messageId=f"b{number}") for number in range(4)]
        for one in (*pages[:2], *buys, *pages[2:]):
            answers = [
                encode_outcome(await server.send(HEX_ID, one))
                for server in (kept_server, plain_server)
            ]
            assert answers[0] == answers[1]

    run(scenario())


def test_outcome_with_another_decision_is_written_as_such() -> None:
    """What was written of one decision, or of one profile, is not taken for another's."""

    async def scenario() -> None:
        server = Server(RULESET)
        outcome = await server.send(HEX_ID, track())
        mine = msgspec.structs.replace(outcome, decision=Decision(["mine"], []))
        for one, audiences in ((mine, ["mine"]), (outcome, []), (mine, ["mine"])):
            data = msgspec.json.decode(encode_outcome(one))["data"]
            assert data["profile"]["audiences"] == audiences
        answer = encode_outcome(await server.send(HEX_ID, track()))
        assert msgspec.json.decode(answer)["data"]["profile"]["audiences"] == ["buy-2"]
        profile = msgspec.structs.replace(outcome.profile, id="other")
        other = msgspec.structs.replace(outcome, profile=profile)
        assert msgspec.json.decode(encode_outcome(other))["data"]["profile"]["id"] == "other"

    run(scenario())


def test_other_rules_decide_anew() -> None:
    """What was decided by rules that are served no more does not stand, and lets them go."""

    async def scenario() -> None:
        old = ruleset_of(performed("buy", 1))
        server = Server(old)
        await server.send(HEX_ID, track())
        server.serve(ruleset_of(performed("buy", 1), {"id": "all", "none": [performed_never()]}))
        gone = weakref.ref(old)
        del old
        gc.collect()
        assert gone() is None
        outcome = await server.send(HEX_ID, event("page"))
        assert outcome.decision.audiences == ["all", "buy-1"]

    run(scenario())


def test_erased_profile_is_not_kept() -> None:
    """An erasure leaves nothing of a visitor in memory, nor of those who turned out to be it."""

    async def scenario() -> None:
        server = Server(RULESET)
        await server.send(HEX_ID, track())
        await server.send(HEX_ID, identify("ada"))
        await server.send("cd" * 32, identify("ada"))
        assert len(server.service._kept) > 0
        await server.erase("ada")
        assert len(server.service._kept) == 0
        assert (await server.profile(HEX_ID, event("page"))).counts == {}

    run(scenario())


def test_id_of_another_environment_is_refused() -> None:
    """A record that is kept for one environment is none of another's."""

    async def scenario() -> None:
        server = Server(RULESET, ruleset_of(environment="other"))
        await server.send(HEX_ID, track())
        with pytest.raises(NamespaceMismatch):
            await server.send(HEX_ID, track(), environment="other")
        assert list((await server.profile(HEX_ID, track())).counts.values()) == [2]

    run(scenario())


def test_name_leads_to_what_is_kept_of_its_profile() -> None:
    """An update by name and one by id see each other."""

    async def scenario() -> None:
        server = Server(RULESET)
        await server.send("ada", track())
        await server.send(name_key("ada"), track())
        assert list((await server.profile("ada", track())).counts.values()) == [3]

    run(scenario())


def test_what_was_decided_does_not_stand_for_another_profile() -> None:
    """A visitor who turns out to be another one gets what that one gets."""

    async def scenario() -> None:
        server = Server(RULESET)
        await server.send("ada", track())
        await server.send(HEX_ID, track())
        outcome = await server.send(HEX_ID, identify("ada"))
        assert outcome.profile.id == name_key("ada")
        assert outcome.decision.audiences == ["buy-2"]

    run(scenario())
