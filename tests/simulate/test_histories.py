"""What a service has counted, its log replays: whoever was joined, sent twice or sent at once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.decoding import Update, decode_update
from edgewise.errors import ProfileNotFound
from edgewise.import_worker import ImportSettings, ImportWorker
from edgewise.model.imports import ImportedProfile
from edgewise.model.profiles import Profile
from edgewise.receiving import NEWEST_FIRST_LIBRARY
from edgewise.service import DecisionService
from edgewise.simulate import running
from edgewise.simulate.requests import Record
from edgewise.simulate.result import encode_result
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.store_log import read_store, requests_in
from edgewise.sources.files import load_rules
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore
from tests.simulate.test_replay import PATHS, Rig
from tests.simulate.test_store_log import without_names
from tests.simulate.worlds import (
    DAY_MS,
    MAIN,
    MINUTE_MS,
    NOON_MS,
    SHOP,
    carried,
    records_of,
    write_rules,
)

PLACE = ("shop", "main")
A, B, C = "a" * 64, "b" * 64, "c" * 64
HOUR_MS = 60 * MINUTE_MS
NAMES = ("anna", "ben", "cleo", A, B, "u-2")
USER_IDS = ("u-1", "u-2", "u-3", "anna", A)
REACT = {"library": {"name": NEWEST_FIRST_LIBRARY}}

Known = dict[str, tuple[list[str], Profile]]
"""Living profiles by id, with the audiences of each."""


class History:
    """A live service with a clock that stands still until it is told otherwise."""

    def __init__(self, rules: Path, store: MemoryStore | SqliteStore) -> None:
        self.now_ms = NOON_MS
        self.store = store
        self._serial = 0
        self.service = DecisionService(
            load_rules(rules), store, clock=lambda: self.now_ms, retention=None
        )
        self._worker = ImportWorker(
            store,
            lambda: self.service.rulesets,
            lambda: self.now_ms,
            random.Random(1),
            ImportSettings(),
        )

    def event(self, event: dict[str, Any], shift_ms: int = 0) -> dict[str, Any]:
        """Return an event of now with a message id of its own, unless it has these."""
        self._serial += 1
        own = {"timestamp": self.now_ms + shift_ms, "messageId": f"own-{self._serial}"}
        return {name: value for name, value in (own | event).items() if value is not None}

    async def send(self, name: str, *events: dict[str, Any], preflight: bool = False) -> None:
        """Update a profile."""
        update = self._update(events)
        await self.service.update(*PLACE, name, update, preflight=preflight)

    async def batch(self, groups: dict[str, list[dict[str, Any]]]) -> None:
        """Update several profiles at once."""
        updates = {name: self._update(events) for name, events in groups.items()}
        await self.service.apply_batch(*PLACE, updates, preflight=False)

    async def import_(self, names: Iterable[str], *events: dict[str, Any], merges: bool) -> None:
        """Import the events of one profile."""
        raws = self._update(events).raws
        part = ImportedProfile(tuple(dict.fromkeys(names)), tuple(raws), merges)
        await self.service.enqueue_import(*PLACE, [part])
        while await self._worker.step():
            pass

    async def read(self, names: Iterable[str]) -> Known:
        """Return what there is now under some names."""
        found: Known = {}
        for name in names:
            with suppress(ProfileNotFound):
                one = await self.service.read(*PLACE, name)
                found[one.profile.id] = one.decision.audiences, without_names(one.profile)
        return found

    async def erase(self, name: str) -> None:
        """Erase a profile, if there is one."""
        with suppress(ProfileNotFound):
            await self.service.erase(*PLACE, name)

    def _update(self, events: Iterable[dict[str, Any]]) -> Update:
        return decode_update(json.dumps({"events": [self.event(one) for one in events]}).encode())


def replayed(rules: Path, records: Iterable[Record], now_ms: int) -> Known:
    """Return what there is at a time after the replay of some requests."""
    rig = Rig(rules)
    for record in records:
        rig.apply(record)
    visitors = list(rig.visitors.all_visitors())
    for visitor in visitors:
        rig.replays[MAIN].advance(visitor, now_ms)
    return {one.profile.id: (one.audiences, without_names(one.profile)) for one in visitors}


def page(**members: Any) -> dict[str, Any]:
    return {"type": "page", "context": {"page": {"path": "/news"}}} | members


def identify(user_id: str, **members: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user_id} | members


async def chain(history: History) -> None:
    """One is joined to another, which is joined to a third."""
    for name, user_id in ((B, "m"), (C, "s")):
        await history.send(name, page(), identify(user_id))
    await history.send(A, page())
    history.now_ms += MINUTE_MS
    await history.send(A, identify("m"))
    history.now_ms += MINUTE_MS
    await history.send(B, identify("s"), page())
    await history.send(A, page())


async def chain_at_once(history: History) -> None:
    """One request claims the user ids of two others."""
    for name, user_id in ((B, "m"), (C, "s")):
        await history.send(name, page(), identify(user_id))
    await history.send(A, identify("m"), identify("s"), page())


async def survivor_identifies_again(history: History) -> None:
    """The survivor says who it is once more before the other says it."""
    await history.send(A, page())
    await history.send(B, page(), identify("s"))
    history.now_ms += MINUTE_MS
    await history.send(B, identify("s"))
    await history.send(B, page(), page())
    history.now_ms += MINUTE_MS
    await history.send(A, page(), identify("s"))


async def survivor_gets_a_name(history: History) -> None:
    """The survivor gets a further user id before the other is joined to it."""
    await history.send(B, page(), identify("s"))
    await history.send(A, page())
    history.now_ms += MINUTE_MS
    await history.send(B, identify("t"))
    await history.send(B, page(), page())
    history.now_ms += MINUTE_MS
    await history.send(A, page(), identify("t"))


async def nothing_new(history: History) -> None:
    """What joins two is known already, so that the log holds nothing of that request."""
    said = identify("s", messageId="known", timestamp=NOON_MS)
    await history.send(B, page(), said)
    await history.send(A, page())
    await history.send(A, said)
    history.now_ms += MINUTE_MS
    await history.send(A, page())


async def nothing_new_in_a_chain(history: History) -> None:
    """Two joins in a row of which the log holds nothing."""
    first, second = (identify(one, messageId=one, timestamp=NOON_MS) for one in ("m", "s"))
    await history.send(C, page(), second)
    await history.send(B, first, page())
    await history.send(A, page())
    await history.send(A, first)
    await history.send(B, second)
    history.now_ms += MINUTE_MS
    await history.send(B, page())


async def imported_names(history: History) -> None:
    """An import joins by the names it gives, and no event says anything of it."""
    await history.send("anna", page())
    await history.send("ben", page())
    history.now_ms += MINUTE_MS
    await history.import_(("ben", "anna"), page(), merges=True)


async def newest_first(history: History) -> None:
    """Of events of one time the last one in the array comes first."""
    seen = {"type": "component", "componentId": "x", "experienceId": "hero", "context": REACT}
    await history.send(A, seen | {"variantIndex": 2}, seen | {"variantIndex": 1})


async def same_content_to_two_names(history: History) -> None:
    """What has no message id is another event where it is sent to another name."""
    await history.send("anna", identify("u1"))
    for name in ("anna", "u1"):
        await history.send(name, page(messageId=None))


async def two_requests_in_a_millisecond(history: History) -> None:
    """What is late does not move the session that a request before it has begun."""
    await history.send(A, page())
    await history.send(A, page(timestamp=NOON_MS - HOUR_MS))


async def joined_within_a_millisecond(history: History) -> None:
    """The survivor's own request comes before that by which another becomes it."""
    await history.send(B, identify("s", traits={"tier": "gold"}))
    await history.send(A, page())
    history.now_ms += MINUTE_MS
    await history.send(B, {"type": "track", "event": "buy"})
    await history.send(A, identify("s", traits={"tier": None}))


