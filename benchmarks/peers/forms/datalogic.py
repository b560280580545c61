"""W as JSONLogic: every condition can be said directly, on nested attributes and lists too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "eq": lambda value, operand: {"===": [value, operand]},
    "neq": lambda value, operand: {"!==": [value, operand]},
    "in": lambda value, operand: {"in": [value, operand]},
    "contains": lambda value, operand: {"in": [operand, value]},
    "prefix": lambda value, operand: {"starts_with": [value, operand]},
    "gt": lambda value, operand: {">": [value, operand]},
    "member": lambda value, operand: {"in": [operand, value]},
}


def condition_of(condition: Condition) -> dict[str, Any]:
    """Return a condition as JSONLogic."""
    return CONDITIONS[condition.operator]({"var": condition.attribute}, condition.operand)


def rule_of(audiences: Iterable[AudienceSpec]) -> list[dict[str, Any]]:
    """Return one rule whose value is the list of all memberships."""
    return [
        {"or": [{"and": [condition_of(one) for one in group]} for group in audience.groups]}
        for audience in audiences
    ]
