"""The log of a store replays to what the service had."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.decoding import decode_update
from edgewise.devices import ClientHints
from edgewise.enrich.geo_following import GeoFollower
from edgewise.enriching import Enricher
from edgewise.model.log import LogEntry, interaction_log
from edgewise.model.profiles import Profile
from edgewise.records import id_for_name
from edgewise.service import DecisionService
from edgewise.simulate.clusters import Clusters, cluster_key
from edgewise.simulate.requests import Record, Request
from edgewise.simulate.scan import Input, Scanner
from edgewise.simulate.store_log import read_store, requests_in
from edgewise.sources.files import load_rules
from edgewise.stores.sqlite import SqliteStore
from tests.geo import BERLIN_V4, BERLIN_V6, NOWHERE_V4, nested_both
from tests.simulate.test_replay import Rig
from tests.simulate.worlds import (
    MAIN,
    MINUTE_MS,
    NOON_MS,
    SHOP,
    line,
    records_of,
    served,
    write_rules,
)
from tests.test_enriching import FixedSender

TABLET = ClientHints(mobile=False, platform="Android")


def logged(tmp_path: Path, records: list[Record]) -> tuple[Path, str]:
    """Serve some requests from a SQLite store; return the rules and the store's URL."""
    rules = write_rules(tmp_path / "rules", {MAIN: SHOP})
    path = tmp_path / "profiles.db"

    async def run() -> SqliteStore:
        return SqliteStore(path)

    store = asyncio.run(run())
    served(rules, records, store)
    asyncio.run(store.close())
    return rules, f"sqlite://{path}"


def test_log_replays_to_the_same_profiles(tmp_path: Path) -> None:
    """Two devices that a login joined are joined at the same event when the log is replayed."""
    news = {"context": {"page": {"path": "/news"}}}
    login = {"type": "identify", "userId": "u", "traits": {"tier": "gold"}}
    lines = [
        line("phone", NOON_MS, **news),
        line("laptop", NOON_MS + MINUTE_MS),
        line("phone", NOON_MS + 2 * MINUTE_MS, **login),
        line("laptop", NOON_MS + 3 * MINUTE_MS, **news),
        line("laptop", NOON_MS + 4 * MINUTE_MS, **login),
        line("tablet", NOON_MS + 5 * MINUTE_MS, type="track", event="buy"),
        line("laptop", NOON_MS + 6 * MINUTE_MS),
        line("phone", NOON_MS + 7 * MINUTE_MS),
    ]
    records = records_of(lines)
    rules, url = logged(tmp_path, records)
    live = served(rules, records)
    rig = Rig(rules)
    # Noted at once: a visitor goes on to change.
    replayed = [
        (visitor.profile.id, visitor.audiences) for visitor in map(rig.apply, read_store(url, 0, 0))
    ]
    assert replayed == [(one.profile.id, one.decision.audiences) for one in live]
    assert sum(rig.counting[MAIN].result(rig.window).merged) == 1


def without_names(profile: Profile) -> Profile:
    """A copy of a profile without its names, which the log does not tell and no rule reads."""
    copied = copy.deepcopy(profile)
    copied.aliases = []
    return copied


@pytest.mark.parametrize("choice", ["always", "unless refused"])
def test_log_replays_what_was_found(tmp_path: Path, choice: str) -> None:
    """A log tells what was found by addresses, so its replay needs no database to be the same."""
    database = nested_both(tmp_path / "geo.mmdb")
    header = f"environment: {{data from the address: {choice}}}\n"
    rules = write_rules(tmp_path / "rules", {MAIN: header + SHOP})
    requests: list[tuple[str | None, list[dict[str, Any]]]] = [
        (BERLIN_V4, [{"type": "page"}]),
        (None, [{"type": "page", "context": {"location": {"city": "Potsdam"}}}]),
        (BERLIN_V6, [{"type": "track", "event": "buy"}, {"type": "page"}]),
        (BERLIN_V4, [{"type": "page", "context": {"gdpr": {"isConsentGiven": False}}}]),
        (NOWHERE_V4, [{"type": "identify", "userId": "u", "traits": {"tier": "gold"}}]),
        (BERLIN_V4, [{"type": "page"}]),
        (BERLIN_V4, [{"type": "page", "context": {"gdpr": {"isConsentGiven": True}}}]),
    ]
    organization, environment = MAIN.split("/")
    now_ms = NOON_MS
    live: list[tuple[list[str], Profile]] = []

    async def serve() -> None:
        nonlocal now_ms
        service = DecisionService(
            load_rules(rules),
            SqliteStore(tmp_path / "profiles.db"),
            clock=lambda: now_ms,
            retention=None,
            enricher=Enricher(GeoFollower([database])),
        )
        for number, (address, events) in enumerate(requests):
            now_ms += MINUTE_MS
            timed = [one | {"timestamp": now_ms, "messageId": f"{number} {one}"} for one in events]
            body = {"events": timed, "options": {"features": ["location"]}}
            outcome = await service.update(
                organization,
                environment,
                "a" * 64,
                decode_update(json.dumps(body).encode()),
                preflight=False,
                sender=FixedSender(address, TABLET),
            )
            live.append((outcome.decision.audiences, without_names(outcome.profile)))
        await service.stop()

    asyncio.run(serve())
    rig = Rig(rules)
    replayed = [
        (visitor.audiences, without_names(visitor.profile))
        for visitor in map(rig.apply, read_store(f"sqlite://{tmp_path}/profiles.db", 0, 0))
    ]
    assert replayed == live
    cities = [profile.location.city for _, profile in live]
    kept = None if choice == "unless refused" else "Berlin"
    assert cities == ["Berlin", "Potsdam", "Berlin", kept, kept, kept, "Berlin"]
    assert {profile.device for _, profile in live} == {"tablet"}


