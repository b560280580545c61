"""Measures everything that has a limit, prints the table, and fails where a limit is missed.

python -m benchmarks [--only W_low] [--output results.json]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from benchmarks.rows import CASES, Row, rows_of
from benchmarks.runner import run_cases

OUTPUT = Path(__file__).parent / "results" / "engine.json"


def table_of(rows: list[Row]) -> str:
    """Return the rows as text, a line each."""
    lines = [("", "measured", "limit", "goal", "", "")]
    lines += [
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
    widths = [max(len(line[column]) for line in lines) for column in range(6)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  {line[1]:>{widths[1]}}  {line[2]:>{widths[2]}}  "
        f"{line[3]:>{widths[3]}}  {line[4]:<{widths[4]}}  {line[5]}".rstrip()
        for line in lines
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _verdict(row: Row) -> str:
    if row.value is None:
        return "NOT MEASURED"
    if not row.holds:
        return "MISSED"
    if row.reaches_goal:
        return "goal reached"
    return "holds" if row.limit is not None else ""


def main() -> int:
    """Return 0 where every limit holds, otherwise 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--output", type=Path, default=None, help="where to write the results")
    options = parser.parse_args()
    cases = [case for case in CASES if options.only in case.name]
    if not cases:
        names = ", ".join(case.name for case in CASES)
        parser.error(f'--only: no case has "{options.only}" in its name; there are: {names}')
    results = run_cases(cases, lambda line: print(line, file=sys.stderr))
    # Part of a run must not take the place of a whole one.
    output = options.output or (None if options.only else OUTPUT)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    rows = rows_of(results.answers, only=options.only)
    print(table_of(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
