"""The peers' results as text: one Markdown table, for the terminal and the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.peers.libraries import library
from benchmarks.peers.results import GATED_SIZE, Entry, Report, Row

OURS, FLOOR = "edgewise", "inline floor"
START, END = "<!-- results: peers -->", "<!-- end -->"


def table_of(report: Report) -> str:
    """Return the table of a report: a line per library, fastest first, and the engine on top."""
    sizes = sorted({entry.size for entry in report.entries})
    header = ["", "version", *(f"µs, N = {size:,}" for size in sizes)]
    header += ["to the floor", "edgewise is faster by"]
    lines = [_line(header), _line(["---", "---", *["--:"] * (len(sizes) + 2)])]
    lines.append(_line([FLOOR, "", *_column(report, sizes, "floor_us"), "1", ""]))
    lines.append(_line([f"**{OURS}**", "", *_column(report, sizes, "ours_us"), _ours(report), ""]))
    return "\n".join([*lines, *map(_line, _library_lines(report, sizes))])


def with_results(page: str, text: str, marker: str = START) -> str:
    """Return a page with the text between a results marker and the next end marker replaced.

    Errors: ValueError where the page has no such markers.
    """
    before, start, rest = page.partition(marker)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page needs a line {marker} and after it a line {END}")
    return f"{before}{start}\n\n{text}\n\n{end}{after}"


def page_text(report: Report) -> str:
    """Return what the documentation says of a report: machine, table and rows with a limit."""
    machine = report.machine
    where = f"{machine.processor}, {machine.cores} cores, {machine.system}, {machine.python}."
    ends = "\n".join(f"- {line}" for line in rows_text(report.rows).splitlines())
    return f"Measured on {where}\n\n{table_of(report)}\n\n{ends}"


def rows_text(rows: Sequence[Row]) -> str:
    """Return the rows that have a limit, one per line."""
    return "\n".join(
        f"{row.name}: {row.value:.1f} times faster "
        f"(limit {row.limit:g}, goal {row.goal:g}): {'holds' if row.holds else 'MISSED'}"
        for row in rows
    )


def _library_lines(report: Report, sizes: Sequence[int]) -> list[list[str]]:
    by_name: dict[str, dict[int, Entry]] = {}
    for entry in report.entries:
        by_name.setdefault(entry.name, {})[entry.size] = entry
    fastest_first = sorted(by_name, key=lambda name: _at(by_name[name]).library_us)
    return [_library_line(library(name).title, by_name[name], sizes) for name in fastest_first]


def _at(cases: Mapping[int, Entry]) -> Entry:
    """The size that ratios are told for: 1,000 where it was measured, else the largest."""
    return cases.get(GATED_SIZE) or cases[max(cases)]


def _library_line(title: str, cases: Mapping[int, Entry], sizes: Sequence[int]) -> list[str]:
    at = _at(cases)
    times = [_number(cases[size].library_us) if size in cases else "" for size in sizes]
    low, high = at.to_ours_range
    faster = f"{_number(at.to_ours)} ({_number(low)} to {_number(high)})"
    return [title, at.version, *times, _number(at.to_floor), faster]


def _column(report: Report, sizes: Sequence[int], field: str) -> list[str]:
    """Medians over the processes of all libraries, each of which timed floor and engine too."""
    return [
        _number(median(getattr(one, field) for one in report.entries if one.size == size))
        for size in sizes
    ]


def _ours(report: Report) -> str:
    ratios = [one.to_floor / one.to_ours for one in report.entries if one.size == GATED_SIZE]
    return _number(median(ratios)) if ratios else ""


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
