"""Passes change how a tree looks and never what it means."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings

from edgewise.audiences.interpret import holds
from edgewise.audiences.meaning import meaning_of
from edgewise.audiences.passes import PASSES, flatten, fold_constants, settle_counts, simplify
from edgewise.model.audience import All, Any, Constant, Leaf, Node, Not, Reference
from edgewise.model.profiles import Profile
from tests.rules import trait_condition
from tests.strategies import NOW_MS, profile_trees, profiles

A, B, C = (trait_condition("equal", text) for text in "abc")
TRUE, FALSE = Constant(True), Constant(False)


@pytest.mark.parametrize("run", [*PASSES, simplify], ids=lambda run: str(run.__name__))
@settings(max_examples=500)
@given(tree=profile_trees, profile=profiles)
def test_pass_keeps_the_meaning(run: Callable[[Node], Node], tree: Node, profile: Profile) -> None:
    """A tree holds for the same profiles after a pass as before it."""
    assert holds(run(tree), profile, NOW_MS) == holds(tree, profile, NOW_MS)


@pytest.mark.parametrize("run", [*PASSES, simplify], ids=lambda run: str(run.__name__))
@settings(max_examples=500)
@given(tree=profile_trees)
def test_pass_is_idempotent(run: Callable[[Node], Node], tree: Node) -> None:
    """A second run of a pass finds nothing to do."""
    once = run(tree)
    assert run(once) == once


@settings(max_examples=500)
@given(profile_trees)
def test_simplified_trees_have_few_shapes(tree: Node) -> None:
    """Below the root there is no constant, no double negation, and no list of less than two."""
    pending = [simplify(tree)]
    while pending:
        node = pending.pop()
        children = node.children if isinstance(node, (All, Any)) else ()
        if isinstance(node, Not):
            assert not isinstance(node.child, (Not, Constant))
            children = (node.child,)
        elif isinstance(node, (All, Any)):
            assert len(children) > 1
            assert not any(type(child) is type(node) for child in children)
        assert not any(isinstance(child, Constant) for child in children)
        pending += children


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Not(TRUE), FALSE),
        (Not(Not(A)), A),
        (All((A, TRUE)), All((A,))),
        (All((A, FALSE)), FALSE),
        (All(()), TRUE),
        (Any((A, TRUE)), TRUE),
        (Any((A, FALSE)), Any((A,))),
        (Any(()), FALSE),
        (Any((FALSE, Not(All(())))), FALSE),
        (Reference("x"), Reference("x")),
    ],
    ids=meaning_of,
)
def test_fold_constants(node: Node, expected: Node) -> None:
    """Constants settle what they can and leave."""
    assert fold_constants(node) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (All((A,)), A),
        (All((A, All((B, C)))), All((A, B, C))),
        (Any((A, Any((B, C)))), Any((A, B, C))),
        (All((A, Any((B, C)))), All((A, Any((B, C))))),
        (All((A, B, A)), All((A, B))),
        (Any((All((A, B)), All((B, A)))), All((B, A))),
        (Not(All((A, A))), Not(A)),
        (Not(All((Not(A), Not(A)))), A),
        (All((A, Not(Any((Not(All((B, C))), Not(All((C, B)))))))), All((A, C, B))),
    ],
    ids=meaning_of,
)
def test_flatten(node: Node, expected: Node) -> None:
    """Lists of the same kind become one, without repetitions."""
    assert flatten(node) == expected


def test_repetition_keeps_one_place() -> None:
    """Conditions that say the same at different places are one."""
    assert isinstance(A, Leaf)
    elsewhere = Leaf(A.test, "other.yaml#/x")
    assert simplify(Any((A, elsewhere))) in (A, elsewhere)


def test_settle_counts_keeps_what_can_vary() -> None:
    """A tree without counts stays as it is."""
    tree = All((A, Any((Not(B), Reference("x"))), TRUE))
    assert settle_counts(tree) == tree
