"""Which conditions decide: the answer for all profiles at once is that of each alone."""

from __future__ import annotations

from typing import Any as AnyValue

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences.interpret import holds
from edgewise.model.audience import (
    All,
    Any,
    Attribute,
    Audience,
    Constant,
    Leaf,
    Node,
    Not,
    Test,
)
from edgewise.model.profiles import Profile
from edgewise.simulate.deciding import Deciding
from tests.rules import audiences_of
from tests.simulate.worlds import NOON_MS

NAMES = ("a", "b", "c", "d")
LEAVES = {
    name: Leaf(Test(Attribute("trait", name), "equal", "true"), f"#/{name}") for name in NAMES
}
TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(st.sampled_from([*LEAVES.values()]), st.builds(Constant, st.booleans())),
    lambda children: st.one_of(
        st.builds(Not, children),
        st.builds(All, st.lists(children, max_size=4).map(tuple)),
        st.builds(Any, st.lists(children, max_size=4).map(tuple)),
    ),
    max_leaves=10,
)


def profile(traits: frozenset[str]) -> Profile:
    """A profile for which the leaves of these names hold."""
    return Profile(
        organization="shop",
        environment="main",
        id="a",
        stable_id="a",
        created_ms=NOON_MS,
        # As texts and as booleans, which mean the same here and are looked up in different ways.
        traits={name: "true" if name < "c" else True for name in traits},
    )


def without(node: Node, places: list[int], turned: int) -> Node:
    """A tree in which the leaf that is met at a place says the opposite."""
    match node:
        case Leaf():
            places.append(len(places))
            return Not(node) if places[-1] == turned else node
        case Not():
            return Not(without(node.child, places, turned))
        case All():
            return All(tuple(without(child, places, turned) for child in node.children))
        case Any():
            return Any(tuple(without(child, places, turned) for child in node.children))
        case _:
            return node


def leaves_of(node: Node) -> list[Leaf]:
    """The leaves of a tree, in the order in which `without` meets them."""
    match node:
        case Leaf():
            return [node]
        case Not():
            return leaves_of(node.child)
        case All() | Any():
            return [leaf for child in node.children for leaf in leaves_of(child)]
        case _:
            return []


@settings(deadline=None)
@given(tree=TREES, people=st.lists(st.frozensets(st.sampled_from(NAMES)), max_size=6))
def test_condition_decides_where_turning_it_turns_the_answer(
    tree: Node, people: list[frozenset[str]]
) -> None:
    """A condition keeps in, or out, whomever the tree would say the opposite about without it."""
    profiles = [profile(traits) for traits in people]
    expected: dict[str, list[int]] = {}
    leaves = leaves_of(tree)
    for leaf in leaves:
        expected.setdefault(leaf.origin, [0, 0])
    for one in profiles:
        member = holds(tree, one, NOON_MS)
        turning = {
            leaf.origin
            for place, leaf in enumerate(leaves)
            if holds(without(tree, [], place), one, NOON_MS) is not member
        }
        for origin in turning:
            expected[origin][0 if member else 1] += 1
    found = Deciding(profiles, NOON_MS).conditions(Audience(id="x", tree=tree))
    assert {one.place: [one.keeps_in, one.keeps_out] for one in found} == expected


@pytest.mark.parametrize(
    ("rule", "conditions"),
    [
        pytest.param(
            {"has viewed page": {"path": {"does not contain": "sale"}}},
            ['views of pages with not (path contains "sale"), at least 1 time'],
            id="negated",
        ),
        pytest.param(
            {
                "has performed event": "buy",
                "where": {"property": {"plan": {"is not one of": ["a", "b"]}}},
            },
            ['events "buy" with not (property plan is one of ["a","b"]), at least 1 time'],
            id="none-of",
        ),
        pytest.param(
            {"has trait": {"signup": {"before": "2026-01-31"}}},
            ["trait signup before 2026-01-31"],
            id="time",
        ),
        pytest.param(
            {"has performed event": "buy", "at least": 3, "within": "1 day"},
            ['events "buy", within 1 day, at least 3 times'],
            id="count",
        ),
    ],
)
def test_conditions_are_worded_as_what_they_ask(
    rule: dict[str, AnyValue], conditions: list[str]
) -> None:
    """Whole, with what is negated, and as in every other place."""
    (audience,) = audiences_of({"id": "a", **rule})
    found = Deciding([], NOON_MS).conditions(audience)
    assert [one.condition for one in found] == conditions
