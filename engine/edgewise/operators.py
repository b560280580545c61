"""The one table of operators: names, operands, meaning, and how they can be indexed.

Every function takes a value that is not null and an operand of the kind its row names, and
returns False for values it cannot compare; none raises on any JSON value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import re2

from edgewise.values import is_present, number_of, text_of, time_of, well_formed


def equal(value: Any, operand: str | float) -> bool:
    """Return whether the value is this number, or has this text."""
    if operand.__class__ is str:
        return text_of(value) == operand
    return number_of(value) == operand


def one_of(value: Any, operand: tuple[str | float, ...]) -> bool:
    """Return whether the value equals one member of the operand."""
    return any(equal(value, member) for member in operand)


def contains(value: Any, operand: str) -> bool:
    """Return whether the value's text, or a member of the list, holds the operand."""
    return operand in text_of(value)


def starts_with(value: Any, operand: str) -> bool:
    """Return whether the value's text starts with the operand."""
    return text_of(value).startswith(operand)


def ends_with(value: Any, operand: str) -> bool:
    """Return whether the value's text ends with the operand."""
    return text_of(value).endswith(operand)


def includes(value: Any, operand: str | float) -> bool:
    """Return whether a list has a member that equals this; a single value is a list of one."""
    if isinstance(value, (list, tuple)):
        return any(member is not None and equal(member, operand) for member in value)
    return equal(value, operand)


def greater_than(value: Any, operand: float) -> bool:
    """Return whether the value is a number above the operand."""
    number = number_of(value)
    return number is not None and number > operand


def greater_than_inclusive(value: Any, operand: float) -> bool:
    """Return whether the value is a number not below the operand."""
    number = number_of(value)
    return number is not None and number >= operand


def less_than(value: Any, operand: float) -> bool:
    """Return whether the value is a number below the operand."""
    number = number_of(value)
    return number is not None and number < operand


def less_than_inclusive(value: Any, operand: float) -> bool:
    """Return whether the value is a number not above the operand."""
    number = number_of(value)
    return number is not None and number <= operand


def before(value: Any, operand: int) -> bool:
    """Return whether the value is the text of a time before the operand."""
    time_ms = time_of(value)
    return time_ms is not None and time_ms < operand


def after(value: Any, operand: int) -> bool:
    """Return whether the value is the text of a time after the operand."""
    time_ms = time_of(value)
    return time_ms is not None and time_ms > operand


def on_or_before(value: Any, operand: int) -> bool:
    """Return whether the value is the text of a time not after the operand."""
    time_ms = time_of(value)
    return time_ms is not None and time_ms <= operand


def on_or_after(value: Any, operand: int) -> bool:
    """Return whether the value is the text of a time not before the operand."""
    time_ms = time_of(value)
    return time_ms is not None and time_ms >= operand


def matches(value: Any, operand: str) -> bool:
    """Return whether the regular expression occurs in the value's text.

    Cost: compiles the expression; `edgewise.audiences.compiler` does so once, at load.
    """
    return compile_regex(operand).search(well_formed(text_of(value))) is not None


def exists(value: Any, operand: None) -> bool:
    """Return whether the value is set."""
    return is_present(value)


