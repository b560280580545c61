"""W as definitions for local evaluation.

Texts compare without regard to case (the workload has no two that differ by it only); lists
become joined texts, nested attributes dotted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE, text_of
from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "eq": lambda operand: ("exact", [text_of(operand)]),
    "neq": lambda operand: ("is_not", [text_of(operand)]),
    "in": lambda operand: ("exact", list(operand)),
    "contains": lambda operand: ("icontains", operand),
    "prefix": lambda operand: ("starts_with", operand),
    "gt": lambda operand: ("gt", operand),
    "member": lambda operand: ("icontains", f",{operand},"),
}
VARIANTS = {"a": 0, "b": 1}


def condition_of(condition: Condition) -> dict[str, Any]:
    """Return a condition as a property filter."""
    operator, value = CONDITIONS[condition.operator](condition.operand)
    return {"key": condition.attribute, "operator": operator, "value": value, "type": "person"}


def definitions_of(audiences: Iterable[AudienceSpec]) -> list[dict[str, Any]]:
    """Return a multivariate definition for each audience."""
    shares = zip(VARIANTS, (SHARE, 1 - SHARE), strict=True)
    variants = [{"key": key, "rollout_percentage": 100 * share} for key, share in shares]
    return [
        {
            "id": number,
            "key": audience.id,
            "active": True,
            "filters": {
                "groups": [
                    # No percentage is everyone, and spares the hash that a hundred per cent costs.
                    {"properties": list(map(condition_of, group)), "rollout_percentage": None}
                    for group in audience.groups
                ],
                "multivariate": {"variants": variants},
            },
        }
        for number, audience in enumerate(audiences)
    ]
