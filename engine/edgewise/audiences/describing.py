"""What conditions ask, in the words of the native form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any as AnyValue

import msgspec

from edgewise.amounts import counted
from edgewise.audiences.native import LOCATION_KEYS, WHERE_KEYS
from edgewise.model.audience import (
    All,
    Any,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Matcher,
    Node,
    Not,
    Reference,
    Test,
)
from edgewise.operators import BY_NAME

_DAY_MS = 24 * 60 * 60 * 1000
# The attributes that say which type and name of event it is.
_KIND = ("event_type", "event_name")
_NAMES = {
    "device": "device",
    "session_count": "session count",
    "event_type": "event type",
    "event_name": "event name",
}
_NATIVE_NAMES = {attribute: name for name, attribute in WHERE_KEYS.items()} | {
    Attribute("location", key): f"location {name}" for name, key in LOCATION_KEYS.items()
}


def describe_test(test: Test | CountTest) -> str:
    """Return what a test asks, as a person would write it."""
    if isinstance(test, CountTest):
        return _describe_count(test)
    name = describe_attribute(test.attribute)
    phrase = BY_NAME[test.operator].phrase
    if test.operator == "exists":
        return f"{name} {phrase}"
    if BY_NAME[test.operator].operand == "time" and isinstance(test.operand, int):
        return f"{name} {phrase} {describe_time(test.operand)}"
    return f"{name} {phrase} {_describe_operand(test.operand)}"


def describe_attribute(attribute: Attribute) -> str:
    """Return what an attribute is called in rules."""
    if attribute in _NATIVE_NAMES:
        return _NATIVE_NAMES[attribute]
    name = _NAMES.get(attribute.source, attribute.source)
    return f"{name} {attribute.key}" if attribute.key else name


def _describe_operand(operand: AnyValue) -> str:
    return msgspec.json.encode(operand).decode()


def describe_time(time_ms: int) -> str:
    """Return a time as a rule would say it, in UTC; a midnight is a date alone."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%d" if time_ms % _DAY_MS == 0 else "%Y-%m-%dT%H:%M:%SZ")


def _describe_count(test: CountTest) -> str:
    phrase = BY_NAME[test.operator].phrase
    compared = "exactly" if test.operator == "equal" else phrase
    return f"{describe_matcher(test.matcher)}, {compared} {counted(test.count, 'time')}"


def describe_matcher(matcher: Matcher) -> str:
    """Return which events a matcher counts, as a person would write it."""
    kind, others = parts_of(matcher)
    where = f" with {' and '.join(map(_describe_node, others))}" if others else ""
    window = f", within {describe_window(matcher)}" if matcher.window_ms else ""
    return f"{describe_kind(kind)}{where}{window}"


def describe_window(matcher: Matcher) -> str:
    """Return how old an event may be that a matcher with a window counts."""
    return counted(matcher.window_ms // _DAY_MS, "day")


def describe_kind(kind: Iterable[Test]) -> str:
    """Return which events some tests of type and name ask for, as a plural."""
    equal = {test.attribute.source: test.operand for test in kind}
    if "event_name" in equal:
        return f"events {_describe_operand(equal['event_name'])}"
    return {"page": "views of pages"}.get(str(equal.get("event_type")), "events")


def parts_of(matcher: Matcher) -> tuple[list[Test], list[Node]]:
    """Return which type and name of event a matcher asks for, and what else it does."""
    parts = matcher.tree.children if isinstance(matcher.tree, All) else (matcher.tree,)
    kind: list[Test] = []
    others: list[Node] = []
    for part in parts:
        match part:
            case Leaf(test=Test(attribute=attribute, operator="equal") as test) if (
                attribute.source in _KIND
            ):
                kind.append(test)
            case _:
                others.append(part)
    return kind, others


def _describe_node(node: Node) -> str:
    match node:
        case Leaf():
            return describe_test(node.test)
        case Not():
            return f"not ({_describe_node(node.child)})"
        case All():
            return " and ".join(map(_describe_node, node.children))
        case Any():
            return f"({' or '.join(map(_describe_node, node.children))})"
        case Constant():
            return "anything" if node.value else "nothing"
        case Reference():
            return f"audience {node.audience_id}"
