"""What one complete update costs in process, next to the bare transaction of the same bytes.

A request is decoded, loaded, folded, decided, saved, logged and encoded: everything but HTTP. The
bare transaction reads a record, writes the same bytes under the same key and appends the same event
to the log, with the statements and the settings of the store and nothing around them.

Both have a copy of one database. They take turns request by request, so that what else the machine
does hits both, and neither finds the processor's caches to itself.

    python -m benchmarks.bench_request          prints JSON
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.plain import NOW_MS
from benchmarks.request_workload import (
    BETWEEN_REQUESTS_MS,
    Case,
    demo_case,
    large_case,
    message_id,
    page_view,
    site_case,
)
from edgewise.asgi.wire import encode_outcome
from edgewise.decoding import decode_update
from edgewise.garbage import calm_collector
from edgewise.model.log import LogEntry
from edgewise.service import DecisionService
from edgewise.stores.codec import encode_record
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.sqlite_checkpoints import Checkpointer
from edgewise.stores.sqlite_schema import open_database
from edgewise.stores.sqlite_statements import LogRow, log_row

REPEATS = 15
REQUESTS_PER_REPEAT = 400
EARLIER_EVENTS = 3

# No write may meet a checkpoint that holds the lock: that is the store's matter, not a request's.
_WAL_LIMIT_BYTES = 2**40

_SELECT = "SELECT d, v FROM records WHERE k = ?"
_UPDATE = "UPDATE records SET v = ?, seen = ?, d = ? WHERE k = ? AND v = ?"
_INSERT = (
    "INSERT OR IGNORE INTO log (profile, message, environment, time, arrival, event)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


class Measured(msgspec.Struct, frozen=True):
    """One case: microseconds of single requests, and how many bare transactions a request is.

    Args:
        ratio: the median over the repeats of (median request / median bare transaction).
    """

    label: str
    ratio: float
    ratios: list[float]
    p50_us: float
    p99_us: float
    bare_p50_us: float
    bare_p99_us: float
    record_bytes: int
    answer_bytes: int


class RecordingStore(SqliteStore):
    """A store that remembers the last write, so that it can be made again without the engine."""

    key = ""
    value = b""
    entries: Sequence[LogEntry] = ()

    def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> Coroutine[Any, Any, int | None]:
        """Write, and remember what; no coroutine of its own, which would be timed."""
        self.key, self.value, self.entries = key, value, entries
        return SqliteStore.put_if(self, key, value, version, entries, seen_ms)


class Site:
    """A service over a store that knows its profiles, and the requests that come to it."""

    def __init__(self, case: Case, path: Path) -> None:
        self.case = case
        self.chance = random.Random(1)
        self.now_ms = NOW_MS
        self.ids: list[str] = []
        self.store = RecordingStore(path, wal_limit_bytes=_WAL_LIMIT_BYTES)
        ruleset = case.ruleset
        self.names = (ruleset.organization, ruleset.environment)
        self.service = DecisionService({self.names: ruleset}, self.store, clock=self.clock)

    def clock(self) -> int:
        """The time, which goes on with the requests."""
        return self.now_ms

    async def fill(self) -> None:
        """Store every profile, with some events of an earlier day."""
        for profile in self.case.profiles(self.chance):
            self.ids.append(profile.id)
            await self.store.put_if(profile.id, encode_record(profile), 0, (), NOW_MS)
        for _ in range(EARLIER_EVENTS):
            for profile_id in self.ids:
                await self.update(profile_id, self.next_body())
                await asyncio.sleep(0)

    def next_body(self) -> bytes:
        """Return the next request's body."""
        self.now_ms += BETWEEN_REQUESTS_MS
        return page_view(message_id(self.chance), self.now_ms - 50)

    async def update(self, profile_id: str, body: bytes) -> bytes:
        """Answer one request; this is what is measured."""
        update = decode_update(body)
        outcome = await self.service.update(*self.names, profile_id, update, preflight=False)
        return encode_outcome(outcome)


