"""Where the microseconds of one complete update go, stage by stage.

    python -m benchmarks.bench_stages [--output FILE]

Each stage is timed alone on what a real update hands it; what the whole update costs beyond their
sum is the service's own: lanes, retries, identity, the way through the event loop.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec
import uvloop

from benchmarks.bench_request import BareTransactions, Site
from benchmarks.peers.machine import Machine, this_machine
from benchmarks.request_workload import Case, demo_case, large_case, site_case
from edgewise.asgi.wire import encode_outcome
from edgewise.decide import decide
from edgewise.decoding import decode_update
from edgewise.fold import fold_events
from edgewise.model.decision import Outcome
from edgewise.model.profiles import Profile
from edgewise.receiving import receive
from edgewise.stores.codec import decode_record, encode_record
from edgewise.stores.sqlite_statements import log_row

RESULTS = Path(__file__).parent / "results" / "stages.json"
UPDATES = 2_000
_T = TypeVar("_T")
STAGES = ("decode", "load", "fold", "decide", "save", "encode", "transaction", "service")


class Stage(msgspec.Struct, frozen=True):
    """One stage's median in microseconds."""

    name: str
    us: float


class CaseStages(msgspec.Struct, frozen=True):
    """The stages of one case, in the order in which they run; together they are an update."""

    label: str
    stages: list[Stage]


class StagesReport(msgspec.Struct, frozen=True):
    """The stages of every case, and where they were measured."""

    machine: Machine
    cases: list[CaseStages]


class Stopwatch:
    """Microseconds by stage."""

    def __init__(self) -> None:
        self.times_us: dict[str, list[float]] = {name: [] for name in (*STAGES, "update")}

    def time(self, stage: str, call: Callable[[], _T]) -> _T:
        """Return what a call returns."""
        started = time.perf_counter()
        result = call()
        self.times_us[stage].append((time.perf_counter() - started) * 1e6)
        return result

    def stages(self) -> list[Stage]:
        """Return the medians; the service gets what the others leave of an update."""
        medians = {name: median(times) for name, times in self.times_us.items() if times}
        whole = medians.pop("update")
        medians["service"] = max(0.0, whole - sum(medians.values()))
        return [Stage(name, round(medians[name], 2)) for name in STAGES]


async def measure(case: Case, folder: Path) -> CaseStages:
    """Return the stages of one case."""
    filling = Site(case, folder / "ours.db")
    await filling.fill()
    await filling.store.close()
    shutil.copy(folder / "ours.db", folder / "bare.db")
    site = Site(case, folder / "ours.db")
    site.ids, site.now_ms = filling.ids, filling.now_ms
    bare = BareTransactions(folder / "bare.db")
    watch = Stopwatch()
    for _ in range(UPDATES):
        await _one_update(site, bare, watch)
    await site.store.close()
    bare.close()
    return CaseStages(case.label, watch.stages())


async def _one_update(site: Site, bare: BareTransactions, watch: Stopwatch) -> None:
    """Update one profile as a whole, and do the same once more in stages beside the store."""
    profile_id, body = site.chance.choice(site.ids), site.next_body()
    before = await site.store.get(profile_id)
    assert before is not None
    started = time.perf_counter()
    await site.update(profile_id, body)
    watch.times_us["update"].append((time.perf_counter() - started) * 1e6)
    now_ms, ruleset = site.now_ms, site.case.ruleset
    received = watch.time("decode", lambda: receive(decode_update(body), profile_id, now_ms))
    profile = watch.time("load", lambda: decode_record(before[0]))
    assert isinstance(profile, Profile)
    watch.time("fold", lambda: fold_events(profile, received, ruleset.fold_rules, now_ms))
    decision = watch.time("decide", lambda: decide(ruleset, profile, now_ms))
    data = watch.time("save", lambda: encode_record(profile))
    outcome = Outcome(profile, decision, ruleset.digest)
    watch.time("encode", lambda: encode_outcome(outcome))
    entry = (await site.store.read_log(profile_id))[-1]
    row = log_row(msgspec.structs.replace(entry, message_key=site.chance.getrandbits(64)))
    watch.time("transaction", lambda: bare.run(profile_id, data, row, now_ms))


def run(cases: Sequence[Case]) -> StagesReport:
    """Return the stages of these cases."""
    results = []
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as folder:
            results.append(uvloop.run(measure(case, Path(folder))))
    return StagesReport(this_machine(), results)


def main(arguments: Sequence[str]) -> int:
    """Measure every case and write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_stages")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    report = run((demo_case(), site_case(20), site_case(100), large_case()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    for case in report.cases:
        print(case.label, *(f"{stage.name} {stage.us:.1f}" for stage in case.stages), sep="  ")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
