"""Whether some conditions can hold together: those that look at the same value, by that value."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from edgewise.audiences.describing import describe_test
from edgewise.model.audience import CountTest, Leaf, Operand, Test
from edgewise.operators import reference_test

_NUMBER_TESTS = frozenset(
    {"equal", "in", "greaterThan", "greaterThanInclusive", "lessThan", "lessThanInclusive"}
)
# Whether an operator bounds from below, and whether the bound itself is out.
_NUMBER_BOUNDS = {
    "greaterThan": (True, True),
    "greaterThanInclusive": (True, False),
    "lessThan": (False, True),
    "lessThanInclusive": (False, False),
}
_TIME_BOUNDS = {
    "after": (True, True),
    "onOrAfter": (True, False),
    "before": (False, True),
    "onOrBefore": (False, False),
}


def conflict(positive: Sequence[Leaf], negative: Sequence[Leaf]) -> str:
    """Return why some tests cannot all hold while some others do not, or nothing if they can.

    It finds what two conditions on one value rule out, and says nothing of what it cannot tell.
    """
    refused = [leaf.test for leaf in negative]
    for leaf in positive:
        if leaf.test in refused:
            return f"it asks for `{describe_test(leaf.test)}` and for the opposite"
    tests = [leaf.test for leaf in positive]
    counts = [test for test in tests if isinstance(test, CountTest)]
    values = [test for test in tests if isinstance(test, Test)]
    refused_values = [test for test in refused if isinstance(test, Test)]
    for matcher_id in dict.fromkeys(test.matcher.id for test in counts):
        same = [test for test in counts if test.matcher.id == matcher_id]
        if not _has_count(same):
            return _both(same)
    for attribute in dict.fromkeys(test.attribute for test in values):
        here = [test for test in values if test.attribute == attribute]
        not_here = [test for test in refused_values if test.attribute == attribute]
        if not _has_value(here, not_here):
            return _both([*here, *not_here])
    return ""


def _both(tests: Sequence[Test | CountTest]) -> str:
    return f"no value satisfies {' and '.join(f'`{describe_test(test)}`' for test in tests)}"


def _has_count(tests: Sequence[CountTest]) -> bool:
    low, high = 0.0, math.inf
    for test in tests:
        match test.operator:
            case "greaterThanInclusive":
                low = max(low, test.count)
            case "greaterThan":
                low = max(low, test.count + 1)
            case "lessThan":
                high = min(high, test.count - 1)
            case "lessThanInclusive":
                high = min(high, test.count)
            case "equal":
                low, high = max(low, test.count), min(high, test.count)
    return low <= high


def _has_value(tests: Sequence[Test], refused: Sequence[Test]) -> bool:
    for test in tests:
        if test.operator in ("equal", "in"):
            members = test.operand if isinstance(test.operand, tuple) else (test.operand,)
            return any(_passes(member, tests, refused) for member in members)
    return _has_range(tests, _NUMBER_BOUNDS) and _has_range(tests, _TIME_BOUNDS)


def _passes(value: Operand, tests: Iterable[Test], refused: Iterable[Test]) -> bool:
    if value is None:
        return True
    return all(_may_pass(value, test) for test in tests) and not any(
        test.operator in ("equal", "in") and reference_test(test.operator)(value, test.operand)
        for test in refused
    )


def _may_pass(value: Operand, test: Test) -> bool:
    """Of a number it is not known how the value spells it, so only numbers are compared."""
    if test.operator == "exists" or (
        not isinstance(value, str) and test.operator not in _NUMBER_TESTS
    ):
        return True
    return reference_test(test.operator)(value, test.operand)


def _has_range(tests: Iterable[Test], bounds: Mapping[str, tuple[bool, bool]]) -> bool:
    lows, highs = [(-math.inf, False)], [(math.inf, False)]
    for test in tests:
        if test.operator in bounds and isinstance(test.operand, (int, float)):
            is_low, is_out = bounds[test.operator]
            (lows if is_low else highs).append((test.operand, is_out))
    low, low_is_out = max(lows)
    high, high_is_out = min(highs, key=lambda bound: (bound[0], not bound[1]))
    return low < high or (low == high and not (low_is_out or high_is_out))