CASES = (
    *(chain, chain_at_once, survivor_identifies_again, survivor_gets_a_name, nothing_new),
    *(nothing_new_in_a_chain, imported_names, newest_first, same_content_to_two_names),
    *(two_requests_in_a_millisecond, joined_within_a_millisecond),
)
IDS = ("anna", "ben", "u1", A, B, C)
Case = Callable[[History], Coroutine[Any, Any, None]]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules of the shop."""
    return write_rules(tmp_path / "rules", {MAIN: SHOP})


def lived(
    tmp_path: Path, rules: Path, case: Case, names: Iterable[str] = IDS
) -> tuple[str, Known, int]:
    """Let something happen; return the URL of the store, what there is in the end, and when."""
    path = tmp_path / "profiles.db"

    async def run() -> tuple[Known, int]:
        store = SqliteStore(path)
        history = History(rules, store)
        await case(history)
        known = await history.read(names)
        await store.close()
        return known, history.now_ms

    return f"sqlite://{path}", *asyncio.run(run())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_log_replays_to_what_there_was(tmp_path: Path, rules: Path, case: Case) -> None:
    """After the replay of its log each profile of a service is as it was, and there is no other."""
    url, live, now_ms = lived(tmp_path, rules, case)
    assert replayed(rules, read_store(url, 0, 0), now_ms) == live


@pytest.mark.parametrize(
    "case",
    # What an export lacks is the keys of messages, so that these two events are one in it.
    [case for case in CASES if case is not same_content_to_two_names],
    ids=lambda case: case.__name__,
)
def test_exported_log_replays(tmp_path: Path, rules: Path, case: Case) -> None:
    """Lines of a log that was exported tell who was joined, as the log itself does."""
    url, known, now_ms = lived(tmp_path, rules, case)
    lines = [
        json.loads(event) | {"profileId": record.name, "receivedAt": record.arrival_ms}
        for record in read_store(url, 0, 0)
        for event in record.events
    ]
    assert replayed(rules, records_of(lines), now_ms) == known


CROWD = [f"{number:02}" * 32 for number in range(60)]


async def crowd(history: History) -> None:
    """Many visitors, half of whom turn out to be others."""
    chance = random.Random(4)
    for _ in range(400):
        history.now_ms += chance.choice([0, 1, HOUR_MS])
        events = [page(), {"type": "track", "event": "buy"}, identify(f"u-{chance.randrange(30)}")]
        names = chance.sample(CROWD, 2)
        if chance.random() < 0.05:
            await history.import_(names, page(), merges=True)
        else:
            await history.send(names[0], *chance.sample(events, chance.choice([1, 1, 2])))


def test_every_way_replays_a_log_to_the_same_bytes(
    tmp_path: Path, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pass, many partitions and carried records: one JSON, and who was joined is in one."""
    url, known, _ = lived(tmp_path, rules, crowd, CROWD)
    source = Input(store=url, environments=(MAIN,), environment=MAIN)
    read = read_rules(rules)
    result = simulate(read, read, source, Options())
    (environment,) = result.environments
    assert environment.profiles == len(known) < 40
    assert environment.profiles == sum(environment.new_profiles) - environment.merged
    expected = encode_result(result)
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 10)
    spilling = Options(state=tmp_path / "state", max_open=5)
    assert encode_result(simulate(read, read, source, spilling)) == expected
    monkeypatch.setattr(running, "_in_this_process", carried)
    carrying = Options(state=tmp_path / "other")
    assert encode_result(simulate(read, read, source, carrying)) == expected


