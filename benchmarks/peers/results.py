"""What the peers' benchmark found: medians over rounds, and the rows that have a limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.peers.libraries import LIBRARIES, library
from benchmarks.peers.machine import Machine

RESULTS = Path(__file__).resolve().parent.parent / "results" / "peers.json"

TOLERANCE = 1.1
"""A limit counts as missed when it is exceeded by more than a tenth."""

GATED_SIZE = 1_000


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared before anything was timed; all of it was equal.

    Args:
        decisions: memberships compared: profiles times audiences.
        pairs: assignments among them, of which `share_b` got variant 1.
    """

    profiles: int
    decisions: int
    pairs: int
    share_b: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One library at one size in one process.

    Units: microseconds per decision over all audiences. Each repeat times the inline floor, the
    engine and the library on the same visitors.
    """

    name: str
    label: str
    version: str
    machine: Machine
    size: int
    checked: Checked
    visitors_per_repeat: int
    floor_us: list[float]
    ours_us: list[float]
    library_us: list[float]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One library at one size: medians over rounds of a process's medians.

    Args:
        to_floor: library over floor, paired within each repeat.
        to_ours: library over engine, paired likewise: how many times faster the engine is.
        to_ours_range: the lowest and the highest of the rounds.
    """

    name: str
    label: str
    version: str
    size: int
    checked: Checked
    rounds: int
    library_us: float
    ours_us: float
    floor_us: float
    to_floor: float
    to_ours: float
    to_ours_range: tuple[float, float]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio that has a limit: the engine is `value` times faster.

    Args:
        limit: missed where the value is more than a tenth below it.
    """

    name: str
    value: float
    limit: float
    goal: float
    holds: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All entries of one benchmark, and the rows with a limit."""

    workload: str
    machine: Machine
    entries: list[Entry]
    rows: list[Row]


def entry_of(runs: Sequence[Run]) -> Entry:
    """Return what the rounds of one library at one size come to."""
    first = runs[0]
    to_ours = [_paired(run.library_us, run.ours_us) for run in runs]
    return Entry(
        name=first.name,
        label=first.label,
        version=first.version,
        size=first.size,
        checked=first.checked,
        rounds=len(runs),
        library_us=median(median(run.library_us) for run in runs),
        ours_us=median(median(run.ours_us) for run in runs),
        floor_us=median(median(run.floor_us) for run in runs),
        to_floor=median(_paired(run.library_us, run.floor_us) for run in runs),
        to_ours=median(to_ours),
        to_ours_range=(min(to_ours), max(to_ours)),
    )


def rows_of(entries: Iterable[Entry]) -> list[Row]:
    """Return the rows with a limit that the entries allow to say."""
    gated = {entry.name: entry for entry in entries if entry.size == GATED_SIZE}
    sdks = [gated[one.name] for one in LIBRARIES if one.splits and one.name in gated]
    rows = []
    if "datalogic" in gated:
        rows.append(_row("datalogic-py", gated["datalogic"].to_ours, limit=5, goal=7))
    if sdks:
        fastest = min(sdks, key=lambda entry: entry.to_ours)
        name = f"the fastest experimentation SDK ({library(fastest.name).title})"
        rows.append(_row(name, fastest.to_ours, limit=25, goal=40))
    return rows


def report_of(runs: Sequence[Run]) -> Report:
    """Return the report of all runs of one machine and one Python."""
    by_case: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        by_case.setdefault((run.name, run.size), []).append(run)
    entries = [entry_of(case) for case in by_case.values()]
    entries.sort(key=lambda entry: (entry.size, entry.library_us))
    return Report(workload="W", machine=runs[0].machine, entries=entries, rows=rows_of(entries))


def _row(name: str, value: float, *, limit: float, goal: float) -> Row:
    holds = value * TOLERANCE >= limit
    return Row(name=f"W(1,000) against {name}", value=value, limit=limit, goal=goal, holds=holds)


def _paired(over: Sequence[float], under: Sequence[float]) -> float:
    return median(above / below for above, below in zip(over, under, strict=True))
