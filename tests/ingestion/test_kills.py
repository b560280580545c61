"""Servers that are killed at any moment lose nothing of what they have accepted."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgewise.decoding import decode_event
from edgewise.history import catch_up
from edgewise.identity import Identity
from edgewise.records import Records
from edgewise.ruleset import Ruleset
from edgewise.sources.files import load_rules
from edgewise.stores.sqlite import SqliteStore
from tests.ingestion.servers import Client, Server, wait_until_applied

PROFILES = 5_000
EVENTS = 50_000
EVENTS_PER_REQUEST = 200
PROFILES_PER_REQUEST = 50
KILLS = 3
ACTIONS = ("buy", "look", "leave")
START_MS = 1_790_000_000_000
IMPORT_PATH = "/v2/organizations/demo/environments/main/import/events"

RULES = """
audiences:
  - {id: bought, has performed event: buy, at least: 3}
  - {id: looked, has performed event: look}
  - {id: saw, has viewed page: {path: /sale}, at least: 2}
"""

Event = dict[str, Any]


def make_requests(rng: random.Random) -> list[list[Event]]:
    """Requests within the limits of an import, in which a profile has ten events on average."""
    requests: list[list[Event]] = []
    names = [f"visitor-{number}" for number in range(PROFILES)]
    serial = 0
    while len(requests) * EVENTS_PER_REQUEST < EVENTS:
        rng.shuffle(names)
        for start in range(0, PROFILES, PROFILES_PER_REQUEST):
            if len(requests) * EVENTS_PER_REQUEST == EVENTS:
                break
            chosen = names[start : start + PROFILES_PER_REQUEST]
            requests.append(
                [make_event(rng, rng.choice(chosen), serial + n) for n in range(EVENTS_PER_REQUEST)]
            )
            serial += EVENTS_PER_REQUEST
    return requests


def make_event(rng: random.Random, name: str, serial: int) -> Event:
    event: Event = {"anonymousId": name, "messageId": f"m-{serial}", "timestamp": START_MS + serial}
    if rng.random() < 0.3:
        path = rng.choice(("/sale", "/home"))
        return {**event, "type": "page", "properties": {"path": path}}
    return {**event, "type": "track", "event": rng.choice(ACTIONS)}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers on one store."""
    rules = tmp_path / "rules" / "demo" / "main"
    rules.mkdir(parents=True)
    (rules / "rules.yaml").write_text(RULES, "utf-8")
    store = f"sqlite://{tmp_path}/profiles.db"
    running: list[Server] = []
    try:
        running += [Server(tmp_path / "rules", store, tmp_path) for _ in range(2)]
        yield running
    finally:
        for server in running:
            server.kill()


def test_every_tally_equals_a_plain_count(servers: list[Server], tmp_path: Path) -> None:
    """50,000 events in an import during which servers are killed three times are counted once
    each, for the profile they came for."""
    requests = make_requests(random.Random(1))
    client = Client(servers)
    with ThreadPoolExecutor(8) as pool:
        waiting = []
        for number, events in enumerate(requests):
            body = json.dumps({"events": events}).encode()
            waiting.append(pool.submit(client.post, IMPORT_PATH, body))
            if number % (len(requests) // (KILLS + 1)) == 1 and number > 1:
                waiting[number - 8].result()
                servers[number % 2].kill_and_restart()
        for answer in waiting:
            assert answer.result() == {"data": {}, "error": None, "message": "ok"}
    assert client.failures > 0
    wait_until_applied(servers[0])
    assert [server.stop() for server in servers] == [-signal.SIGTERM] * 2
    ruleset = load_rules(tmp_path / "rules")["demo", "main"]
    asyncio.run(check_profiles(tmp_path / "profiles.db", ruleset, requests))


async def check_profiles(path: Path, ruleset: Ruleset, requests: list[list[Event]]) -> None:
    expected: dict[str, list[Event]] = {}
    for events in requests:
        for event in events:
            expected.setdefault(event["anonymousId"], []).append(event)
    matchers = matcher_ids(ruleset)
    store = SqliteStore(path)
    identity = Identity(Records(store), ruleset)
    for name, events in expected.items():
        found = await identity.find(name)
        assert found is not None
        profile = found.profile
        await catch_up(profile, ruleset.evaluator, store)
        counts = Counter(event.get("event") or event["properties"]["path"] for event in events)
        assert profile.counts == {
            matchers[asked]: counts[asked] for asked in matchers if counts[asked]
        }
        assert len(await store.read_log(profile.id)) == len(events)
    assert sum([1 async for _ in store.scan_log()]) == EVENTS
    await store.close()


def matcher_ids(ruleset: Ruleset) -> dict[str, int]:
    """The id of the matcher that each rule asks, by the name or path that it asks for."""
    probes: dict[str, Event] = {
        "buy": {"type": "track", "event": "buy"},
        "look": {"type": "track", "event": "look"},
        "/sale": {"type": "page", "properties": {"path": "/sale"}},
    }
    found = {}
    for asked, probe in probes.items():
        (matcher,) = ruleset.evaluator.match_event(decode_event(json.dumps(probe).encode()))
        found[asked] = matcher.id
    return found
