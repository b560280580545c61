"""Timing side by side: functions take turns on the same inputs, and their ratios are compared.

Times are processor time of the thread, which does not count what else the machine does. Even so
only ratios within one process mean something; absolute times are for orientation.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

REPEATS = 11


def take_turns(
    functions: Sequence[Callable[[Any], Any]],
    inputs: Sequence[Any],
    repeats: int = REPEATS,
    warm_up: int = 1,
) -> list[list[float]]:
    """Return for each function the microseconds per input of each repeat.

    Args:
        warm_up: turns that are not counted. The garbage collector rests all the while.
    """
    times: list[list[float]] = [[] for _ in functions]
    gc.collect()
    gc.disable()
    try:
        for turn in range(warm_up + repeats):
            for function, found in zip(functions, times, strict=True):
                started = time.thread_time_ns()
                for one in inputs:
                    function(one)
                if turn >= warm_up:
                    found.append((time.thread_time_ns() - started) / len(inputs) / 1000)
    finally:
        gc.enable()
    return times


def paired_ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of one repeat each."""
    return median(one / other for one, other in zip(ours, others, strict=True))


def percentile_us(function: Callable[[Any], Any], inputs: Sequence[Any], share: float) -> float:
    """Return the microseconds that this share of single calls stays below, by the wall clock."""
    times = []
    for one in inputs:
        started = time.perf_counter_ns()
        function(one)
        times.append((time.perf_counter_ns() - started) / 1000)
    return sorted(times)[min(int(len(times) * share), len(times) - 1)]


def memory_mb() -> float:
    """Return how much memory this process holds, 0 where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123  # no real file
            lines = [line for line in status if line.startswith("VmRSS:")]
    except OSError:
        return 0.0
    return int(lines[0].split()[1]) / 1024 if lines else 0.0
