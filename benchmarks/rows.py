"""The rows of the benchmark table: which case measures what, and what it must reach.

A case is a module that prints JSON when it runs, in a process of its own. A row reads one number
out of a case's answer. To add to the table, add a case and its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

TOLERANCE = 1.1
"""A limit counts as missed when it is exceeded, or fallen short of, by more than a tenth."""


class Case(msgspec.Struct, frozen=True):
    """What runs in one process: `python -m benchmarks.<module> <arguments>`.

    Args:
        needs: a program that must be installed, or empty.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    needs: str = ""


class RowSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Args:
        read: the number in the case's answer.
        limit: what must be reached, None for a row that is only told.
        more_is_better: whether the limit is a floor; otherwise it is a ceiling.
    """

    title: str
    case: str
    read: Callable[[Any], float]
    unit: str
    limit: float | None = None
    goal: float | None = None
    more_is_better: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it was measured; no value where its case could not run."""

    title: str
    unit: str
    value: float | None
    limit: float | None
    goal: float | None
    more_is_better: bool = False

    @property
    def holds(self) -> bool:
        """Whether the limit is kept, or there is none; what was not measured is not kept."""
        return self.limit is None or self._reaches(self.limit, TOLERANCE)

    @property
    def reaches_goal(self) -> bool:
        """Whether there is a goal and it is reached."""
        return self.goal is not None and self._reaches(self.goal)

    def _reaches(self, wanted: float, tolerance: float = 1.0) -> bool:
        if self.value is None:
            return False
        if self.more_is_better:
            return self.value * tolerance >= wanted
        return self.value <= wanted * tolerance


def _decide_case(workload: str, size: int) -> Case:
    return Case(f"{workload}({size:,})", "bench_decide", (workload, str(size)))


_DECIDE = (
    ("W", 10, 1.5, 1.2),
    ("W", 20, None, None),
    ("W", 100, 0.8, 0.6),
    ("W", 1000, 0.45, 0.33),
    ("W", 5000, None, None),
    ("W_low", 1000, 0.15, 0.11),
    ("W_low", 5000, 0.10, 0.09),
    ("W_wide", 1000, 0.4, 0.2),
)

CASES: tuple[Case, ...] = (
    *(_decide_case(workload, size) for workload, size, _, _ in _DECIDE),
    Case("W_event", "bench_fold"),
    Case("allocation", "bench_allocate"),
    Case("location and device", "bench_enrich"),
    Case("loading 1,000", "bench_compile", ("1000",)),
    Case("loading 10,000", "bench_compile", ("10000",)),
    Case("reloads", "bench_compile", ("reloads",)),
    Case("simulation", "bench_simulate"),
    Case("W_request", "bench_request"),
    Case("W_request over HTTP", "bench_http", needs="wrk"),
)


def _member(name: str) -> Callable[[Any], float]:
    return lambda answer: float(answer[name])


def _of_label(label: str, member: str = "ratio") -> Callable[[Any], float]:
    """A member of one of several measurements that carry labels."""
    return lambda answer: next(float(one[member]) for one in answer if one["label"] == label)


def _of_size(size: int) -> Callable[[Any], float]:
    return lambda answer: next(float(one["ratio"]) for one in answer if one["size"] == size)


def _loading_rows(size: int, parsed_s: float, yaml_s: float) -> tuple[RowSpec, ...]:
    case = f"loading {size:,}"
    return (
        RowSpec(
            title=f"{case}, parsed", case=case, read=_member("parsed_s"), unit="s", limit=parsed_s
        ),
        RowSpec(title=f"{case}, YAML", case=case, read=_member("yaml_s"), unit="s", limit=yaml_s),
        RowSpec(
            title=f"memory per 1,000 of {size:,}",
            case=case,
            read=lambda answer: float(answer["memory_mb"]) * 1000 / size,
            unit="MB",
            limit=30,
        ),
    )


ROWS: tuple[RowSpec, ...] = (
    *(
        RowSpec(
            title=f"{workload}({size:,})",
            case=f"{workload}({size:,})",
            read=_member("ratio"),
            unit="× inline floor",
            limit=limit,
            goal=goal,
        )
        for workload, size, limit, goal in _DECIDE
    ),
    RowSpec(
        title="W_event(1,000)",
        case="W_event",
        read=_of_size(1000),
        unit="× W_event(100)",
        limit=1.5,
        goal=1.2,
    ),
    RowSpec(
        title="W_request, demo rules",
        case="W_request",
        read=_of_label("demo rules"),
        unit="× bare transaction",
        limit=2.2,
        goal=1.8,
    ),
    RowSpec(
        title="W_request, 1,000 audiences",
        case="W_request",
        read=_of_label("1,000 audiences"),
        unit="× bare transaction",
        limit=3.2,
        goal=2.5,
    ),
    RowSpec(
        title="W_request over HTTP",
        case="W_request over HTTP",
        read=_member("ratio"),
        unit="× bare callable",
        limit=3.2,
        goal=2.6,
    ),
    RowSpec(
        title="of that, decoding and storing alone",
        case="W_request over HTTP",
        read=_member("store_ratio"),
        unit="× bare callable",
    ),
    *_loading_rows(1000, 0.3, 0.8),
    *_loading_rows(10_000, 4, 9),
    RowSpec(
        title="3,000 reloads, growth", case="reloads", read=_member("grown_mb"), unit="MB", limit=4
    ),
    *(
        RowSpec(
            title=f"simulation, {label}",
            case="simulation",
            read=_of_label(label, "events_per_s"),
            unit="events/s",
            limit=least,
            more_is_better=True,
        )
        for label, least in (("demo rules", 40_000), ("1,000 audiences", 20_000))
    ),
    RowSpec(
        title="location of an address",
        case="location and device",
        read=_member("location_us"),
        unit="µs",
        limit=6,
    ),
    RowSpec(
        title="device of a new user agent",
        case="location and device",
        read=_member("device_us"),
        unit="µs",
        limit=4,
    ),
    RowSpec(
        title="one more matching audience",
        case="allocation",
        read=_member("matching_us"),
        unit="µs",
        goal=0.25,
    ),
    RowSpec(
        title="one more other audience",
        case="allocation",
        read=_member("other_ns"),
        unit="ns",
        goal=5,
    ),
)


def rows_of(
    answers: Mapping[str, Any], specs: Sequence[RowSpec] = ROWS, only: str = ""
) -> list[Row]:
    """Return the rows of what cases answered, by the name of the case.

    Args:
        only: part of the names of the cases that were asked for.
    """
    return [
        Row(
            title=spec.title,
            unit=spec.unit,
            value=spec.read(answers[spec.case]) if spec.case in answers else None,
            limit=spec.limit,
            goal=spec.goal,
            more_is_better=spec.more_is_better,
        )
        for spec in specs
        if only in spec.case
    ]
