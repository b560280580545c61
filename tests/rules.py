"""Short ways to say rules, profiles and events in tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from edgewise.audiences.building import Builder
from edgewise.audiences.parse import ParsedAudiences, RawAudience, parse_audiences
from edgewise.audiences.passes import simplify
from edgewise.errors import Fault
from edgewise.fold import FoldRules, fold_events
from edgewise.model.audience import Attribute, Audience, Node
from edgewise.model.event import Event, ReceivedEvent
from edgewise.model.profiles import Location, Profile, Session
from edgewise.operators import BY_NAME
from edgewise.parsing import FaultList
from tests.evaluators import EVALUATORS, Evaluation

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


def parse(*raws: Any, missing_negated: bool = True) -> ParsedAudiences:
    """Return what one file with these audiences parses to."""
    placed = [RawAudience(raw, "shop.yaml", f"/audiences/{i}") for i, raw in enumerate(raws)]
    return parse_audiences(placed, missing_negated=missing_negated)


def audiences_of(*raws: Any, missing_negated: bool = True) -> tuple[Audience, ...]:
    """Return audiences that must be without faults."""
    parsed = parse(*raws, missing_negated=missing_negated)
    assert (parsed.faults, parsed.set_aside) == ((), ())
    return parsed.audiences


def native(**rule: Any) -> dict[str, Any]:
    """Return a native audience "a" of a rule whose keys are written with underscores."""
    return {"id": "a", **{key.replace("_", " "): value for key, value in rule.items()}}


def nt_rules(*groups: Any) -> dict[str, Any]:
    """Return an app-written audience "a" of groups, or of one rule per group."""
    wrapped = [group if "all" in group else {"all": [group]} for group in groups]
    return {"id": "a", "nt_rules": {"any": wrapped}}


def nt_rule(type_: str, **members: Any) -> dict[str, Any]:
    """Return an app-written rule with the members that the app always writes."""
    rule = {"type": type_, "key": "", "operator": "equal", "value": "", "count": "1"}
    return {**rule, "conditions": [], **members}


def nt_condition(id_: str, operator: str, value: Any, parameter: str = "") -> dict[str, Any]:
    """Return a condition as the app writes it."""
    return {
        "key": {"id": id_, "key": id_, "value": parameter},
        "operator": operator,
        "value": value,
    }


def trait_condition(operator: str, operand: Any, *, strict: bool = False) -> Node:
    """Return the tree of one condition on the trait "k"."""
    faults = FaultList()
    node = Builder(faults, strict=strict).condition(
        Attribute("trait", "k"), BY_NAME[operator], operand, ""
    )
    assert not faults.faults
    return simplify(node)


def make_profile(
    traits: dict[str, Any] | None = None,
    *,
    location: dict[str, Any] | None = None,
    device: str = "unknown",
    session_count: int = 1,
    **other: Any,
) -> Profile:
    """Return a profile with nothing else in it."""
    return Profile(
        organization="demo",
        environment="main",
        id="p",
        stable_id=other.pop("stable_id", "p"),
        created_ms=0,
        traits=traits or {},
        location=msgspec.convert(location or {}, Location),
        device=device,
        session=Session(count=session_count),
        **other,
    )


def make_event(type_: str = "page", **members: Any) -> Event:
    """Return an event; `page` and `campaign` go into its context."""
    context = {key: members.pop(key) for key in ("page", "campaign") if key in members}
    return msgspec.convert({"type": type_, "context": context, **members}, Event)


def fold(evaluation: Evaluation, profile: Profile, events: Iterable[tuple[Event, int]]) -> None:
    """Fold (event, time) pairs into a profile."""
    received = [ReceivedEvent(event, time_ms, 0, b"") for event, time_ms in events]
    fold_events(profile, received, FoldRules(evaluation.match_event, {}), NOW_MS)


def is_member(
    raw: Any,
    profile: Profile | None = None,
    events: Iterable[Event | tuple[Event, int]] = (),
    *,
    missing_negated: bool = True,
) -> bool:
    """Return whether a visitor belongs to an audience, having asked every evaluator."""
    audiences = audiences_of(raw, missing_negated=missing_negated)
    answers = set()
    for make in EVALUATORS.values():
        evaluation = make(audiences)
        visitor = msgspec.convert(msgspec.to_builtins(profile or make_profile()), Profile)
        timed = [event if isinstance(event, tuple) else (event, NOW_MS) for event in events]
        tallies = make_profile()
        fold(evaluation, tallies, timed)
        visitor.counts, visitor.recent = tallies.counts, tallies.recent
        answers.add(bool(evaluation.members(visitor, NOW_MS)))
    assert len(answers) == 1
    return answers.pop()


def shown(faults: Iterable[Fault]) -> list[str]:
    """Return faults as people read them."""
    return [str(fault) for fault in faults]