def compile_regex(pattern: str) -> Any:
    """Return a compiled RE2 expression: linear time on any input, and silent on errors.

    Errors: re2.error where RE2 refuses the pattern.
    """
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    Args:
        name: the operator's name in the `nt_rules` form, and its identity.
        phrase: its words in the native form.
        operand: "value", "text", "number", "time", "values", "regex" or "none".
        test: the reference function; None for a negation.
        negates: the name of the row whose opposite this is, or empty.
        index: how a ruleset finds all its tests of this kind at once: "hash", "order", "prefix",
            "suffix", "scan" or "members".
        doc: one line for people.
        aliases: further names in the `nt_rules` form.
        phrases: further words in the native form.
    """

    name: str
    phrase: str
    operand: str
    doc: str
    test: Callable[[Any, Any], bool] | None = None
    negates: str = ""
    index: str = ""
    aliases: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="equal",
        phrase="equals",
        operand="value",
        test=equal,
        index="hash",
        aliases=("equals",),
        phrases=("is",),
        doc="The same text, or the same number where both are numbers.",
    ),
    Operator(
        name="notEqual",
        phrase="does not equal",
        operand="value",
        negates="equal",
        aliases=("doesNotEqual", "notEquals"),
        phrases=("is not",),
        doc="The opposite of equals; true where the value is missing.",
    ),
    Operator(
        name="in",
        phrase="is one of",
        operand="values",
        test=one_of,
        index="hash",
        aliases=("oneOf",),
        doc="Equals one of the listed values.",
    ),
    Operator(
        name="notIn",
        phrase="is not one of",
        operand="values",
        negates="in",
        aliases=("notOneOf",),
        doc="The opposite of is one of; true where the value is missing.",
    ),
    Operator(
        name="contains",
        phrase="contains",
        operand="text",
        test=contains,
        index="scan",
        doc="The text occurs somewhere in the value; a list is read with commas between members.",
    ),
    Operator(
        name="notContains",
        phrase="does not contain",
        operand="text",
        negates="contains",
        aliases=("doesNotContain",),
        doc="The opposite of contains; true where the value is missing.",
    ),
    Operator(
        name="startsWith",
        phrase="starts with",
        operand="text",
        test=starts_with,
        index="prefix",
        doc="The value begins with the text.",
    ),
    Operator(
        name="endsWith",
        phrase="ends with",
        operand="text",
        test=ends_with,
        index="suffix",
        doc="The value ends with the text.",
    ),
    Operator(
        name="matches",
        phrase="matches",
        operand="regex",
        test=matches,
        index="scan",
        aliases=("matchesRegex", "regex"),
        doc="The regular expression (RE2) occurs somewhere in the value.",
    ),
    Operator(
        name="includes",
        phrase="includes",
        operand="value",
        test=includes,
        index="members",
        doc="A list has a member that equals the value.",
    ),
    Operator(
        name="notIncludes",
        phrase="does not include",
        operand="value",
        negates="includes",
        aliases=("doesNotInclude",),
        doc="The opposite of includes; true where the value is missing.",
    ),
    Operator(
        name="greaterThan",
        phrase="greater than",
        operand="number",
        test=greater_than,
        index="order",
        phrases=("more than",),
        doc="A number above this one.",
    ),
    Operator(
        name="greaterThanInclusive",
        phrase="at least",
        operand="number",
        test=greater_than_inclusive,
        index="order",
        aliases=("greaterThanOrEqual", "greaterThanOrEqualTo"),
        phrases=("greater than or equal to",),
        doc="This number or one above it.",
    ),
    Operator(
        name="lessThan",
        phrase="less than",
        operand="number",
        test=less_than,
        index="order",
        phrases=("fewer than",),
        doc="A number below this one.",
    ),
    Operator(
        name="lessThanInclusive",
        phrase="at most",
        operand="number",
        test=less_than_inclusive,
        index="order",
        aliases=("lessThanOrEqual", "lessThanOrEqualTo"),
        phrases=("less than or equal to",),
        doc="This number or one below it.",
    ),
    Operator(
        name="before",
        phrase="before",
        operand="time",
        test=before,
        index="order",
        doc="A date or time (ISO 8601) earlier than this one.",
    ),
    Operator(
        name="onOrBefore",
        phrase="on or before",
        operand="time",
        test=on_or_before,
        index="order",
        doc="This date or time, or an earlier one.",
    ),
    Operator(
        name="after",
        phrase="after",
        operand="time",
        test=after,
        index="order",
        doc="A date or time (ISO 8601) later than this one.",
    ),
    Operator(
        name="onOrAfter",
        phrase="on or after",
        operand="time",
        test=on_or_after,
        index="order",
        doc="This date or time, or a later one.",
    ),
    Operator(
        name="exists",
        phrase="is set",
        operand="none",
        test=exists,
        index="hash",
        doc="There is a value; written `true`, or `false` for none. Same as equals `*`.",
    ),
)

BY_NAME: dict[str, Operator] = {name: row for row in OPERATORS for name in (row.name, *row.aliases)}
BY_PHRASE: dict[str, Operator] = {
    phrase: row for row in OPERATORS for phrase in (row.phrase, *row.phrases)
}
COUNT_OPERATORS = (
    "greaterThanInclusive",
    "greaterThan",
    "equal",
    "notEqual",
    "lessThan",
    "lessThanInclusive",
)


def reference_test(name: str) -> Callable[[Any, Any], bool]:
    """Return the reference function of a positive operator."""
    test = BY_NAME[name].test
    if test is None:
        raise KeyError(name)
    return test
