"""W as feature rules with targeting conditions.

Contains and starts-with have no operator of their own: they become escaped patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE, starting_with
from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any], Any]] = {
    "eq": lambda operand: operand,
    "neq": lambda operand: {"$ne": operand},
    "in": lambda operand: {"$in": operand},
    "contains": lambda operand: {"$regex": re.escape(operand)},
    "prefix": lambda operand: {"$regex": starting_with(operand)},
    "gt": lambda operand: {"$gt": operand},
    "member": lambda operand: {"$elemMatch": {"$eq": operand}},
}


def conditions_of(group: Iterable[Condition]) -> dict[str, Any]:
    """Return the conditions of a group, by attribute."""
    return {one.attribute: CONDITIONS[one.operator](one.operand) for one in group}


def features_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return a feature with one experiment rule for each audience; None is its value outside."""
    return {
        audience.id: {"defaultValue": None, "rules": [_rule(audience)]} for audience in audiences
    }


def _rule(audience: AudienceSpec) -> dict[str, Any]:
    return {
        "key": audience.id,
        "condition": {"$or": [conditions_of(group) for group in audience.groups]},
        "variations": [0, 1],
        "weights": [SHARE, 1 - SHARE],
        "coverage": 1.0,
        "hashAttribute": "id",
        "hashVersion": 2,
        "seed": audience.id,
    }
