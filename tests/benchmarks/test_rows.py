"""The benchmark table: what holds, what is missed, and what changed between two results."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import table_of
from benchmarks.compare import Change, changes
from benchmarks.rows import CASES, ROWS, Row, RowSpec, rows_of


def row(value: float | None, limit: float | None = 2.0, goal: float | None = 1.0) -> Row:
    """A measured row."""
    return Row(title="W(1)", unit="×", value=value, limit=limit, goal=goal)


def floor(value: float | None) -> Row:
    """A measured row of which more is better."""
    return Row(title="W(1)", unit="1/s", value=value, limit=100, goal=200, more_is_better=True)


@pytest.mark.parametrize(
    ("measured", "holds"),
    [
        pytest.param(row(0.9), True, id="goal-reached"),
        pytest.param(row(2.0), True, id="at-the-limit"),
        pytest.param(row(2.19), True, id="within-a-tenth"),
        pytest.param(row(2.21), False, id="beyond-a-tenth"),
        pytest.param(row(None), False, id="not-measured"),
        pytest.param(floor(100), True, id="at-the-floor"),
        pytest.param(floor(91), True, id="within-a-tenth-of-the-floor"),
        pytest.param(floor(90), False, id="below-the-floor"),
        pytest.param(floor(None), False, id="floor-not-measured"),
        pytest.param(row(99, limit=None), True, id="without-limit"),
        pytest.param(row(None, limit=None), True, id="not-measured-without-limit"),
    ],
)
def test_limit_holds(measured: Row, holds: bool) -> None:
    """A limit is missed when it is exceeded by more than a tenth, or was not measured."""
    assert measured.holds is holds


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        pytest.param(row(0.9), "goal reached", id="goal"),
        pytest.param(row(1.5), "holds", id="holds"),
        pytest.param(row(3), "MISSED", id="missed"),
        pytest.param(row(None), "NOT MEASURED", id="not-measured"),
        pytest.param(floor(200), "goal reached", id="goal-above-the-floor"),
        pytest.param(floor(199), "holds", id="above-the-floor"),
    ],
)
def test_table_says_whether_limits_hold(measured: Row, verdict: str) -> None:
    """Each line ends with what became of its limit."""
    assert table_of([measured]).splitlines()[-1].endswith(verdict)


def test_every_row_has_a_case() -> None:
    """Rows read the answers of cases that run, and both have names of their own."""
    names = [case.name for case in CASES]
    titles = [spec.title for spec in ROWS]
    assert {spec.case for spec in ROWS} <= set(names)
    assert len(set(names)) == len(names)
    assert len(set(titles)) == len(titles)


def test_rows_read_the_answers() -> None:
    """A row's value is the number that it reads, and none where its case did not run."""
    specs = [
        RowSpec(title=name, case=name, read=lambda answer: float(answer["x"]), unit="s", limit=1)
        for name in ("first", "second")
    ]
    assert [one.value for one in rows_of({"second": {"x": 3}}, specs)] == [None, 3.0]
    assert [one.title for one in rows_of({}, specs, only="first")] == ["first"]


@pytest.mark.parametrize(
    ("before", "after", "band"),
    [
        pytest.param(1.0, 1.09, "same", id="noise"),
        pytest.param(1.0, 1.2, "slower", id="slower"),
        pytest.param(1.0, 0.8, "faster", id="faster"),
        pytest.param(1.0, 2.0, "much slower", id="much-slower"),
        pytest.param(1.0, 0.5, "much faster", id="much-faster"),
        pytest.param(0.0, 1.0, "same", id="from-nothing"),
    ],
)
def test_band_of_a_change(before: float, after: float, band: str) -> None:
    """A change within a tenth is noise; beyond three tenths it is much."""
    assert Change("W(1)", before, after).band == band


def test_changes_of_rows_that_both_have() -> None:
    """Rows that one of the results lacks are left out."""
    assert changes([row(1.0)], [row(2.0)]) == [Change("W(1)", 1.0, 2.0)]
    assert changes([row(None)], [row(2.0)]) == []
    assert changes([], [row(2.0)]) == []


def test_more_of_what_more_is_better_of_is_faster() -> None:
    """A rate that grows has become faster, and one that falls slower."""
    assert [one.band for one in changes([floor(100)], [floor(120)])] == ["faster"]
    assert [one.band for one in changes([floor(120)], [floor(100)])] == ["slower"]