def test_who_was_joined_may_be_from_before(tmp_path: Path, rules: Path) -> None:
    """Of a log that is read from a time on, those who came only before are nobody."""
    url, _, now_ms = lived(tmp_path, rules, chain)
    (found,) = replayed(rules, read_store(url, now_ms, 0), now_ms).values()
    assert (found[1].id, found[1].absorbed, found[1].session.count) == (C, [], 1)


EVENTS = st.tuples(
    st.one_of(
        PATHS.map(lambda path: {"type": "page", "context": {"page": {"path": path}}}),
        st.sampled_from(USER_IDS).map(identify),
        st.sampled_from(
            [
                {"type": "track", "event": "buy"},
                {"type": "alias", "userId": "u-1"},
                {"type": "identify", "userId": "u-2", "traits": {"tier": "gold"}},
                {"type": "identify", "traits": {"tier": "lead"}},
                {"type": "component", "componentId": "x", "experienceId": "hero"},
                {"type": "page", "context": {"userAgent": "Mozilla/5.0 (iPhone; CPU) Mobile"}},
                {"type": "page", "context": {"location": {"countryCode": "AT"}}},
                {"type": "page", "$joined": [[A, B], [B, A]], "$resolved": {"device": "tablet"}},
            ]
        ),
    ),
    st.integers(0, 2),
    st.sampled_from([0, 0, 0, -1, -HOUR_MS, -3 * DAY_MS, 2 * MINUTE_MS]),
    st.one_of(st.none(), st.just("own"), st.integers(0, 12)),
)
STEPS = st.tuples(
    st.sampled_from([0, 0, 0, 1, MINUTE_MS, 45 * MINUTE_MS, DAY_MS]),
    st.sampled_from([*["send"] * 6, *["react", "import"] * 2, "batch", "look", "erase"]),
    st.lists(st.sampled_from(NAMES), min_size=3, max_size=3),
    st.lists(EVENTS, min_size=1, max_size=3),
    st.booleans(),
)