class BareTransactions:
    """The same database without the engine."""

    def __init__(self, path: Path) -> None:
        self.connection = open_database(path, "normal")
        self.checkpointer = Checkpointer(path, _WAL_LIMIT_BYTES)

    def run(self, key: str, value: bytes, row: LogRow, now_ms: int) -> None:
        """Read a record, write another under its key, and append to the log."""
        execute = self.connection.execute
        _, version = execute(_SELECT, (key,)).fetchone()
        execute("BEGIN IMMEDIATE")
        execute(_UPDATE, (version + 1, now_ms, value, key, version))
        execute(_INSERT, row)
        execute("COMMIT")
        self.checkpointer.notice()

    def close(self) -> None:
        """Let go of the file."""
        self.checkpointer.stop()
        self.connection.close()


async def measure(case: Case, folder: Path, repeats: int = REPEATS) -> Measured:
    """Return what one case costs."""
    filling = Site(case, folder / "ours.db")
    await filling.fill()
    await filling.store.close()
    shutil.copy(folder / "ours.db", folder / "bare.db")
    site = Site(case, folder / "ours.db")
    site.ids, site.now_ms = filling.ids, filling.now_ms
    bare = BareTransactions(folder / "bare.db")
    ours_us: list[list[float]] = []
    bare_us: list[list[float]] = []
    calm_collector()  # as every server does before its first request
    for _ in range(repeats):
        pairs = [await _time_pair(site, bare) for _ in range(REQUESTS_PER_REPEAT)]
        ours_us.append([ours for ours, _ in pairs])
        bare_us.append([alone for _, alone in pairs])
    answer = await site.update(site.ids[0], site.next_body())
    record = await site.store.get(site.ids[0])
    assert record is not None
    await site.store.close()
    bare.close()
    return _summary(case.label, ours_us, bare_us, len(record[0]), len(answer))


async def _time_pair(site: Site, bare: BareTransactions) -> tuple[float, float]:
    """Microseconds of one request, and of the transaction in it alone."""
    profile_id, body = site.chance.choice(site.ids), site.next_body()
    started = time.perf_counter()
    await site.update(profile_id, body)
    ours_us = (time.perf_counter() - started) * 1e6
    # A server goes through its loop between two requests.
    await asyncio.sleep(0)
    (entry,) = site.store.entries
    row = log_row(entry)
    started = time.perf_counter()
    bare.run(site.store.key, site.store.value, row, entry.arrival_ms)
    bare_us = (time.perf_counter() - started) * 1e6
    await asyncio.sleep(0)
    return ours_us, bare_us


def _summary(
    label: str,
    ours_us: Sequence[Sequence[float]],
    bare_us: Sequence[Sequence[float]],
    record_bytes: int,
    answer_bytes: int,
) -> Measured:
    median = statistics.median
    ratios = [median(ours) / median(bare) for ours, bare in zip(ours_us, bare_us, strict=True)]
    ours = sorted(one for repeat in ours_us for one in repeat)
    bare = sorted(one for repeat in bare_us for one in repeat)
    return Measured(
        label=label,
        ratio=round(median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        p50_us=round(median(ours), 1),
        p99_us=round(ours[int(len(ours) * 0.99)], 1),
        bare_p50_us=round(median(bare), 1),
        bare_p99_us=round(bare[int(len(bare) * 0.99)], 1),
        record_bytes=record_bytes,
        answer_bytes=answer_bytes,
    )


def run(cases: Sequence[Case]) -> list[Measured]:
    """Return what each of these cases costs."""
    results = []
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as folder:
            results.append(uvloop.run(measure(case, Path(folder))))
    return results


def main() -> None:
    """Measure every case and print the results as JSON."""
    cases = (demo_case(), site_case(20), site_case(100), large_case())
    print(msgspec.json.format(msgspec.json.encode(run(cases)), indent=2).decode())


if __name__ == "__main__":
    main()
