"""W as an evaluation context: a segment for each audience overrides a feature that is off.

There is no starts-with and no list membership: they become escaped patterns and joined texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE, starting_with, text_of
from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "eq": lambda operand: ("EQUAL", text_of(operand)),
    "neq": lambda operand: ("NOT_EQUAL", text_of(operand)),
    "in": lambda operand: ("IN", list(operand)),
    "contains": lambda operand: ("CONTAINS", operand),
    "prefix": lambda operand: ("REGEX", starting_with(operand)),
    "gt": lambda operand: ("GREATER_THAN", text_of(operand)),
    "member": lambda operand: ("CONTAINS", f",{operand},"),
}
ENVIRONMENT = {"key": "bench", "name": "bench"}


def condition_of(condition: Condition) -> dict[str, Any]:
    """Return a condition of a segment."""
    operator, value = CONDITIONS[condition.operator](condition.operand)
    return {"property": condition.attribute, "operator": operator, "value": value}


def features_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return the features by name: off for everyone."""
    return {audience.id: _feature(audience.id, enabled=False) for audience in audiences}


def segments_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return the segments by key, each of which turns its audience's feature on and splits it."""
    return {audience.id: _segment(audience) for audience in audiences}


def _segment(audience: AudienceSpec) -> dict[str, Any]:
    groups = [
        {"type": "ALL", "conditions": list(map(condition_of, group))} for group in audience.groups
    ]
    variants = [
        {"value": 0, "weight": 100 * SHARE, "priority": 0},
        {"value": 1, "weight": 100 * (1 - SHARE), "priority": 1},
    ]
    return {
        "key": audience.id,
        "name": audience.id,
        "rules": [{"type": "ANY", "rules": groups}],
        "overrides": [_feature(audience.id, enabled=True) | {"variants": variants}],
    }


def _feature(name: str, *, enabled: bool) -> dict[str, Any]:
    return {"key": name, "name": name, "enabled": enabled, "value": None}
