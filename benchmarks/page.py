"""The tables of docs/performance.md, from the committed results of a whole run.

python -m benchmarks.page
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers.machine import Machine
from benchmarks.peers.table import with_results
from benchmarks.rows import Row, rows_of
from benchmarks.runner import Results

RESULTS = Path(__file__).parent / "results" / "engine.json"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"

REQUESTS, LIMITS = "<!-- results: requests -->", "<!-- results: limits -->"
_REQUEST_CASE = "W_request"


def with_tables(page: str, results: Results) -> str:
    """Return the page with the tables of these results. Errors: ValueError without the markers."""
    requests = requests_text(results.answers.get(_REQUEST_CASE, ()), results.machine)
    limits = limits_text(rows_of(results.answers))
    return with_results(with_results(page, requests, REQUESTS), limits, LIMITS)


def requests_text(measured: Sequence[Mapping[str, Any]], machine: Machine) -> str:
    """Return what whole requests take, a line per ruleset."""
    where = f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}."
    header = ("rules", "request, p50 µs", "p99 µs", "transaction alone, p50 µs", "p99 µs", "×")
    lines = [
        (
            one["label"],
            f"**{one['p50_us']:.0f}**",
            f"**{one['p99_us']:.0f}**",
            f"{one['bare_p50_us']:.0f}",
            f"{one['bare_p99_us']:.0f}",
            f"{one['ratio']:.2f}",
        )
        for one in measured
    ]
    return f"Measured on {where}\n\n{_table(header, lines)}"


def limits_text(rows: Sequence[Row]) -> str:
    """Return every row of the benchmark table, with what it must reach and whether it does."""
    header = ("", "measured", "limit", "goal", "", "")
    lines = [
        (
            row.title,
            _number(row.value),
            _number(row.limit),
            _number(row.goal),
            row.unit,
            _verdict(row),
        )
        for row in rows
    ]
    return _table(header, lines)


def _verdict(row: Row) -> str:
    if row.value is None:
        return "not measured"
    if row.limit is None:
        return ""
    return "holds" if row.holds else "**missed**"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *lines))


def main() -> int:
    """Write the tables into the page and return the exit status."""
    if not RESULTS.exists():
        print("no results to show: run make bench")
        return 1
    results = msgspec.json.decode(RESULTS.read_bytes(), type=Results)
    PAGE.write_text(with_tables(PAGE.read_text("utf-8"), results), "utf-8")
    print(PAGE.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
