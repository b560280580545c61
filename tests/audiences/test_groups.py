"""AND-groups of condition trees."""

from __future__ import annotations

import pytest

from edgewise.audiences.groups import MAX_ALTERNATIVES, MAX_GROUPS, Groups, Literal, groups_of
from edgewise.model.audience import (
    All,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Matcher,
    Node,
    Not,
    Test,
)
from edgewise.model.audience import Any as AnyOf


def leaf(key: str, value: str = "x") -> Leaf:
    """A condition on a trait."""
    return Leaf(Test(Attribute("trait", key), "equal", value))


def literal(*leaves: Leaf, negated: bool = False) -> Literal:
    """One of some conditions, or none of them."""
    return Literal(tuple(one.test for one in leaves), negated)


A, B, C, D = (leaf(key) for key in "abcd")
A2 = leaf("a", "y")
COUNT = Leaf(CountTest(Matcher(id=1, tree=Constant(True)), "equal", 2))
COUNT2 = Leaf(CountTest(Matcher(id=1, tree=Constant(True)), "equal", 3))


@pytest.mark.parametrize(
    ("tree", "groups"),
    [
        pytest.param(A, {(literal(A),)}, id="leaf"),
        pytest.param(Not(A), {(literal(A, negated=True),)}, id="not"),
        pytest.param(Constant(True), {()}, id="always"),
        pytest.param(Not(Constant(True)), set(), id="never"),
        pytest.param(All(()), {()}, id="all-of-nothing"),
        pytest.param(AnyOf(()), set(), id="any-of-nothing"),
        pytest.param(All((A, B)), {(literal(A), literal(B))}, id="all"),
        pytest.param(AnyOf((A, B)), {(literal(A),), (literal(B),)}, id="any"),
        pytest.param(AnyOf((A, A2)), {(literal(A, A2),)}, id="any-of-one-attribute"),
        pytest.param(
            Not(AnyOf((A, B))),
            {(literal(A, negated=True), literal(B, negated=True))},
            id="none",
        ),
        pytest.param(Not(AnyOf((A, A2))), {(literal(A, A2, negated=True),)}, id="none-of-one"),
        pytest.param(
            Not(All((A, A2))),
            {(literal(A, negated=True),), (literal(A2, negated=True),)},
            id="not-both",
        ),
        pytest.param(
            All((AnyOf((A, B)), AnyOf((C, D)))),
            {
                (literal(A), literal(C)),
                (literal(A), literal(D)),
                (literal(B), literal(C)),
                (literal(B), literal(D)),
            },
            id="multiplied-out",
        ),
        pytest.param(
            AnyOf((COUNT, COUNT2)), {(literal(COUNT),), (literal(COUNT2),)}, id="counts-stay-alone"
        ),
    ],
)
def test_groups_of_a_tree(tree: Node, groups: set[tuple[Literal, ...]]) -> None:
    """A tree becomes these groups, and holds exactly where one of them does."""
    assert groups_of(tree) == Groups(groups_of(tree).groups, exact=True)
    assert set(groups_of(tree).groups) == groups


def test_explosion_leaves_conjuncts_out() -> None:
    """What would be a million groups is a few that hold wherever the tree does."""
    rows = [AnyOf(tuple(leaf(f"{row}-{column}") for column in range(10))) for row in range(6)]
    found = groups_of(All((A, *rows)))
    assert not found.exact
    assert 0 < len(found.groups) <= MAX_GROUPS
    assert all(literal(A) in group for group in found.groups)


def test_too_many_alternatives_may_always_hold() -> None:
    """A list beyond all measure stands for a single group that always holds."""
    found = groups_of(AnyOf(tuple(leaf(f"k{number}") for number in range(MAX_ALTERNATIVES + 1))))
    assert found == Groups(((),), exact=False)
