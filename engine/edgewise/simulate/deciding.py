"""Which single conditions keep visitors in an audience, or out of it.

A condition is pivotal for a visitor if the visitor's membership would turn with it while all other
conditions stay as they are. It does not depend on the order in which conditions are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any as AnyValue

import msgspec

from edgewise.attributes import read
from edgewise.audiences.describing import describe_test
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
from edgewise.operators import reference_test


class ConditionResult(msgspec.Struct, frozen=True):
    """How often one condition alone decided about sampled visitors.

    Args:
        place: where it is written: file, "#" and JSON Pointer.
        condition: what it asks, as `edgewise explain` words it.
        keeps_in: members who would leave if it turned.
        keeps_out: others who would enter if it turned.
    """

    place: str
    condition: str
    keeps_in: int
    keeps_out: int


class Deciding:
    """Tells which conditions decide about some profiles.

    Whom a condition holds for is found out once, however many audiences ask it, and kept as one
    number with a bit per profile; trees and pivots are then operations on such numbers.

    Args:
        profiles: those that are asked about, as of `now_ms`.
    """

    def __init__(self, profiles: Sequence[Profile], now_ms: int) -> None:
        self._profiles = profiles
        self._now_ms = now_ms
        self._everyone = (1 << len(profiles)) - 1
        self._known: dict[Test | CountTest, int] = {}
        self._values: dict[Attribute, list[tuple[AnyValue, int]]] = {}

    def conditions(self, audience: Audience) -> list[ConditionResult]:
        """Return the conditions of an audience, those that decide about most profiles first."""
        pivotal = dict.fromkeys(_leaves(audience.tree), 0)
        self._find_pivotal(audience.tree, self._everyone, pivotal)
        members = self._holding(audience.tree)
        others = self._everyone ^ members
        found = [
            ConditionResult(
                leaf.origin,
                describe_test(leaf.test),
                (profiles & members).bit_count(),
                (profiles & others).bit_count(),
            )
            for leaf, profiles in pivotal.items()
        ]
        return sorted(
            found, key=lambda one: (-one.keeps_in - one.keeps_out, one.place, one.condition)
        )

    def _find_pivotal(self, node: Node, profiles: int, pivotal: dict[Leaf, int]) -> None:
        """Note for whom each leaf is pivotal, given for whom the node is."""
        match node:
            case Leaf():
                pivotal[node] |= profiles
            case Not():
                self._find_pivotal(node.child, profiles, pivotal)
            case All() | Any():
                # One child of this value decides alone; as long as there is none, each child does.
                flip = 0 if isinstance(node, Any) else self._everyone
                decisive = [self._holding(child) ^ flip for child in node.children]
                once = twice = 0
                for some in decisive:
                    twice |= once & some
                    once |= some
                for child, some in zip(node.children, decisive, strict=True):
                    self._find_pivotal(child, profiles & ~twice & (some | ~once), pivotal)

    def _holding(self, node: Node) -> int:
        match node:
            case Leaf():
                return self._leaf_holding(node)
            case Not():
                return self._everyone ^ self._holding(node.child)
            case All():
                return reduce(and_, map(self._holding, node.children), self._everyone)
            case Any():
                return reduce(or_, map(self._holding, node.children), 0)
            case Constant():
                return self._everyone if node.value else 0
            case Reference():
                raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")

    def _leaf_holding(self, leaf: Leaf) -> int:
        test = leaf.test
        found = self._known.get(test)
        if found is None:
            found = self._passing(test) if isinstance(test, Test) else self._counting(leaf)
            self._known[test] = found
        return found

    def _counting(self, leaf: Leaf) -> int:
        found = 0
        for place, profile in enumerate(self._profiles):
            if holds(leaf, profile, self._now_ms):
                found |= 1 << place
        return found

    def _passing(self, test: Test) -> int:
        passes, operand = reference_test(test.operator), test.operand
        found = 0
        for value, profiles in self._values_of(test.attribute):
            if passes(value, operand):
                found |= profiles
        return found

    def _values_of(self, attribute: Attribute) -> list[tuple[AnyValue, int]]:
        """The values of an attribute, with the profiles that have them; a text is there once."""
        values = self._values.get(attribute)
        if values is None:
            texts: dict[str, int] = {}
            others: list[tuple[AnyValue, int]] = []
            for place, profile in enumerate(self._profiles):
                value = read(attribute, profile)
                if value.__class__ is str:
                    texts[value] = texts.get(value, 0) | 1 << place
                elif value is not None:
                    others.append((value, 1 << place))
            values = self._values[attribute] = [*texts.items(), *others]
        return values


def _leaves(node: Node) -> Iterable[Leaf]:
    match node:
        case Leaf():
            yield node
        case Not():
            yield from _leaves(node.child)
        case All() | Any():
            for child in node.children:
                yield from _leaves(child)
