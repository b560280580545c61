"""W as features with constrained strategies.

Values are texts only, without lists and nesting: numbers and booleans are written out, lists
become joined texts, nested attributes dotted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE, text_of
from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "eq": lambda operand: {"operator": "IN", "values": [text_of(operand)]},
    "neq": lambda operand: {"operator": "NOT_IN", "values": [text_of(operand)]},
    "in": lambda operand: {"operator": "IN", "values": list(map(text_of, operand))},
    "contains": lambda operand: {"operator": "STR_CONTAINS", "values": [operand]},
    "prefix": lambda operand: {"operator": "STR_STARTS_WITH", "values": [operand]},
    "gt": lambda operand: {"operator": "NUM_GT", "values": [], "value": text_of(operand)},
    "member": lambda operand: {"operator": "STR_CONTAINS", "values": [f",{operand},"]},
}
VARIANTS = {"a": 0, "b": 1}
WHOLE = 1_000


def constraint_of(condition: Condition) -> dict[str, Any]:
    """Return a condition as a constraint."""
    said = CONDITIONS[condition.operator](condition.operand)
    return {
        "contextName": condition.attribute,
        "caseInsensitive": False,
        "inverted": False,
    } | said


def state_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return the state with a feature and two variants for each audience."""
    return {"version": 2, "features": [_feature(audience) for audience in audiences]}


def context_of(visitor_id: str, attributes: dict[str, str]) -> dict[str, Any]:
    """Return a visitor as a context."""
    return {"userId": visitor_id, "properties": attributes}


def _feature(audience: AudienceSpec) -> dict[str, Any]:
    shares = zip(VARIANTS, (SHARE, 1 - SHARE), strict=True)
    return {
        "name": audience.id,
        "type": "experiment",
        "project": "default",
        "enabled": True,
        "strategies": [
            {"name": "default", "parameters": {}, "constraints": list(map(constraint_of, group))}
            for group in audience.groups
        ],
        "variants": [
            {
                "name": name,
                "weight": int(WHOLE * share),
                "weightType": "variable",
                "stickiness": "userId",
                "overrides": [],
            }
            for name, share in shares
        ],
    }
