"""What loading rules costs: time, memory, and what a reload leaves behind.

    python -m benchmarks.bench_compile 1000          prints JSON: so many audiences of W
    python -m benchmarks.bench_compile reloads       the demo rules, over and over

Times are processor time: a reload runs beside the event loop and gets what is left over.
"""

from __future__ import annotations

import gc
import linecache
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import yaml

from benchmarks.plain import ENVIRONMENT, ORGANIZATION, Workload
from benchmarks.timing import memory_mb
from benchmarks.workloads import w
from edgewise.ruleset import load_ruleset
from edgewise.sources.files import load_documents

REPEATS = 3
REPEATS_OF_A_SECOND = 7
COPIES = 2
RELOADS = 3000
WARM_RELOADS = 300
DEMO_RULES = Path(__file__).parent.parent / "rules" / "demo" / "main"


class MeasuredLoad(msgspec.Struct, frozen=True, kw_only=True):
    """Loading W of one size: seconds, best of some repeats, and megabytes that the rules hold."""

    size: int
    parsed_s: float
    yaml_s: float
    memory_mb: float
    yaml_mb: float


class MeasuredReloads(msgspec.Struct, frozen=True, kw_only=True):
    """Reloading the demo rules: what the process has grown by after the first few hundred.

    Args:
        sources: generated source texts that are kept although their ruleset is gone.
    """

    reloads: int
    grown_mb: float
    sources: int
    reload_ms: float


def measure_load(size: int, repeats: int = REPEATS) -> MeasuredLoad:
    """Return what loading W of a size costs."""
    workload = w(size, profiles=1)
    with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as name:
        folder = Path(name)
        text = yaml.dump(workload.document, Dumper=yaml.CSafeDumper, sort_keys=False)
        (folder / "rules.yaml").write_text(text, "utf-8")
        del text
        w(10, profiles=1).load()
        held_mb = _held_mb(workload)
        parsed, read = [], []
        for _ in range(repeats):
            started = time.process_time()
            workload.load()
            parsed.append(time.process_time() - started)
            started = time.process_time()
            load_ruleset(ORGANIZATION, ENVIRONMENT, load_documents(folder, folder.parent))
            read.append(time.process_time() - started)
        size_mb = (folder / "rules.yaml").stat().st_size / 2**20
    return MeasuredLoad(
        size=size,
        parsed_s=min(parsed),
        yaml_s=min(read),
        memory_mb=held_mb,
        yaml_mb=size_mb,
    )


def _held_mb(workload: Workload) -> float:
    """The first ruleset takes room that loading leaves behind; what counts are the next ones."""
    rulesets = [workload.load()]
    gc.collect()
    before_mb = memory_mb()
    rulesets += [workload.load() for _ in range(COPIES)]
    gc.collect()
    return (memory_mb() - before_mb) / COPIES


def measure_reloads(reloads: int = RELOADS, warm: int = WARM_RELOADS) -> MeasuredReloads:
    """Return what reloading the demo rules leaves behind."""
    documents = load_documents(DEMO_RULES, DEMO_RULES.parent)

    def reload(times: int) -> None:
        for _ in range(times):
            load_ruleset("demo", "main", documents)

    reload(warm)
    gc.collect()
    before_mb, sources = memory_mb(), len(linecache.cache)
    started = time.process_time()
    reload(reloads)
    spent_s = time.process_time() - started
    gc.collect()
    return MeasuredReloads(
        reloads=reloads,
        grown_mb=memory_mb() - before_mb,
        sources=len(linecache.cache) - sources,
        reload_ms=1000 * spent_s / reloads,
    )


def main() -> None:
    """Measure what the command line names."""
    what = sys.argv[1]
    result: MeasuredLoad | MeasuredReloads
    if what == "reloads":
        result = measure_reloads()
    else:
        size = int(what)
        result = measure_load(size, REPEATS_OF_A_SECOND if size <= 1000 else REPEATS)
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
