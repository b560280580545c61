"""The log of a store replays to what the service had."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edgewise.model.log import LogEntry, interaction_log
from edgewise.simulate.clusters import Clusters, claim_keys, key_of
from edgewise.simulate.requests import Record
from edgewise.simulate.store_log import read_store
from edgewise.stores.sqlite import SqliteStore
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
    assert sum(rig.counting[MAIN].counts.merged) == 1


def test_entries_of_one_request_stay_together(tmp_path: Path) -> None:
    """Events that came in one request are one request again."""
    request = {
        "profileId": "a",
        "receivedAt": NOON_MS,
        "events": [{"type": "page", "messageId": "1"}, {"type": "page", "messageId": "2"}],
    }
    _, url = logged(tmp_path, records_of([request, line("a", NOON_MS + 1)]))
    assert [(one.line, len(one.events)) for one in read_store(url, 0, 0)] == [(1, 2), (3, 1)]


def test_since_leaves_out_what_came_before(tmp_path: Path) -> None:
    """Only what arrived since then is replayed."""
    _, url = logged(tmp_path, records_of([line("a", NOON_MS), line("a", NOON_MS + MINUTE_MS)]))
    arrivals = [one.arrival_ms for one in read_store(url, NOON_MS + 1, 0)]
    assert arrivals == [NOON_MS + MINUTE_MS]


def test_user_id_connects_names() -> None:
    """Two names that one user id identified come into one cluster, a third one does not."""
    clusters = Clusters()
    for name in ("phone", "laptop"):
        for claimed in claim_keys(MAIN, "u"):
            clusters.link(key_of(MAIN, name), claimed)
    phone, laptop, tablet = (clusters.root(key_of(MAIN, name)) for name in ("phone", "laptop", "x"))
    assert phone == laptop != tablet


def test_hash_as_user_id_may_be_an_id_or_a_name() -> None:
    """A user id that looks like a profile's id stands for that profile and for a name."""
    assert len(claim_keys(MAIN, "a" * 64)) == 2
    assert len(claim_keys(MAIN, "a")) == 1


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