def test_entries_of_one_request_stay_together(tmp_path: Path) -> None:
    """Events that came in one request are one request again."""
    request = {
        "profileId": "a",
        "receivedAt": NOON_MS,
        "events": [{"type": "page", "messageId": "1"}, {"type": "page", "messageId": "2"}],
    }
    _, url = logged(tmp_path, records_of([request, line("a", NOON_MS + 1)]))
    assert [(one.line, len(one.events)) for one in read_store(url, 0, 0)] == [(1, 2), (3, 1)]


def entry(event: dict[str, Any], key: int, time_ms: int = NOON_MS) -> LogEntry:
    """An event that arrived at noon, as the log has it."""
    return LogEntry(
        MAIN, "a" * 64, key, time_ms, NOON_MS, json.dumps(event, separators=(",", ":")).encode()
    )


def test_requests_of_one_arrival() -> None:
    """Events of one arrival are one request, unless time goes back or something was joined."""
    page = {"type": "page"}
    sent = {"type": "identify", "traits": {"$joined": [["b", "a"]]}}
    joined = page | {"$joined": [["b" * 64, "a" * 64]]}
    entries = [entry(page, 1), entry(sent, 2), entry(page, 3, NOON_MS - 1), entry(joined, 4)]
    records = list(requests_in(entries, 7))
    assert [(one.source, one.line) for one in records] == [(7, 1), (7, 3), (7, 4)]
    logged = [((1, NOON_MS), (2, NOON_MS)), ((3, NOON_MS - 1),), ((4, NOON_MS),)]
    assert [one.logged for one in records] == logged
    assert [one.related for one in records] == [(), (), ("b" * 64, "a" * 64)]


def test_log_from_before_joins_were_told(tmp_path: Path) -> None:
    """Where the log does not tell who was joined nothing is guessed: both are there in the end."""
    rules = write_rules(tmp_path, {MAIN: SHOP})
    login = {"type": "identify", "userId": "u"}
    entries = [entry(login, 1), entry({"type": "page"}, 2), entry(login, 3)]
    entries[1] = msgspec.structs.replace(entries[1], profile_id="b" * 64)
    rig = Rig(rules)
    for record in requests_in(entries, 0):
        rig.apply(record)
    assert sorted(one.profile.id[0] for one in rig.visitors.all_visitors()) == ["a", "b"]


def test_broken_joins_are_told(tmp_path: Path) -> None:
    """An entry that no engine has written is a broken line, and the others are replayed."""
    path = tmp_path / "profiles.db"

    async def write() -> None:
        store = SqliteStore(path)
        await store.append(
            [entry({"type": "page", "$joined": [5]}, 1), entry({"type": "page"}, 2, 0)]
        )
        await store.close()

    asyncio.run(write())
    taken: list[Request] = []
    source = Input(store=f"sqlite://{path}", environments=(MAIN,))
    scanned = Scanner(source, taken.extend).run()
    assert [(one.line, one.reason[:13]) for one in scanned.broken_lines] == [(1, "event.$joined")]
    assert [record.line for record, _ in taken] == [2]


def test_since_leaves_out_what_came_before(tmp_path: Path) -> None:
    """Only what arrived since then is replayed."""
    _, url = logged(tmp_path, records_of([line("a", NOON_MS), line("a", NOON_MS + MINUTE_MS)]))
    arrivals = [one.arrival_ms for one in read_store(url, NOON_MS + 1, 0)]
    assert arrivals == [NOON_MS + MINUTE_MS]


def test_user_id_connects_names() -> None:
    """Two names that one user id identified come into one cluster, a third one does not."""
    clusters = Clusters()
    for name in ("phone", "laptop"):
        clusters.link_related(cluster_key(MAIN, name), MAIN, ["u"])
    phone, laptop, tablet = (
        clusters.root(cluster_key(MAIN, name)) for name in ("phone", "laptop", "x")
    )
    assert phone == laptop != tablet


def test_hash_as_user_id_may_be_an_id_or_a_name() -> None:
    """A user id that looks like a profile's id stands for that profile and for a name."""
    clusters = Clusters()
    clusters.link_related(cluster_key(MAIN, "phone"), MAIN, ["a" * 64])
    named = int(id_for_name(MAIN, "a" * 64)[:16], 16)
    keys = (cluster_key(MAIN, "phone"), cluster_key(MAIN, "a" * 64), named)
    assert len(set(keys)) == 3
    assert len(set(map(clusters.root, keys))) == 1


def test_interactions_are_not_replayed(tmp_path: Path) -> None:
    """What a visitor did with components is no request, and moves no line of one."""
    requests = [line("a", NOON_MS), line("b", NOON_MS + MINUTE_MS)]
    rules, url = logged(tmp_path, records_of(requests[:1]))

    async def view() -> None:
        store = SqliteStore(tmp_path / "profiles.db")
        (visit,) = [entry async for entry in store.scan_log()]
        event = b'{"type":"component","componentId":"c"}'
        log_id = interaction_log(visit.profile_id)
        await store.append([LogEntry(visit.environment, log_id, 1, NOON_MS, NOON_MS + 1, event)])
        await store.close()

    asyncio.run(view())
    second = asyncio.run(_opened(tmp_path / "profiles.db"))
    served(rules, records_of(requests[1:]), second)
    asyncio.run(second.close())
    found = list(read_store(url, 0, 0))
    assert [(record.line, len(record.events)) for record in found] == [(1, 1), (2, 1)]


async def _opened(path: Path) -> SqliteStore:
    return SqliteStore(path)
