"""W as targeting rules with percentage rollouts: every condition can be said directly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE
from benchmarks.plain import AudienceSpec, Condition

# operator → (operation, whether it is negated, whether the operand already is a list)
CONDITIONS: dict[str, tuple[str, bool, bool]] = {
    "eq": ("in", False, False),
    "neq": ("in", True, False),
    "in": ("in", False, True),
    "contains": ("contains", False, False),
    "prefix": ("startsWith", False, False),
    "gt": ("greaterThan", False, False),
    "member": ("in", False, False),
}
WHOLE = 100_000
OUTSIDE = 2


def clause_of(condition: Condition) -> dict[str, Any]:
    """Return a condition as a clause; a nested attribute is a reference with slashes."""
    operation, negate, listed = CONDITIONS[condition.operator]
    return {
        "contextKind": "user",
        "attribute": f"/{condition.attribute.replace('.', '/')}",
        "op": operation,
        "values": condition.operand if listed else [condition.operand],
        "negate": negate,
    }


def document_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return a data file with an experiment for each audience; None is its value outside."""
    return {"flags": {audience.id: _experiment(audience) for audience in audiences}, "segments": {}}


def _experiment(audience: AudienceSpec) -> dict[str, Any]:
    weights = (int(WHOLE * SHARE), int(WHOLE * (1 - SHARE)))
    rollout = [{"variation": index, "weight": weight} for index, weight in enumerate(weights)]
    return {
        "key": audience.id,
        "version": 1,
        "on": True,
        "salt": audience.id,
        "variations": [0, 1, None],
        "offVariation": OUTSIDE,
        "fallthrough": {"variation": OUTSIDE},
        "prerequisites": [],
        "targets": [],
        "rules": [
            {
                "id": f"{audience.id}-{number}",
                "clauses": list(map(clause_of, group)),
                "rollout": {"contextKind": "user", "variations": rollout},
            }
            for number, group in enumerate(audience.groups)
        ],
    }


def context_of(visitor_id: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """Return a visitor as the plain form of a context."""
    return {"kind": "user", "key": visitor_id, **attributes}
