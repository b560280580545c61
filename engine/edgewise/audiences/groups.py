"""Condition trees → AND-groups: lists of literals, of which one list must hold as a whole.

    any                                    groups
      all: plan = pro, visits > 3    →       [plan = pro, visits > 3]
      not any: city = Rome, plan = free →    [not city = Rome, not plan = free]

Multiplying out can explode: ten lists of ten alternatives are 10^10 groups. So a conjunct that
would lead beyond `MAX_GROUPS` is left out. The groups then hold whenever the tree does, and
sometimes when it does not; `exact` says so, and whoever uses them asks the tree itself about the
few that they find.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edgewise.model.audience import (
    All,
    Any,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Node,
    Not,
    Reference,
    Test,
)

MAX_GROUPS = 64
MAX_ALTERNATIVES = 4096


# What a test reads: an attribute, or the tally of a matcher by its id.
Subject = Attribute | int


class Literal(msgspec.Struct, frozen=True):
    """One of some tests on the same attribute holds; or, negated, none of them does.

    Shape: several tests only where they are `Test`s; a `CountTest` stands alone.
    """

    tests: tuple[Test | CountTest, ...]
    negated: bool

    @property
    def subject(self) -> Subject:
        """What the tests read."""
        test = self.tests[0]
        return test.matcher.id if isinstance(test, CountTest) else test.attribute


Group = tuple[Literal, ...]


class Groups(msgspec.Struct, frozen=True):
    """The AND-groups of a tree; without any it never holds, with an empty one always.

    Args:
        exact: whether the tree holds exactly where a group does, not only at most there.
    """

    groups: tuple[Group, ...]
    exact: bool = True


ALWAYS = Groups(((),))
NEVER = Groups(())


def groups_of(node: Node) -> Groups:
    """Return the AND-groups of a tree."""
    found = _groups(node, negated=False)
    return Groups(tuple(_merge_negated(group) for group in found.groups), found.exact)


def _groups(node: Node, *, negated: bool) -> Groups:
    match node:
        case Leaf():
            return Groups(((Literal((node.test,), negated),),))
        case Constant():
            return ALWAYS if node.value != negated else NEVER
        case Not():
            return _groups(node.child, negated=not negated)
        case All() | Any():
            children = [_groups(child, negated=negated) for child in node.children]
            return _either(children) if isinstance(node, Any) != negated else _both(children)
        case Reference():
            raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")


def _either(children: Iterable[Groups]) -> Groups:
    """Every alternative; those that are one positive test on the same attribute become one."""
    groups: dict[Group, None] = {}
    choices: dict[Attribute, dict[Test | CountTest, None]] = {}
    exact = True
    for child in children:
        exact = exact and child.exact
        for group in child.groups:
            if len(group) == 1 and not group[0].negated and isinstance(group[0].tests[0], Test):
                attribute = group[0].tests[0].attribute
                choices.setdefault(attribute, {}).update(dict.fromkeys(group[0].tests))
            else:
                groups[group] = None
    merged = [(Literal(tuple(tests), negated=False),) for tests in choices.values()]
    if len(merged) + len(groups) > MAX_ALTERNATIVES:
        return Groups(((),), exact=False)
    return Groups((*merged, *groups), exact)


def _both(children: Iterable[Groups]) -> Groups:
    """Every combination of alternatives, the smallest lists of them first."""
    product: tuple[Group, ...] = ((),)
    exact = True
    for child in sorted(children, key=lambda one: len(one.groups)):
        if len(child.groups) > 1 and len(product) * len(child.groups) > MAX_GROUPS:
            exact = False
            continue
        exact = exact and child.exact
        product = tuple(
            dict.fromkeys(
                tuple(dict.fromkeys((*left, *right))) for left in product for right in child.groups
            )
        )
    return Groups(product, exact)


def _merge_negated(group: Group) -> Group:
    """Not this and not that, on one attribute, is none of the two."""
    refused: dict[Attribute, dict[Test | CountTest, None]] = {}
    others: list[Literal] = []
    for literal in group:
        first = literal.tests[0]
        if literal.negated and isinstance(first, Test):
            refused.setdefault(first.attribute, {}).update(dict.fromkeys(literal.tests))
        else:
            others.append(literal)
    return (*others, *(Literal(tuple(tests), negated=True) for tests in refused.values()))
