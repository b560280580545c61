"""Which conditions of an audience hold for a profile, with the values they saw.

The tree of an explanation is the audience's own tree, read by the reference evaluator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any as AnyValue

import msgspec

from edgewise.attributes import read
from edgewise.audiences.describing import describe_test
from edgewise.audiences.interpret import count_of, holds
from edgewise.audiences.nearest import describe_nearest
from edgewise.model.audience import All, Any, Constant, CountTest, Leaf, Node, Not, Reference
from edgewise.model.event import TimedEvent
from edgewise.model.profiles import Profile

_ASKS_FOR_MORE = frozenset({"equal", "greaterThan", "greaterThanInclusive"})


class ExplainedCondition(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One node of an audience's tree.

    Args:
        text: what is asked, in the words of the native form.
        holds: the answer, for the profile and the time that were asked about.
        seen: the value that a test looked at, null where it is missing; absent above the tests.
        nearest: what comes nearest to counting, where a test counts fewer events than it asks for
            and those of the profile are known.
        origin: file and JSON Pointer of a test, as `file#pointer`.
        line: of the test in its file, from 1; 0 where that is not known.
    """

    text: str
    holds: bool
    seen: AnyValue = msgspec.UNSET
    nearest: str = ""
    origin: str = ""
    line: int = 0
    children: list[ExplainedCondition] = []


def explain_tree(
    node: Node, profile: Profile, now_ms: int, events: Sequence[TimedEvent] | None = None
) -> ExplainedCondition:
    """Return what each part of a tree says of a profile at a time.

    Args:
        events: those of the profile, for telling what comes nearest to counting; None where they
            are not known.
    """
    result = holds(node, profile, now_ms)
    match node:
        case Leaf():
            return _explain_leaf(node, result, profile, now_ms, events)
        case Constant():
            return ExplainedCondition(text="always" if node.value else "never", holds=result)
        case Not():
            # Nothing is amiss where nothing counts here.
            inner, events = node.child, None
            text, parts = "none of", inner.children if isinstance(inner, Any) else (inner,)
        case All():
            text, parts = "all of", node.children
        case Any():
            text, parts = "any of", node.children
        case Reference():
            raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")
    children = [explain_tree(part, profile, now_ms, events) for part in parts]
    return ExplainedCondition(text=text, holds=result, children=children)


def _explain_leaf(
    leaf: Leaf, result: bool, profile: Profile, now_ms: int, events: Sequence[TimedEvent] | None
) -> ExplainedCondition:
    test, nearest = leaf.test, ""
    if isinstance(test, CountTest):
        seen: AnyValue = count_of(test, profile, now_ms)
        if events is not None and not result and _is_short(test, seen):
            nearest = describe_nearest(test.matcher, events, now_ms)
    else:
        seen = read(test.attribute, profile)
    return ExplainedCondition(
        text=describe_test(test), holds=result, seen=seen, nearest=nearest, origin=leaf.origin
    )


def _is_short(test: CountTest, seen: int) -> bool:
    """Whether a count that does not do is too small, and not too great."""
    return test.operator in _ASKS_FOR_MORE and seen <= test.count
