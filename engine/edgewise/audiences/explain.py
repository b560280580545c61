"""Which conditions of an audience hold for a profile, with the values they saw.

The tree of an explanation is the audience's own tree, read by the reference evaluator.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any as AnyValue

import msgspec

from edgewise.amounts import counted
from edgewise.attributes import read
from edgewise.audiences.interpret import count_of, holds
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
from edgewise.model.profiles import Profile
from edgewise.operators import BY_NAME

_DAY_MS = 24 * 60 * 60 * 1000
_NAMES = {
    "device": "device",
    "session_count": "session count",
    "event_type": "event type",
    "event_name": "event name",
}
_NATIVE_NAMES = {attribute: name for name, attribute in WHERE_KEYS.items()} | {
    Attribute("location", key): f"location {name}" for name, key in LOCATION_KEYS.items()
}


class ExplainedCondition(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One node of an audience's tree.

    Args:
        text: what is asked, in the words of the native form.
        holds: the answer, for the profile and the time that were asked about.
        seen: the value that a test looked at, null where it is missing; absent above the tests.
        origin: file and JSON Pointer of a test, as `file#pointer`.
        line: of the test in its file, from 1; 0 where that is not known.
    """

    text: str
    holds: bool
    seen: AnyValue = msgspec.UNSET
    origin: str = ""
    line: int = 0
    children: list[ExplainedCondition] = []


def explain_tree(node: Node, profile: Profile, now_ms: int) -> ExplainedCondition:
    """Return what each part of a tree says of a profile at a time."""
    result = holds(node, profile, now_ms)
    match node:
        case Leaf(test=test, origin=origin):
            if isinstance(test, CountTest):
                seen: AnyValue = count_of(test, profile, now_ms)
            else:
                seen = read(test.attribute, profile)
            return ExplainedCondition(
                text=describe_test(test), holds=result, seen=seen, origin=origin
            )
        case Constant():
            return ExplainedCondition(text="always" if node.value else "never", holds=result)
        case Not():
            inner = node.child
            parts = inner.children if isinstance(inner, Any) else (inner,)
            return _group("none of", result, parts, profile, now_ms)
        case All() | Any():
            text = "all of" if isinstance(node, All) else "any of"
            return _group(text, result, node.children, profile, now_ms)
        case Reference():
            raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")


def _group(
    text: str, result: bool, parts: tuple[Node, ...], profile: Profile, now_ms: int
) -> ExplainedCondition:
    children = [explain_tree(part, profile, now_ms) for part in parts]
    return ExplainedCondition(text=text, holds=result, children=children)


def describe_test(test: Test | CountTest) -> str:
    """Return what a test asks, as a person would write it."""
    if isinstance(test, CountTest):
        return _describe_count(test)
    name = _describe_attribute(test.attribute)
    phrase = BY_NAME[test.operator].phrase
    if test.operator == "exists":
        return f"{name} {phrase}"
    if BY_NAME[test.operator].operand == "time" and isinstance(test.operand, int):
        return f"{name} {phrase} {_describe_time(test.operand)}"
    return f"{name} {phrase} {_describe_operand(test.operand)}"


def _describe_attribute(attribute: Attribute) -> str:
    if attribute in _NATIVE_NAMES:
        return _NATIVE_NAMES[attribute]
    name = _NAMES.get(attribute.source, attribute.source)
    return f"{name} {attribute.key}" if attribute.key else name


def _describe_operand(operand: AnyValue) -> str:
    return msgspec.json.encode(operand).decode()


def _describe_time(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%d" if time_ms % _DAY_MS == 0 else "%Y-%m-%dT%H:%M:%SZ")


def _describe_count(test: CountTest) -> str:
    phrase = BY_NAME[test.operator].phrase
    compared = "exactly" if test.operator == "equal" else phrase
    return f"{describe_matcher(test.matcher)}, {compared} {counted(test.count, 'time')}"


def describe_matcher(matcher: Matcher) -> str:
    """Return which events a matcher counts, as a person would write it."""
    parts = matcher.tree.children if isinstance(matcher.tree, All) else (matcher.tree,)
    equal = {
        part.test.attribute.source: part.test.operand
        for part in parts
        if isinstance(part, Leaf) and isinstance(part.test, Test) and part.test.operator == "equal"
    }
    what = {"page": "views of pages", "track": "events"}.get(str(equal.get("event_type")), "events")
    if "event_name" in equal:
        what = f"events {_describe_operand(equal['event_name'])}"
    others = [_describe_node(part) for part in parts if not _is_about_kind(part)]
    where = f" with {' and '.join(others)}" if others else ""
    days = counted(matcher.window_ms // _DAY_MS, "day")
    window = f", within {days}" if matcher.window_ms else ""
    return f"{what}{where}{window}"


def _is_about_kind(node: Node) -> bool:
    """Whether a part of a matcher says which type or name of event it counts."""
    if not isinstance(node, Leaf) or not isinstance(node.test, Test):
        return False
    return (
        node.test.attribute.source in ("event_type", "event_name") and node.test.operator == "equal"
    )


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
