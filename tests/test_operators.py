"""The table of operators is sound, and no reference function fails on any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.operators import (
    BY_NAME,
    BY_PHRASE,
    COUNT_OPERATORS,
    OPERATORS,
    Operator,
    compile_regex,
    reference_test,
)
from edgewise.values import number_of, text_of, time_of
from tests.strategies import ANY_VALUE, OPERANDS, REGEXES, made_up

POSITIVE = [row for row in OPERATORS if row.test]
NEGATIVE = [row for row in OPERATORS if row.negates]
INDEXES = {"hash", "order", "prefix", "suffix", "scan", "members"}


def test_names_are_unique() -> None:
    """No name, alias or phrase stands for two operators."""
    names = [name for row in OPERATORS for name in (row.name, *row.aliases)]
    phrases = [phrase for row in OPERATORS for phrase in (row.phrase, *row.phrases)]
    assert len(set(names)) == len(names) == len(BY_NAME)
    assert len(set(phrases)) == len(phrases) == len(BY_PHRASE)


@pytest.mark.parametrize("row", OPERATORS, ids=lambda row: str(row.name))
def test_row(row: Operator) -> None:
    """An operator has a function and an index, or what it negates, and one line for people."""
    assert row.doc.endswith(".")
    assert row.operand in OPERANDS
    if row.negates:
        assert (row.test, row.index) == (None, "")
        assert BY_NAME[row.negates].test is not None
        assert BY_NAME[row.negates].operand == row.operand
    else:
        assert row.test is not None
        assert row.index in INDEXES


@pytest.mark.parametrize("row", POSITIVE, ids=lambda row: str(row.name))
def test_function_has_its_row(row: Operator) -> None:
    """A positive operator's function is found by every name of it."""
    for name in (row.name, *row.aliases):
        assert reference_test(name) is row.test


@pytest.mark.parametrize("row", NEGATIVE, ids=lambda row: str(row.name))
def test_negations_have_no_function(row: Operator) -> None:
    """A negation is evaluated as the opposite of another operator, and has no function."""
    with pytest.raises(KeyError):
        reference_test(row.name)


def test_count_operators() -> None:
    """Counts compare by operators of numbers and by equality."""
    assert {BY_NAME[name].operand for name in COUNT_OPERATORS} == {"number", "value"}


def operand_of(row: Operator, raw: Any) -> Any:
    """What parsers make of an operand, or None where they refuse it."""
    readers: dict[str, Callable[[Any], Any]] = {
        "number": number_of,
        "time": time_of,
        "values": tuple,
        "text": text_of,
    }
    read = readers.get(row.operand)
    return read(raw) if read else raw


@settings(max_examples=1000)
@given(st.sampled_from(POSITIVE), st.sampled_from(ANY_VALUE) | made_up, st.data())
def test_functions_never_fail(row: Operator, value: Any, data: st.DataObject) -> None:
    """Of any value that is not null every function says true or false."""
    operand = operand_of(row, data.draw(st.sampled_from(OPERANDS[row.operand])))
    if value is None or (operand is None and row.operand != "none"):
        return
    assert row.test is not None
    assert isinstance(row.test(value, operand), bool)


@pytest.mark.parametrize("operand", [0, 7, 1.5, -1])
@pytest.mark.parametrize("value", [0, 7, "7", 1.5, " -1 ", "1e0", 2**70, float("inf")], ids=repr)
def test_order_is_total_over_numbers(value: Any, operand: float) -> None:
    """Of two numbers one is less, equal or greater, and the inclusive pair says so too."""
    less, greater, equal = (
        reference_test(name)(value, operand) for name in ("lessThan", "greaterThan", "equal")
    )
    assert [less, greater, equal].count(True) == 1
    assert reference_test("lessThanInclusive")(value, operand) is (less or equal)
    assert reference_test("greaterThanInclusive")(value, operand) is (greater or equal)


@pytest.mark.parametrize("value", [float("nan"), "a", True, {}, [1, 2]], ids=repr)
def test_order_of_what_is_no_number(value: Any) -> None:
    """What is no number is neither less nor greater than one."""
    for name in ("lessThan", "greaterThan", "lessThanInclusive", "greaterThanInclusive"):
        assert reference_test(name)(value, 0) is False


def test_regex_is_silent_about_errors(capfd: pytest.CaptureFixture[str]) -> None:
    """RE2 raises and prints nothing."""
    for pattern in ("(?=a)", "[", r"\1"):
        with pytest.raises(re2.error):
            compile_regex(pattern)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("pattern", REGEXES)
def test_regexes_of_other_tests_are_good(pattern: str) -> None:
    """The expressions that generated rules use are expressions."""
    compile_regex(pattern)