Drawn = tuple[dict[str, Any], int, int, int | str | None]
Step = tuple[int, str, list[str], list[Drawn], bool]


async def live(history: History, steps: Iterable[Step]) -> Known:
    """Let a history happen, and one more page view of each profile; return what there is then."""
    for pause_ms, kind, names, drawn, merges in steps:
        history.now_ms += pause_ms
        events = [drawn_event(history, *one) for one in drawn]
        if kind == "react":
            for event in events:
                event["context"] = event.get("context", {}) | REACT
        if kind == "import":
            await history.import_(names, *events, merges=merges)
        elif kind == "batch":
            groups: dict[str, list[dict[str, Any]]] = {}
            for name, event in zip(names, events, strict=False):
                groups.setdefault(name, []).append(event)
            await history.batch(groups)
        elif kind == "erase":
            await history.erase(names[0])
        else:
            await history.send(names[0], *events, preflight=kind == "look")
    living = await history.read([*NAMES, *USER_IDS])
    history.now_ms += MINUTE_MS
    for profile_id in living:
        await history.send(profile_id, page())
    return await history.read(living)


def drawn_event(
    history: History, event: dict[str, Any], variant: int, shift_ms: int, message: int | str | None
) -> dict[str, Any]:
    event = event | {"timestamp": history.now_ms + shift_ms}
    if event["type"] == "component":
        event["variantIndex"] = variant
    if message != "own":
        event["messageId"] = None if message is None else f"m-{message}"
    return event


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, min_size=2, max_size=25))
def test_log_of_anything_replays(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    """Joins in chains and by imports, batches, what is late, known, without a message id or at
    once: the log replays to the same profiles, and to as many."""
    rules = write_rules(tmp_path_factory.mktemp("rules"), {MAIN: SHOP})

    async def run() -> tuple[Known, list[Record], int]:
        history = History(rules, MemoryStore())
        known = await live(history, steps)
        entries = [entry async for entry in history.store.scan_log()]
        logged = {entry.profile_id for entry in entries}
        for _, profile in known.values():
            # Who was joined before anything was counted for it is in no log.
            profile.absorbed = [one for one in profile.absorbed if one in logged]
        return known, list(requests_in(entries, 0)), history.now_ms

    known, records, now_ms = asyncio.run(run())
    assert replayed(rules, records, now_ms) == known
