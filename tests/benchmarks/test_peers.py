"""The peers' benchmark without the peers: what counts as right, and what the results come to."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import bench_peers
from benchmarks.peers import shapes
from benchmarks.peers.libraries import LIBRARIES, Library, library
from benchmarks.peers.machine import Machine
from benchmarks.peers.results import RESULTS, Checked, Report, Run, report_of
from benchmarks.peers.table import page_text, rows_text, table_of, with_results
from benchmarks.peers.worker import WrongAnswerError, compare, our_pairs
from benchmarks.plain import NOW_MS, AudienceSpec, Visitor
from benchmarks.workloads import w

PEERS = Path(bench_peers.__file__).parent / "peers"
WORKLOAD = w(10)

PLAIN: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: value == operand,
    "neq": lambda value, operand: value != operand,
    "in": lambda value, operand: value in operand,
    "contains": lambda value, operand: operand in value,
    "prefix": lambda value, operand: value.startswith(operand),
    "gt": lambda value, operand: value > operand,
    "member": lambda value, operand: operand in value,
}


def pin_of(one: Library) -> str:
    """The requirement that pins a library's version."""
    return (PEERS / "requirements" / f"{one.name}.in").read_text().splitlines()[-1]


def holds(audience: AudienceSpec, attributes: Mapping[str, Any]) -> bool:
    """Whether plain data lies in a plain audience, by the meaning of each operator."""
    flat = shapes.flat(attributes)
    return any(
        all(PLAIN[one.operator](flat[one.attribute], one.operand) for one in group)
        for group in audience.groups
    )


def test_the_plain_workload_says_what_the_engine_evaluates() -> None:
    """W(10) as plain data has the members that the engine finds in the native rules."""
    ruleset = WORKLOAD.load()
    for visitor, profile in zip(WORKLOAD.visitors, WORKLOAD.profiles, strict=True):
        plain = [one.id for one in WORKLOAD.audiences if holds(one, visitor.attributes)]
        assert list(ruleset.evaluator.members(profile, NOW_MS)) == plain


def test_every_member_of_an_audience_is_assigned_a_variant() -> None:
    """The engine's pairs name exactly the members' audiences, each with variant 0 or 1."""
    ruleset = WORKLOAD.load()
    indexes = set()
    for profile in WORKLOAD.profiles:
        pairs = our_pairs(WORKLOAD.audiences, ruleset, profile)
        members = ruleset.evaluator.members(profile, NOW_MS)
        assert sorted(name for name, _ in pairs) == sorted(members)
        indexes |= {index for _, index in pairs}
    assert indexes == {0, 1}


VISITOR = Visitor("v", {})
SPLITS = library("eppo")
OURS = library("datalogic")


@pytest.mark.parametrize(
    ("one", "answer"),
    [
        pytest.param(SPLITS, [("a", 0)], id="missing"),
        pytest.param(SPLITS, [("a", 0), ("b", 1), ("c", 0)], id="extra"),
        pytest.param(SPLITS, [("a", 0), ("b", 1), ("b", 1)], id="twice"),
        pytest.param(OURS, [("a", 0), ("b", 0)], id="other_variant_by_our_hash"),
    ],
)
def test_a_wrong_answer_stops_the_benchmark(one: Library, answer: list[shapes.Pair]) -> None:
    """Another membership counts as wrong, and another variant where the hash is the engine's."""
    with pytest.raises(WrongAnswerError):
        compare(one, answer, [("a", 0), ("b", 1)], VISITOR)


def test_a_library_may_split_by_its_own_hash() -> None:
    """With the same members, another variant is right where the library hashes by itself."""
    compare(SPLITS, [("b", 0), ("a", 1)], [("a", 0), ("b", 1)], VISITOR)


