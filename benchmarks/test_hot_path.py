"""The hot path through pytest-benchmark: `make bench-pytest`; nothing of it runs with the tests."""

from __future__ import annotations

from itertools import cycle

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks import workloads
from benchmarks.bench_decide import MAKERS
from benchmarks.plain import NOW_MS
from edgewise.decide import decide


@pytest.mark.parametrize(
    ("name", "size"),
    [pytest.param(name, size, id=f"{name}-{size}") for name in MAKERS for size in (10, 100, 1000)],
)
def test_decide(benchmark: BenchmarkFixture, name: str, size: int) -> None:
    """One decision over all audiences."""
    workload = MAKERS[name](size)
    ruleset = workload.load()
    profiles = cycle(workload.profiles)
    benchmark(lambda: decide(ruleset, next(profiles), NOW_MS))


@pytest.mark.parametrize("size", [100, 1000])
def test_match_event(benchmark: BenchmarkFixture, size: int) -> None:
    """The matchers that an event satisfies."""
    workload = workloads.w_event(size)
    match_event = workload.load().evaluator.match_event
    events = cycle(workload.events)
    benchmark(lambda: match_event(next(events).event))


def test_load(benchmark: BenchmarkFixture) -> None:
    """Loading a hundred audiences from parsed objects."""
    benchmark(workloads.w(100, profiles=1).load)
