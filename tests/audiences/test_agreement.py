"""Evaluators against each other: on any rules, profiles and events they give the same answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences.evaluator import matchers_of
from edgewise.model.audience import Audience
from tests.evaluators import EVALUATORS
from tests.strategies import (
    NOW_MS,
    audience_lists,
    events,
    profiles,
)

REFERENCE, *OTHERS = EVALUATORS


@pytest.mark.parametrize("name", OTHERS)
@settings(max_examples=2000)
@given(audience_lists(), st.data())
def test_evaluators_agree(name: str, audiences: list[Audience], data: st.DataObject) -> None:
    """Every evaluator finds the members and the matchers that the reference finds."""
    ids = {matcher.id for audience in audiences for matcher in matchers_of(audience.tree)}
    reference, other = EVALUATORS[REFERENCE](audiences), EVALUATORS[name](audiences)
    for _ in range(2):
        profile = data.draw(profiles(tuple(sorted(ids))))
        assert other.members(profile, NOW_MS) == reference.members(profile, NOW_MS)
    event = data.draw(events())
    found = {matcher.id for matcher in other.match_event(event)}
    assert found == {matcher.id for matcher in reference.match_event(event)}
