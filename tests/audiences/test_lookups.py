"""Looking up all tests on an attribute at once says what each of them says alone."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.audiences import texts
from edgewise.audiences.lookups import make_lookup, make_order_lookup
from edgewise.model.audience import Attribute, Test
from edgewise.operators import OPERATORS, Operator, reference_test
from tests.strategies import ANY_VALUE, BEYOND, NUMBERS, REGEXES, TEXTS, TIMES_MS

TRAIT = Attribute("trait", "k")
SCALARS: tuple[Any, ...] = (*TEXTS, *NUMBERS, *BEYOND)
OPERANDS: dict[str, tuple[Any, ...]] = {
    "value": SCALARS,
    "text": (*TEXTS, "\ufffd"),
    "number": (*NUMBERS, *BEYOND),
    "time": (*TIMES_MS, 1_769_817_600_000),
    "values": ((), ("a",), ("a", "", "42"), (42, "42"), (0, 0.1, "b"), tuple(TEXTS)),
    "regex": REGEXES,
    "none": (None,),
}
POSITIVE = [row for row in OPERATORS if row.test]


def rows_of(operator: Operator) -> list[Test]:
    """A test for each operand that an operator can have."""
    return [Test(TRAIT, operator.name, operand) for operand in OPERANDS[operator.operand]]


def expected(tests: list[Test], value: Any) -> int:
    """The bits of the tests that hold by the reference, one by one."""
    return sum(
        1 << bit
        for bit, test in enumerate(tests)
        if reference_test(test.operator)(value, test.operand)
    )


def assert_agrees(tests: list[Test]) -> None:
    """Hold a lookup of some tests against the reference, over every value there is."""
    tests = list(dict.fromkeys(tests))  # 1000 and 1e3 are one test
    lookup = make_lookup({test: 1 << bit for bit, test in enumerate(tests)})
    for value in ANY_VALUE:
        if value is not None:
            assert lookup(value) == expected(tests, value), value


@pytest.mark.parametrize("needles", [pytest.param(0, id="sets"), pytest.param(99, id="loops")])
@pytest.mark.parametrize("operator", [pytest.param(row, id=row.name) for row in POSITIVE])
def test_one_operator(operator: Operator, needles: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests of one operator together, on any value."""
    monkeypatch.setattr(texts, "MAX_NEEDLES", needles)
    assert_agrees(rows_of(operator))


def test_all_operators_together() -> None:
    """Tests of all operators on one attribute, on any value."""
    assert_agrees([test for row in POSITIVE for test in rows_of(row)])


@pytest.mark.parametrize("first", [pytest.param(row, id=row.name) for row in POSITIVE])
def test_two_operators(first: Operator) -> None:
    """Each operator beside each other one, on any value."""
    for second in POSITIVE:
        assert_agrees([*rows_of(first)[:6], *rows_of(second)[:6]])


def test_every_interval_has_its_mask() -> None:
    """Below, on and above each bound, exactly those comparisons hold that should."""
    rows = [("lessThan", 1, 1), ("lessThanInclusive", 1, 2), ("equal", 1, 4)]
    rows += [("greaterThanInclusive", 1, 8), ("greaterThan", 1, 16), ("greaterThan", 3, 32)]
    lookup = make_order_lookup(rows)
    assert [lookup(number) for number in (0, 1, 2, 3, 4)] == [3, 14, 24, 24, 56]


def test_pattern_sets_beyond_their_memory_are_split() -> None:
    """Expressions that one set cannot hold are found by several."""
    words = [f"{'(?:a?){1000}' * 2}word{number:02}" for number in range(40)]
    lookup = make_lookup({Test(TRAIT, "matches", word): 1 << bit for bit, word in enumerate(words)})
    assert lookup("aaa word07 aaa word31") == 1 << 7 | 1 << 31
