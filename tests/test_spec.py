"""Cases written as data: rules, a visitor, and the audiences every evaluator must find.

A file holds `audiences` as a rule file would, and `cases` with a `name`, optionally a `profile`
(traits, location, device, session_count) and `events` (as clients send them, with `days_ago`), and
`expected`, the ids of the audiences.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.model.event import Event
from tests.evaluators import EVALUATORS
from tests.rules import DAY_MS, NOW_MS, audiences_of, fold, make_profile

SPEC = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in Path(__file__).parent.glob("spec/*.json")
}
CASES = [
    pytest.param(spec["audiences"], case, id=f"{name}-{case['name'].replace(' ', '-')}")
    for name, spec in sorted(SPEC.items())
    for case in spec["cases"]
]


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize(("audiences", "case"), CASES)
def test_case(evaluator: str, audiences: list[Any], case: dict[str, Any]) -> None:
    """Every evaluator finds exactly the expected audiences."""
    evaluation = EVALUATORS[evaluator](audiences_of(*audiences))
    profile = make_profile(**case.get("profile", {}))
    sessions, device = profile.session.count, profile.device
    events = [
        (msgspec.convert(raw, Event), NOW_MS - round(raw.get("days_ago", 0) * DAY_MS))
        for raw in case.get("events", [])
    ]
    fold(evaluation, profile, events)
    # The case says what these are, whatever its events would have made of them.
    profile.session.count, profile.device = sessions, device
    assert evaluation.members(profile, NOW_MS) == case["expected"]


@pytest.mark.parametrize("name", SPEC)
def test_every_audience_is_told_apart(name: str) -> None:
    """Each audience of a file is expected in one case and absent from another."""
    spec = SPEC[name]
    for audience in spec["audiences"]:
        found = {audience["id"] in case["expected"] for case in spec["cases"]}
        assert found == {True, False}
