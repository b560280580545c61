"""One attribute's value → the tests on it that hold, all at once, as a bit mask.

Each test comes with a mask of its own: the bits that its holding turns on. A lookup returns the
union of the masks of the tests that hold for a value. What it costs depends on the kinds of tests,
hardly on their number:

    equals, is one of           one look into a dictionary, by text or by number
    includes                    the same for each member of a list
    <, <=, >, >=, before, ...   one bisection; the mask of each interval is worked out at load
    starts with, ends with      one look per length that occurs
    contains, matches           one pass of an RE2 set; a few texts alone are searched for in turn

How values compare is said in `edgewise.operators`. Here a value is read as text, as number or as
time once, for all tests together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from math import isnan
from typing import Any

from edgewise.audiences.texts import TestRow, make_text_lookup
from edgewise.model.audience import Test
from edgewise.operators import reference_test
from edgewise.values import is_present, number_of, text_of, time_of

Lookup = Callable[[Any], int]

_EQUALITY = frozenset({"equal", "in"})
_PATTERNS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_ORDER = frozenset({"greaterThan", "greaterThanInclusive", "lessThan", "lessThanInclusive"})
_TIME_ORDER = {
    "after": "greaterThan",
    "onOrAfter": "greaterThanInclusive",
    "before": "lessThan",
    "onOrBefore": "lessThanInclusive",
}


def make_lookup(masks: Mapping[Test, int]) -> Lookup:
    """Return the lookup of some tests on one attribute.

    Args:
        masks: for each test the bits that it turns on.
    """
    return _Tables(masks).lookup()


class _Tables:
    """The tests on one attribute, sorted by how they read a value."""

    def __init__(self, masks: Mapping[Test, int]) -> None:
        whole: list[TestRow] = []
        members: list[TestRow] = []
        patterns: list[TestRow] = []
        order: list[TestRow] = []
        times: list[TestRow] = []
        self.present = 0
        self.others: list[tuple[Callable[[Any, Any], bool], Any, int]] = []
        for test, mask in masks.items():
            row = (test.operator, test.operand, mask)
            if test.operator in _EQUALITY:
                whole.append(row)
            elif test.operator == "includes":
                members.append(row)
            elif test.operator in _PATTERNS:
                patterns.append(row)
            elif test.operator in _ORDER:
                order.append(row)
            elif test.operator in _TIME_ORDER:
                times.append((_TIME_ORDER[test.operator], test.operand, mask))
            elif test.operator == "exists":
                self.present |= mask
            else:
                self.others.append((reference_test(test.operator), test.operand, mask))
        # A single value is a list of one, so `includes` reads it as `equals` does.
        self.of_text = make_text_lookup(by_text([*whole, *members]), patterns)
        self.of_number = make_number_lookup(by_number([*whole, *members]), order)
        self.of_list_text = make_text_lookup(by_text(whole), patterns)
        self.of_list_number = make_number_lookup(by_number(whole), order)
        self.of_member_text = make_text_lookup(by_text(members), [])
        self.of_member_number = make_number_lookup(by_number(members), [])
        self.of_time = make_order_lookup(times) if times else None

    def lookup(self) -> Lookup:
        """Return the quickest lookup for the tests at hand."""
        slow = self._any_value
        of_text, of_number = self.of_text, self.of_number
        if self.of_time or self.present or self.others:
            return slow
        if of_text and not of_number:
            text_only: Callable[[str], int] = of_text

            def look_up_text(value: Any) -> int:
                return text_only(value) if value.__class__ is str else slow(value)

            return look_up_text
        if of_number and not of_text:
            number_only: Callable[[float], int] = of_number

            def look_up_number(value: Any) -> int:
                return number_only(value) if value.__class__ is int else slow(value)

            return look_up_number
        return slow

    def _any_value(self, value: Any) -> int:
        if isinstance(value, (list, tuple)):
            found = self._list(value)
        else:
            found = _read(value, self.of_text, self.of_number)
        if self.of_time:
            time_ms = time_of(value)
            if time_ms is not None:
                found |= self.of_time(time_ms)
        if self.present and is_present(value):
            found |= self.present
        for holds, operand, mask in self.others:
            if holds(value, operand):
                found |= mask
        return found

    def _list(self, value: list[Any] | tuple[Any, ...]) -> int:
        found = _read(value, self.of_list_text, self.of_list_number)
        of_text, of_number = self.of_member_text, self.of_member_number
        if of_text or of_number:
            for member in value:
                if member is not None:
                    found |= _read(member, of_text, of_number)
        return found


def _read(
    value: Any,
    of_text: Callable[[str], int] | None,
    of_number: Callable[[float], int] | None,
) -> int:
    """What a value turns on as a text and as a number."""
    found = 0
    if of_text:
        found = of_text(value if value.__class__ is str else text_of(value))
    if of_number:
        number = number_of(value)
        if number is not None:
            found |= of_number(number)
    return found


def operands_of(rows: Iterable[TestRow]) -> Iterable[tuple[Any, int]]:
    """Each operand of some equality tests, those of `is one of` singly, with its mask."""
    for operator, operand, mask in rows:
        for member in operand if operator == "in" else (operand,):
            yield member, mask


def is_nan(value: Any) -> bool:
    """Return whether a value is the one that compares with nothing."""
    return isinstance(value, float) and isnan(value)


def by_text(rows: Iterable[TestRow]) -> dict[str, int]:
    """Return the union of the masks of equality tests, by the text they ask for."""
    masks: dict[str, int] = {}
    for operand, mask in operands_of(rows):
        if operand.__class__ is str:
            masks[operand] = masks.get(operand, 0) | mask
    return masks


def by_number(rows: Iterable[TestRow]) -> dict[float, int]:
    """Return the union of the masks of equality tests, by the number they ask for."""
    masks: dict[float, int] = {}
    for operand, mask in operands_of(rows):
        # NaN equals nothing, yet a dictionary would find the very same object.
        if operand.__class__ is not str and not is_nan(operand):
            masks[operand] = masks.get(operand, 0) | mask
    return masks


def make_number_lookup(
    equal: Mapping[float, int], order: list[TestRow]
) -> Callable[[float], int] | None:
    """Return the lookup of a number, None where no test reads one."""
    if not order:
        return (lambda number: equal.get(number, 0)) if equal else None
    return make_order_lookup([*order, *(("equal", number, mask) for number, mask in equal.items())])


def make_order_lookup(rows: Iterable[TestRow]) -> Callable[[float], int]:
    """Return the lookup of a number among tests of order and equality.

    The operands cut the line into points and open intervals: (-inf, p0), p0, (p0, p1), p1, ... The
    interval in front of point i stands at place 2 i, the point itself at 2 i + 1.
    """
    rows = [row for row in rows if not is_nan(row[1])]  # nothing compares with NaN
    points = sorted({operand for _, operand, _ in rows})
    masks = _interval_masks(rows, points)
    last = len(points)

    def look_up(number: float) -> int:
        place = bisect_left(points, number)
        if place < last and points[place] == number:
            return masks[2 * place + 1]
        # NaN compares with nothing, so bisection puts it in front of all points.
        return 0 if place == 0 and number.__class__ is float and isnan(number) else masks[2 * place]

    return look_up


def _interval_masks(rows: Iterable[TestRow], points: list[float]) -> list[int]:
    """The masks of all places, each a running union from the side that a test is open to."""
    count = 2 * len(points) + 1
    upwards, downwards, masks = [0] * count, [0] * count, [0] * count
    place_of = {point: 2 * place + 1 for place, point in enumerate(points)}
    for operator, operand, mask in rows:
        place = place_of[operand]
        if operator == "equal":
            masks[place] |= mask
        elif operator == "greaterThan":
            upwards[place + 1] |= mask
        elif operator == "greaterThanInclusive":
            upwards[place] |= mask
        elif operator == "lessThan":
            downwards[place - 1] |= mask
        else:
            downwards[place] |= mask
    up = down = 0
    for place in range(count):
        up |= upwards[place]
        masks[place] |= up
        down |= downwards[count - 1 - place]
        masks[count - 1 - place] |= down
    return masks
