"""Condition nodes from what either rule form says: operands checked, negations and wildcards read.

Both parsers come through here, so that a rule means the same in both forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any as AnyValue

import re2
import xxhash

from edgewise.attributes import SOURCES
from edgewise.audiences.meaning import meaning_of
from edgewise.audiences.passes import simplify
from edgewise.audiences.patterns import compile_pattern
from edgewise.model.audience import (
    All,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Matcher,
    Node,
    Not,
    Operand,
    Test,
)
from edgewise.operators import BY_NAME, Operator, compile_regex
from edgewise.parsing import FaultList, is_encodable, kind_of, pointer_join, quote_hint
from edgewise.values import is_present, number_of, text_of, time_of

WILDCARD = "*"
DAY_MS = 24 * 60 * 60 * 1000
MAX_WINDOW_DAYS = 3650
MAX_COUNT_IN_WINDOW = 1000

# Operands that are read as a text, or may be.
_TEXT_OPERANDS = {"value", "values", "text", "regex"}
_WILDCARD_OPERATORS = {"equal", "contains", "includes"}
_TIME_TWINS = {
    "greaterThan": "after",
    "greaterThanInclusive": "onOrAfter",
    "lessThan": "before",
    "lessThanInclusive": "onOrBefore",
}
# How many of the newest times decide "count OP n" besides n itself: the (n+1)th tells n from more.
_BEYOND = {
    "greaterThanInclusive": 0,
    "lessThan": 0,
    "greaterThan": 1,
    "lessThanInclusive": 1,
    "equal": 1,
    "notEqual": 1,
}


class Builder:
    """Makes nodes for one audience and notes what is wrong with it.

    Args:
        faults: where faults go.
        strict: whether an operand that can never match is a fault (native rules), or simply
            matches nothing (rules written by an app, in which half-filled rules are common).
        missing_negated: what a negative operator says of a missing value.
    """

    def __init__(self, faults: FaultList, *, strict: bool, missing_negated: bool = True) -> None:
        self.faults = faults
        self.strict = strict
        self.missing_negated = missing_negated

    def condition(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> Node:
        """Return the node of one condition; `Constant(False)` after a fault."""
        if not is_encodable(attribute.key):
            self._broken_text(pointer)
            return Constant(False)
        positive = BY_NAME[operator.negates] if operator.negates else operator
        node = self._positive(attribute, positive, raw, pointer)
        if not operator.negates or node == Constant(False):
            return node
        if self.missing_negated:
            return Not(node)
        return All((self.leaf(Test(attribute, "exists"), pointer), Not(node)))

    def leaf(self, test: Test | CountTest, pointer: str) -> Leaf:
        """Return the leaf of a test, with the file and the place it was written at."""
        return Leaf(test, f"{self.faults.file}#{pointer}")

    def event_is(self, event_type: str, pointer: str) -> Leaf:
        """Return the leaf for events of one type."""
        return self.leaf(Test(Attribute("event_type"), "equal", event_type), pointer)

    def returning(self, value: bool, pointer: str) -> Leaf:
        """Return the leaf for visitors whose session is not (or is) their first."""
        operator = "greaterThan" if value else "lessThanInclusive"
        return self.leaf(Test(Attribute("session_count"), operator, 1), pointer)

    def _positive(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> Node:
        if operator.operand == "none":
            return self._presence(attribute, raw, pointer)
        if operator.operand == "values":
            return self._choice(attribute, operator, raw, pointer)
        if isinstance(raw, (date, datetime)) and operator.operand in ("number", "time"):
            raw = _as_utc(raw)
            operator = BY_NAME[_TIME_TWINS.get(operator.name, operator.name)]
        if not self._is_operand(attribute, operator, raw, pointer):
            return Constant(False)
        if raw == WILDCARD and operator.name in _WILDCARD_OPERATORS:
            return self.leaf(Test(attribute, "exists"), pointer)
        if not is_present(raw):
            return self._never(pointer, "an empty value matches nothing", "compare with `is set`")
        return self._comparison(attribute, operator, raw, pointer)

    def _presence(self, attribute: Attribute, raw: AnyValue, pointer: str) -> Node:
        leaf = self.leaf(Test(attribute, "exists"), pointer)
        if self.strict and not isinstance(raw, bool):
            self.faults.wrong_type(pointer, "is set", "true or false", raw)
        return Not(leaf) if text_of(raw) == "false" else leaf

    def _choice(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> Node:
        members = raw if isinstance(raw, list) else [raw]
        if not isinstance(raw, list) and self.strict:
            self.faults.wrong_type(pointer, operator.phrase, "a list of values", raw)
            return Constant(False)
        good = []
        for position, member in enumerate(members):
            place = pointer_join(pointer, position)
            if not self._is_operand(attribute, operator, member, place):
                continue
            if is_present(member):
                good.append(self._operand(attribute, member))
            else:
                self._never(place, "an empty value matches nothing", "remove it")
        if not members:
            return self._never(pointer, "an empty list matches nothing", "list at least one value")
        if not good:
            return Constant(False)
        ordered = tuple(sorted(set(good), key=lambda value: (value.__class__.__name__, value)))
        return self.leaf(Test(attribute, operator.name, ordered), pointer)

    def _comparison(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> Node:
        operand: Operand
        if operator.operand == "number":
            operand = number_of(raw)
            if operand is None:
                return self._text_order(attribute, operator, raw, pointer)
        elif operator.operand == "time":
            operand = time_of(raw)
            if operand is None:
                message = f'"{text_of(raw)}" is no date or time'
                return self._never(
                    pointer, message, "write it like 2026-01-31 or 2026-01-31T18:00Z"
                )
        elif operator.operand == "regex":
            operand = text_of(raw)
            if not self._is_regex(operand, pointer):
                return Constant(False)
        elif operator.operand == "text":
            operand = text_of(raw)
        else:
            operand = self._operand(attribute, raw)
        return self.leaf(Test(attribute, operator.name, operand), pointer)

    def _text_order(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> Node:
        """An order operator and a text: apps leave the operator behind when the type is switched,
        so the inclusive pair means equality and the strict pair can never hold."""
        if self.strict:
            hint = "dates need `before` or `after`" if time_of(raw) is not None else ""
            self.faults.at(pointer, "operand_invalid", f'"{text_of(raw)}" is no number', hint)
            return Constant(False)
        if operator.name.endswith("Inclusive"):
            return self.leaf(Test(attribute, "equal", text_of(raw)), pointer)
        return Constant(False)

    def _is_operand(
        self, attribute: Attribute, operator: Operator, raw: AnyValue, pointer: str
    ) -> bool:
        if not (raw is None or isinstance(raw, (str, int, float))):
            message = (
                f"a condition compares with a text, a number or true/false, not {kind_of(raw)}"
            )
            self.faults.at(pointer, "operand_invalid", message, quote_hint(raw))
        elif isinstance(raw, str) and not is_encodable(raw):
            self._broken_text(pointer)
        elif isinstance(raw, (int, float)) and not -(2**63) <= raw < 2**64:
            # Not a number is neither, so it fails the comparison too.
            self.faults.at(pointer, "out_of_range", "this number is none that JSON can carry")
        elif self.strict and self._needs_quotes(attribute, operator, raw):
            self.faults.wrong_type(pointer, operator.phrase, "a text", raw)
        else:
            return True
        return False

    @staticmethod
    def _needs_quotes(attribute: Attribute, operator: Operator, raw: AnyValue) -> bool:
        """What only holds texts can not equal what YAML reads as a number or as true."""
        of_texts = SOURCES[attribute.source].kind == "text"
        return of_texts and operator.operand in _TEXT_OPERANDS and isinstance(raw, (int, float))

    def _is_regex(self, pattern: str, pointer: str) -> bool:
        try:
            # The first tells what is wrong, the second takes only smaller expressions.
            compile_regex(pattern)
            compile_pattern(pattern)
        except re2.error as error:
            reason = error.args[0] if error.args else ""
            text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else "too large"
            hint = "RE2 syntax: no look-around, no back-references"
            self.faults.at(pointer, "regex_invalid", f"RE2 refuses the expression: {text}", hint)
            return False
        return True

    def _broken_text(self, pointer: str) -> None:
        self.faults.at(pointer, "invalid_text", "this text holds half of a surrogate pair")

    def _never(self, pointer: str, message: str, hint: str) -> Constant:
        if self.strict:
            self.faults.at(pointer, "operand_invalid", message, hint)
        return Constant(False)

    @staticmethod
    def _operand(attribute: Attribute, raw: AnyValue) -> str | int | float:
        number = number_of(raw) if SOURCES[attribute.source].numeric else None
        return text_of(raw) if number is None else number

    def count(
        self,
        where: Iterable[Node],
        operator: str,
        count: int,
        window_days: int,
        pointer: str,
    ) -> Node:
        """Return the leaf that compares the number of events satisfying all of `where`."""
        if window_days and count > MAX_COUNT_IN_WINDOW:
            message = f"within a number of days at most {MAX_COUNT_IN_WINDOW} events can be counted"
            self.faults.at(pointer, "count_invalid", message)
            return Constant(False)
        tree = simplify(All(tuple(where)))
        if tree == Constant(False):
            return Constant(False)
        kept = max(1, count + _BEYOND[operator]) if window_days else 0
        matcher = make_matcher(tree, window_days * DAY_MS, kept)
        if operator == "notEqual":
            return Not(self.leaf(CountTest(matcher, "equal", count), pointer))
        return self.leaf(CountTest(matcher, operator, count), pointer)


def shown(value: AnyValue) -> str:
    """Return a value as a fault names it: a text in quotes, a number, or what it is."""
    if isinstance(value, str):
        return f'"{value}"'
    return text_of(value) if kind_of(value) == "a number" else kind_of(value)


def make_matcher(tree: Node, window_ms: int = 0, kept: int = 0) -> Matcher:
    """Return the matcher of a simplified tree over one event; the id digests what it means."""
    meaning = f"{meaning_of(tree)} window_ms={window_ms} kept={kept}"
    return Matcher(xxhash.xxh3_64_intdigest(meaning.encode()), tree, window_ms, kept)


def _as_utc(moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return moment.isoformat()
