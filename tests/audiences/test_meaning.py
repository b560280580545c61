"""The canonical text of a tree tells apart what differs in meaning, and nothing else."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings

from edgewise.audiences.building import make_matcher
from edgewise.audiences.interpret import holds
from edgewise.audiences.meaning import meaning_of
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
from edgewise.model.profiles import Profile
from tests.strategies import NOW_MS, profile_trees, profiles

TRAIT = Attribute("trait", "k")
A, B = Leaf(Test(TRAIT, "equal", "a"), "x"), Leaf(Test(TRAIT, "equal", "b"), "y")
PAGE = make_matcher(Leaf(Test(Attribute("event_type"), "equal", "page")))

DIFFERENT: list[Node] = [
    A,
    B,
    Leaf(Test(TRAIT, "contains", "a")),
    Leaf(Test(TRAIT, "equal", 1)),
    Leaf(Test(TRAIT, "equal", "1")),
    Leaf(Test(TRAIT, "in", ("a",))),
    Leaf(Test(TRAIT, "exists")),
    Leaf(Test(Attribute("trait", "l"), "equal", "a")),
    Leaf(Test(Attribute("property", "k"), "equal", "a")),
    Leaf(Test(TRAIT, "equal", '"],"equal","a"')),
    Leaf(CountTest(PAGE, "equal", 1)),
    Leaf(CountTest(PAGE, "equal", 2)),
    Leaf(CountTest(PAGE, "lessThan", 1)),
    Leaf(CountTest(make_matcher(PAGE.tree, 1, 1), "equal", 1)),
    Not(A),
    All((A, B)),
    Any((A, B)),
    All((A, A)),
    All(()),
    Any(()),
    Constant(True),
    Constant(False),
    Reference("a"),
    Reference('a") (audience "b'),
    All((Reference("a"), Reference("b"))),
    Not(All((A, B))),
    All((Not(A), B)),
]


def test_different_meanings() -> None:
    """Trees that ask something else have another text."""
    for one, other in combinations(DIFFERENT, 2):
        assert meaning_of(one) != meaning_of(other)


def test_same_meaning() -> None:
    """Order and place are no part of the meaning."""
    assert isinstance(A, Leaf)
    assert meaning_of(All((A, Any((B, A))))) == meaning_of(All((Any((A, B)), A)))
    assert meaning_of(Leaf(A.test, "elsewhere")) == meaning_of(A)
    assert meaning_of(Reference("a", "here")) == meaning_of(Reference("a"))


@settings(max_examples=500)
@given(profile_trees, profile_trees, profiles)
def test_equal_texts_hold_alike(one: Node, other: Node, profile: Profile) -> None:
    """Trees of one text hold for the same profiles."""
    if meaning_of(one) == meaning_of(other):
        assert holds(one, profile, NOW_MS) == holds(other, profile, NOW_MS)
    turned = type(one)(tuple(reversed(one.children))) if isinstance(one, (All, Any)) else one
    assert meaning_of(turned) == meaning_of(one)
