"""Evaluators against each other: on any rules, profiles and events they give the same answers."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences.building import Builder
from edgewise.audiences.compiler import Function, compile_functions
from edgewise.audiences.interpret import holds, matches_event
from edgewise.audiences.passes import simplify
from edgewise.model.audience import Attribute, Audience, Node
from edgewise.model.event import Event
from edgewise.model.profiles import Profile
from edgewise.operators import OPERATORS, Operator
from edgewise.parsing import FaultList
from tests.evaluators import EVALUATORS
from tests.rules import make_profile
from tests.strategies import (
    NOW_MS,
    OPERANDS,
    audience_lists,
    event_trees,
    events,
    made_up,
    profiles,
)


@settings(max_examples=2000)
@given(audience_lists, st.lists(profiles, min_size=1, max_size=3), events)
def test_evaluators_agree(audiences: list[Audience], visitors: list[Profile], event: Event) -> None:
    """Every evaluator finds the members and the matchers that the reference finds."""
    reference, *others = (make(audiences) for make in EVALUATORS.values())
    matched = {matcher.id for matcher in reference.match_event(event)}
    members = [reference.members(profile, NOW_MS) for profile in visitors]
    for other in others:
        assert [other.members(profile, NOW_MS) for profile in visitors] == members
        assert {matcher.id for matcher in other.match_event(event)} == matched


@settings(max_examples=400)
@given(event_trees, events)
def test_matchers_agree(tree: Node, event: Event) -> None:
    """A compiled matcher of any shape counts the events that the reference counts."""
    simplified = simplify(tree)
    generated = compile_functions([Function("matches", simplified, "event")], "test")
    assert generated.functions["matches"](event) is matches_event(tree, event)


@settings(max_examples=400)
@given(made_up, st.sampled_from([row for row in OPERATORS if row.test]), st.data())
def test_any_value_is_read_alike(value: Any, operator: Operator, data: st.DataObject) -> None:
    """Of any JSON value at all, generated code and the reference think the same."""
    attribute = Attribute("trait", "k")
    builder = Builder(FaultList(), strict=False)
    operand = data.draw(st.sampled_from(OPERANDS[operator.operand]))
    tree = builder.condition(attribute, operator, operand, "")
    profile = make_profile({"k": value})
    generated = compile_functions([Function("holds", tree)], "test")
    assert generated.functions["holds"](profile, NOW_MS) is holds(tree, profile, NOW_MS)
