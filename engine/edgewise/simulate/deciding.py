"""Which single conditions keep visitors in an audience, or out of it.

A condition is pivotal for a visitor if the visitor's membership would turn with it while all other
conditions stay as they are. It does not depend on the order in which conditions are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from edgewise.audiences.interpret import holds
from edgewise.model.audience import (
    All,
    Any,
    Attribute,
    Audience,
    Constant,
    CountTest,
    Leaf,
    Node,
    Not,
    Reference,
    Test,
)
from edgewise.model.profiles import Profile
from edgewise.operators import BY_NAME
from edgewise.values import text_of

DAY_MS = 24 * 60 * 60 * 1000


class ConditionResult(msgspec.Struct, frozen=True):
    """How often one condition alone decided about sampled visitors.

    Args:
        place: where it is written: file, "#" and JSON Pointer.
        keeps_in: members who would leave if it turned.
        keeps_out: others who would enter if it turned.
    """

    place: str
    condition: str
    keeps_in: int
    keeps_out: int


def deciding_conditions(
    audience: Audience, profiles: Sequence[Profile], now_ms: int
) -> list[ConditionResult]:
    """Return the conditions of an audience, those that decide about most profiles first.

    Cost: some microseconds per condition and profile.
    """
    keeps_in: Counter[Leaf] = Counter()
    keeps_out: Counter[Leaf] = Counter()
    for profile in profiles:
        is_member, leaves = _pivotal(audience.tree, profile, now_ms)
        (keeps_in if is_member else keeps_out).update(set(leaves))
    found = [
        ConditionResult(leaf.origin, wording_of(leaf), keeps_in[leaf], keeps_out[leaf])
        for leaf in dict.fromkeys(_leaves(audience.tree))
    ]
    return sorted(found, key=lambda one: (-one.keeps_in - one.keeps_out, one.place, one.condition))


def wording_of(leaf: Leaf) -> str:
    """Return a condition as people read it."""
    test = leaf.test
    if isinstance(test, Test):
        return _test_wording(test)
    events = ", ".join(_event_wording(test.matcher.tree))
    days = test.matcher.window_ms // DAY_MS
    window = f" within {days} days" if test.matcher.window_ms else ""
    return f"{events}: {BY_NAME[test.operator].phrase} {test.count} times{window}"


def _pivotal(node: Node, profile: Profile, now_ms: int) -> tuple[bool, list[Leaf]]:
    """What a tree says, and the leaves that it would say something else without."""
    match node:
        case Leaf():
            return holds(node, profile, now_ms), [node]
        case Not():
            value, leaves = _pivotal(node.child, profile, now_ms)
            return not value, leaves
        case All() | Any():
            return _pivotal_child(node, profile, now_ms)
        case Constant():
            return node.value, []
        case Reference():
            raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")


def _pivotal_child(node: All | Any, profile: Profile, now_ms: int) -> tuple[bool, list[Leaf]]:
    # One child of this value decides alone; as long as there is none, each child does.
    decisive = isinstance(node, Any)
    found = [_pivotal(child, profile, now_ms) for child in node.children]
    deciding = [leaves for value, leaves in found if value is decisive]
    if not deciding:
        return not decisive, [leaf for _, leaves in found for leaf in leaves]
    return decisive, deciding[0] if len(deciding) == 1 else []


def _leaves(node: Node) -> Iterable[Leaf]:
    match node:
        case Leaf():
            yield node
        case Not():
            yield from _leaves(node.child)
        case All() | Any():
            for child in node.children:
                yield from _leaves(child)


def _event_wording(tree: Node) -> Iterable[str]:
    for leaf in _leaves(tree):
        assert not isinstance(leaf.test, CountTest)
        yield _test_wording(leaf.test)


def _test_wording(test: Test) -> str:
    operand = test.operand
    shown = ", ".join(map(text_of, operand)) if isinstance(operand, tuple) else text_of(operand)
    return f"{_name_of(test.attribute)} {BY_NAME[test.operator].phrase} {shown}".rstrip()


def _name_of(attribute: Attribute) -> str:
    source = attribute.source.replace("_", " ")
    return f"{source} {attribute.key}" if attribute.key else source
