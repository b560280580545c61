"""The reference evaluator, whose every case is small enough to be seen to be right."""

from __future__ import annotations

import pytest

from edgewise.audiences.building import DAY_MS, make_matcher
from edgewise.audiences.interpret import count_of, holds, matches_event
from edgewise.model.audience import (
    All,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Node,
    Not,
    Reference,
    Test,
)
from edgewise.model.audience import Any as AnyOf
from tests.rules import NOW_MS, make_event, make_profile

YES, NO = Constant(True), Constant(False)
PAGE = Leaf(Test(Attribute("event_type"), "equal", "page"))
TRAIT = Leaf(Test(Attribute("trait", "k"), "equal", "a"))


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param(YES, True, id="true"),
        pytest.param(Not(YES), False, id="not"),
        pytest.param(All((YES, NO)), False, id="all"),
        pytest.param(All(()), True, id="all-of-nothing"),
        pytest.param(AnyOf((NO, YES)), True, id="any"),
        pytest.param(AnyOf(()), False, id="any-of-nothing"),
        pytest.param(Not(AnyOf((NO, All((YES, Not(NO)))))), False, id="nested"),
    ],
)
def test_nodes(tree: Node, expected: bool) -> None:
    """A tree over a profile and one over an event combine alike."""
    assert holds(tree, make_profile(), NOW_MS) is expected
    assert matches_event(tree, make_event()) is expected


def test_leaves() -> None:
    """A leaf reads its attribute; what is missing satisfies nothing."""
    assert holds(TRAIT, make_profile({"k": "a"}), NOW_MS)
    assert not holds(TRAIT, make_profile({"k": "b"}), NOW_MS)
    assert not holds(TRAIT, make_profile(), NOW_MS)
    assert matches_event(PAGE, make_event("page"))
    assert not matches_event(PAGE, make_event("track"))


def test_count() -> None:
    """A count is that of its matcher, and zero for a matcher that never matched."""
    matcher = make_matcher(PAGE)
    test = CountTest(matcher, "greaterThanInclusive", 2)
    profile = make_profile(counts={matcher.id: 2, 5: 9})
    assert count_of(test, profile, NOW_MS) == 2
    assert holds(Leaf(test), profile, NOW_MS)
    assert count_of(test, make_profile(), NOW_MS) == 0


@pytest.mark.parametrize(
    ("age_ms", "count"),
    [
        pytest.param(0, 1, id="now"),
        pytest.param(DAY_MS, 1, id="edge"),
        pytest.param(DAY_MS + 1, 0, id="too-old"),
        pytest.param(-DAY_MS, 1, id="future"),
    ],
)
def test_count_in_a_window(age_ms: int, count: int) -> None:
    """A window counts the times that are not older than it is long."""
    matcher = make_matcher(PAGE, DAY_MS, 3)
    test = CountTest(matcher, "equal", 1)
    profile = make_profile(recent={matcher.id: [NOW_MS - age_ms]}, counts={matcher.id: 7})
    assert count_of(test, profile, NOW_MS) == count


def test_what_cannot_be_evaluated() -> None:
    """A reference that was not linked is refused, and so is a count inside a matcher."""
    with pytest.raises(ValueError, match="not linked"):
        holds(Reference("x"), make_profile(), NOW_MS)
    with pytest.raises(ValueError, match="one event only"):
        matches_event(Reference("x"), make_event())
    with pytest.raises(ValueError, match="one event only"):
        matches_event(Leaf(CountTest(make_matcher(PAGE), "equal", 1)), make_event())
