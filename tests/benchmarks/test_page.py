"""The tables of the page about performance."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.page import PAGE, RESULTS, with_tables
from benchmarks.peers.machine import Machine
from benchmarks.runner import Results

MACHINE = Machine(processor="P", cores=2, system="S", python="Python")
REQUEST = {
    "label": "20 audiences",
    "ratio": 2.0,
    "p50_us": 100.4,
    "p99_us": 300.0,
    "bare_p50_us": 50.0,
    "bare_p99_us": 90.0,
}


def results(**members: float) -> Results:
    """Return a run that measured requests with 20 audiences and over HTTP only."""
    over_http = {"ratio": 3.0, "store_ratio": 2.5, **members}
    answers = {
        "W_request": [
            REQUEST,
            *({**REQUEST, "label": one} for one in ("demo rules", "1,000 audiences")),
        ],
        "W_request over HTTP": over_http,
    }
    return Results(machine=MACHINE, versions={}, answers=answers)


def test_requests_are_told_with_their_percentiles() -> None:
    """A line per ruleset says what a request takes, and what its transaction alone."""
    page = with_tables(PAGE.read_text("utf-8"), results())
    assert "| 20 audiences | **100** | **300** | 50 | 90 | 2.00 |" in page
    assert "Measured on P, 2 cores, S, Python." in page


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [pytest.param(3.0, "holds", id="kept"), pytest.param(3.6, "**missed**", id="exceeded")],
)
def test_limits_are_told_with_whether_they_hold(ratio: float, verdict: str) -> None:
    """A row that has a limit says whether it is kept; one that was not measured says so."""
    page = with_tables(PAGE.read_text("utf-8"), results(ratio=ratio))
    row = f"| W_request over HTTP | {ratio:.3g} | 3.2 | 2.6 | × bare callable | {verdict} |"
    assert row in page
    assert "| W(10) |  | 1.5 | 1.2 | × inline floor | not measured |" in page


def test_the_page_shows_the_committed_results() -> None:
    """Writing the tables again changes nothing."""
    page = PAGE.read_text("utf-8")
    assert with_tables(page, msgspec.json.decode(RESULTS.read_bytes(), type=Results)) == page


def test_a_page_without_markers_is_refused() -> None:
    """Tables have their places, and a page without them is not written."""
    with pytest.raises(ValueError, match="results: requests"):
        with_tables("# Performance\n", results())
