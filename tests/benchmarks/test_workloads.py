"""The workloads are what they say, and engine, floor and plain data agree on them at N = 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.bench_decide import MAKERS, check_answers
from benchmarks.floor import generate_floor, make_floor
from benchmarks.plain import NOW_MS, AudienceSpec, Condition, Workload
from benchmarks.workloads import WIDE_PRESENT, w, w_event, w_low, w_wide
from edgewise.decide import decide
from edgewise.standing import fold_and_decide

SMALL = 10
TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: bool(value == operand),
    "neq": lambda value, operand: bool(value != operand),
    "in": lambda value, operand: value in operand,
    "contains": lambda value, operand: operand in value,
    "prefix": lambda value, operand: bool(value.startswith(operand)),
    "gt": lambda value, operand: bool(value > operand),
    "member": lambda value, operand: operand in value,
}


def value_of(attributes: dict[str, Any], condition: Condition) -> Any:
    """The value that a condition of W asks for."""
    value: Any = attributes
    for part in condition.attribute.split("."):
        value = value[part]
    return value


def belongs(attributes: dict[str, Any], audience: AudienceSpec) -> bool:
    """Whether a visitor is in an audience, by the plain data alone."""
    return any(
        all(TESTS[one.operator](value_of(attributes, one), one.operand) for one in group)
        for group in audience.groups
    )


@pytest.mark.parametrize("name", MAKERS)
def test_engine_and_floor_agree(name: str) -> None:
    """Both give the same pairs to every visitor."""
    workload = MAKERS[name](SMALL)
    ruleset = workload.load()
    check_answers(ruleset, make_floor(ruleset), workload)


@pytest.mark.parametrize("make", [pytest.param(w, id="W"), pytest.param(w_low, id="W_low")])
def test_plain_data_says_the_same(make: Callable[[int], Workload]) -> None:
    """Read naively, the plain data leads to the audiences that the engine finds."""
    workload = make(SMALL)
    ruleset = workload.load()
    for visitor, profile in zip(workload.visitors, workload.profiles, strict=True):
        members = [one.id for one in workload.audiences if belongs(visitor.attributes, one)]
        assert decide(ruleset, profile, NOW_MS).audiences == members


def test_floor_holds_everything_inline() -> None:
    """The floor is one function that calls nothing of ours but guards and the hash."""
    source = generate_floor(w(SMALL).load()).source
    assert source.count("def ") == 1
    assert source.count("_hash(key, ") == SMALL


@pytest.mark.parametrize(
    ("make", "low", "high"),
    [
        pytest.param(w, 0.2, 0.32, id="W"),
        pytest.param(w_low, 0.02, 0.05, id="W_low"),
        pytest.param(w_wide, 0.005, 0.03, id="W_wide"),
    ],
)
def test_share_of_audiences_that_match(
    make: Callable[[int, int], Workload], low: float, high: float
) -> None:
    """As many audiences match a visitor as the workload's description says."""
    workload = make(200, 50)
    ruleset = workload.load()
    found = sum(len(decide(ruleset, one, NOW_MS).audiences) for one in workload.profiles)
    assert low < found / (200 * 50) < high


def test_wide_has_many_operands_and_few_values() -> None:
    """W_wide asks for hundreds of texts and patterns, of traits that are mostly missing."""
    workload = w_wide(1000, 5)
    operands = {
        (one.operator, one.operand)
        for audience in workload.audiences
        for group in audience.groups
        for one in group
        if one.operator in ("prefix", "contains", "regex")
    }
    assert len(operands) >= 500
    assert {len(visitor.attributes) for visitor in workload.visitors} == {WIDE_PRESENT}


@pytest.mark.parametrize("size", [100, 250])
def test_every_event_satisfies_twenty_matchers(size: int) -> None:
    """However many rules there are, an event of W_event counts for as many of them."""
    workload = w_event(size, 10)
    ruleset = workload.load()
    for profile, event in zip(workload.profiles, workload.events, strict=True):
        assert len(ruleset.evaluator.match_event(event.event)) == 20
        before = sum(profile.counts.values())
        fold_and_decide(ruleset, profile, [event], NOW_MS)
        assert sum(profile.counts.values()) > before


@pytest.mark.parametrize("make", [w, w_low, w_wide, w_event])
def test_workloads_are_seeded(make: Callable[[int, int], Workload]) -> None:
    """Made twice, a workload is the same."""
    assert make(SMALL, 3) == make(SMALL, 3)
