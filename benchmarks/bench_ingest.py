"""Events per second of one process: single updates, batches, and imports through the queue.

Every way takes the same kilobyte page events of known profiles, four for each, and counts them in
its own SQLite file. Single updates come one after the other, and again 32 at once, as a server
meets them; a batch holds 200 events of 50 profiles. An import is timed in its two halves: until
the events are safe in the queue, and until the queue is empty. The ways take turns, and what is
compared is the median over the rounds.

    python -m benchmarks.bench_ingest           prints JSON
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import uvloop

from benchmarks.request_workload import Case, demo_case, message_id, page_view
from edgewise.asgi.wire import EMPTY_BODY, encode_outcome, encode_profiles
from edgewise.clock import now_ms
from edgewise.decoding import decode_update
from edgewise.grouping import MAX_PROFILES, group_events
from edgewise.import_worker import ImportSettings, ImportWorker
from edgewise.model.imports import ImportedProfile
from edgewise.service import DecisionService
from edgewise.stores.codec import encode_record
from edgewise.stores.sqlite import SqliteStore

ROUNDS = 9
REQUESTS_PER_ROUND = 20
EVENTS_PER_REQUEST = 200
AT_ONCE = 32


class Request(msgspec.Struct, frozen=True):
    """The same events as one body, and as a body for each: (profile, body)."""

    body: bytes
    singles: list[tuple[str, bytes]]


class Rate(msgspec.Struct, frozen=True):
    """One way: events per second, and how many times as many as in single updates one by one."""

    label: str
    events_per_s: int
    ratio: float
    ratios: list[float]


class Site:
    """A service on a database of its own, with profiles that have been here before."""

    def __init__(self, case: Case, path: Path) -> None:
        self.case = case
        self.names = (case.ruleset.organization, case.ruleset.environment)
        self.store = SqliteStore(path)
        self.service = DecisionService({self.names: case.ruleset}, self.store, imports=None)
        self.worker = ImportWorker(
            self.store,
            lambda: self.service.rulesets,
            now_ms,
            random.Random(1),
            ImportSettings(),
        )
        self.ids: list[str] = []

    async def fill(self) -> None:
        """Store every profile."""
        for profile in self.case.profiles(random.Random(1)):
            self.ids.append(profile.id)
            await self.store.put_if(profile.id, encode_record(profile), 0)

    async def update(self, single: tuple[str, bytes]) -> bytes:
        """Answer one single update."""
        name, body = single
        update = decode_update(body)
        outcome = await self.service.update(*self.names, name, update, preflight=False)
        return encode_outcome(outcome)

    async def batch(self, body: bytes) -> bytes:
        """Answer one batch."""
        groups = group_events(decode_update(body))
        return encode_profiles(await self.service.apply_batch(*self.names, groups, preflight=False))

    async def enqueue(self, body: bytes) -> bytes:
        """Answer one import."""
        groups = group_events(decode_update(body))
        profiles = [ImportedProfile((name,), tuple(one.raws)) for name, one in groups.items()]
        await self.service.enqueue_import(*self.names, profiles)
        return EMPTY_BODY


async def one_by_one(site: Site, requests: list[Request]) -> None:
    """Send every event as an update of its own, each after the answer to the one before."""
    for request in requests:
        for single in request.singles:
            await site.update(single)
            await asyncio.sleep(0)


async def at_once(site: Site, requests: list[Request]) -> None:
    """Send every event as an update of its own, many at a time."""
    everything = [single for request in requests for single in request.singles]
    for start in range(0, len(everything), AT_ONCE):
        await asyncio.gather(*map(site.update, everything[start : start + AT_ONCE]))


async def in_batches(site: Site, requests: list[Request]) -> None:
    """Send the events in batches."""
    for request in requests:
        await site.batch(request.body)
        await asyncio.sleep(0)


async def into_queue(site: Site, requests: list[Request]) -> None:
    """Send the events as imports, and leave them in the queue."""
    for request in requests:
        await site.enqueue(request.body)
        await asyncio.sleep(0)


async def out_of_queue(site: Site, requests: list[Request]) -> None:
    """Apply what the imports of this round have left in the queue."""
    while await site.worker.step():
        pass


WAYS: dict[str, Callable[[Site, list[Request]], Awaitable[None]]] = {
    "single updates, one by one": one_by_one,
    f"single updates, {AT_ONCE} at once": at_once,
    f"batches of {EVENTS_PER_REQUEST}": in_batches,
    "imports, until they are kept": into_queue,
    "imports, until they are applied": out_of_queue,
}


async def measure(case: Case, folder: Path, rounds: int = ROUNDS) -> list[Rate]:
    """Return the rate of every way."""
    # Both halves of an import share a database: one empties the queue that the other has filled.
    databases = {label: label.partition(",")[0] if "imports" in label else label for label in WAYS}
    sites = {name: Site(case, folder / f"{name}.db") for name in set(databases.values())}
    for site in sites.values():
        await site.fill()
    chance = random.Random(2)
    rates: dict[str, list[float]] = {label: [] for label in WAYS}
    for _ in range(rounds):
        for label, way in WAYS.items():
            site = sites[databases[label]]
            requests = [_request(site, chance) for _ in range(REQUESTS_PER_ROUND)]
            started = time.perf_counter()
            await way(site, requests)
            elapsed_s = time.perf_counter() - started
            rates[label].append(REQUESTS_PER_ROUND * EVENTS_PER_REQUEST / elapsed_s)
    for site in sites.values():
        await site.store.close()
    return _summary(rates)


def _request(site: Site, chance: random.Random) -> Request:
    chosen = chance.sample(site.ids, MAX_PROFILES)
    events = []
    singles = []
    for number in range(EVENTS_PER_REQUEST):
        name = chosen[number % MAX_PROFILES]
        body = page_view(message_id(chance), now_ms())
        (event,) = json.loads(body)["events"]
        events.append({**event, "anonymousId": name})
        singles.append((name, body))
    return Request(msgspec.json.encode({"events": events}), singles)


def _summary(rates: dict[str, list[float]]) -> list[Rate]:
    base = rates[next(iter(rates))]
    results = []
    for label, found in rates.items():
        ratios = [one / single for one, single in zip(found, base, strict=True)]
        results.append(
            Rate(
                label=label,
                events_per_s=round(statistics.median(found)),
                ratio=round(statistics.median(ratios), 2),
                ratios=[round(ratio, 2) for ratio in ratios],
            )
        )
    return results


def main() -> None:
    """Measure every way on the demo rules and print the results as JSON."""
    with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as folder:
        results = uvloop.run(measure(demo_case(), Path(folder)))
    print(msgspec.json.format(msgspec.json.encode(results), indent=2).decode())


if __name__ == "__main__":
    main()