def test_a_worker_ends_when_something_connects() -> None:
    """A connection from Python code is an error before a byte has left."""
    code = (
        "from benchmarks.peers.worker import forbid_connections; import socket;"
        "forbid_connections(); socket.create_connection(('127.0.0.1', 9), 1)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ended.returncode == 1
    assert "is to stay offline" in ended.stderr


def made_run(name: str, size: int, library_us: float, ours_us: float = 10.0) -> Run:
    """A run whose repeats are all the same."""
    return Run(
        name=name,
        label=library(name).label,
        version="1",
        machine=Machine(processor="p", cores=2, system="s", python="3"),
        size=size,
        checked=Checked(profiles=1, decisions=1, pairs=2, share_b=0.5),
        visitors_per_repeat=5,
        floor_us=[20.0] * 3,
        ours_us=[ours_us] * 3,
        library_us=[library_us] * 3,
    )


def test_the_limits_are_against_datalogic_and_the_fastest_sdk() -> None:
    """At 1,000 audiences the fastest library with experiments of its own is the one that counts."""
    runs = [
        made_run("datalogic", 1_000, 60),
        made_run("posthog", 1_000, 900),
        made_run("eppo", 1_000, 300),
        made_run("eppo", 10, 1),
    ]
    report = report_of(runs)
    assert [row.value for row in report.rows] == [6, 30]
    assert "Eppo" in report.rows[1].name
    assert all(row.holds for row in report.rows)


@pytest.mark.parametrize(
    ("library_us", "holds"),
    [pytest.param(45.5, True, id="within_a_tenth"), pytest.param(45.4, False, id="below")],
)
def test_a_limit_is_missed_by_more_than_a_tenth(library_us: float, holds: bool) -> None:
    """A ratio down to 1 / 1.1 of the limit still counts as reached."""
    (row,) = report_of([made_run("datalogic", 1_000, library_us)]).rows
    assert row.holds is holds
    assert ("MISSED" in rows_text([row])) is not holds


def test_rounds_become_one_entry_by_their_median() -> None:
    """Several processes of one case give one entry, with the range of their ratios."""
    report = report_of([made_run("eppo", 10, us) for us in (100, 300, 200)])
    (entry,) = report.entries
    assert (entry.rounds, entry.library_us, entry.to_ours) == (3, 200, 20)
    assert entry.to_ours_range == (10, 30)


def test_the_table_has_a_line_per_library_and_a_column_per_size() -> None:
    """Floor, engine and libraries stand in one table; what was not measured stays empty."""
    cases = (("eppo", 10, 100), ("unleash", 1_000, 5_000), ("eppo", 1_000, 50))
    lines = table_of(report_of([made_run(*case) for case in cases])).splitlines()
    assert lines[0].count("µs") == 2
    assert [line.split(" | ")[0].strip("|* ") for line in lines[2:]] == [
        "inline floor",
        "edgewise",
        "Eppo SDK",
        "UnleashClient",
    ]
    assert "|  | 5,000 |" in lines[-1]


def test_a_round_runs_every_case_once_in_another_order() -> None:
    """The cases of a round are those asked for, and rounds differ in their order only."""
    cases = [(one.name, size) for one, size in bench_peers.cases_of((), (10, 100), 2)]
    first, second = cases[: len(cases) // 2], cases[len(cases) // 2 :]
    assert sorted(first) == sorted(second) == sorted({*cases})
    assert first != second
    assert {size for _, size in cases} == {10, 100}


@pytest.mark.parametrize("one", LIBRARIES, ids=lambda one: one.name)
def test_a_library_has_an_adapter_with_three_names_and_pinned_requirements(one: Library) -> None:
    """Each adapter has `label`, `prepare` and `decide`; its label is the pinned distribution."""
    tree = ast.parse((PEERS / f"bench_{one.name}.py").read_text())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    labels = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "label"
    ]
    assert functions == {"prepare", "decide"}
    assert labels == [one.label]
    pinned = pin_of(one)
    assert pinned.startswith(f"{one.label}==")
    locked = (PEERS / "requirements" / f"{one.name}.txt").read_text()
    assert f"{pinned.lower()} \\\n    --hash=sha256:" in locked


def test_the_page_shows_the_committed_results() -> None:
    """The documentation's table is the one of the committed results."""
    report = msgspec.json.decode(RESULTS.read_bytes(), type=Report)
    page = (bench_peers.ROOT / "docs" / "peers.md").read_text("utf-8")
    assert with_results(page, page_text(report)) == page


def test_the_committed_results_are_of_the_pinned_versions() -> None:
    """Every library was measured, at each of its sizes, in the version that is pinned now."""
    report = msgspec.json.decode(RESULTS.read_bytes(), type=Report)
    measured = {(one.name, one.size, f"{one.label}=={one.version}") for one in report.entries}
    assert measured == {(one.name, size, pin_of(one)) for one in LIBRARIES for size in one.sizes}


def test_a_page_without_markers_is_refused() -> None:
    """Results are not written over a page that has no place for them."""
    with pytest.raises(ValueError, match="results: peers"):
        with_results("text", "table")
