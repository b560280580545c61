"""W as a Universal Flag Configuration.

There are regular expressions only, no lists and no nesting: contains and starts-with become
escaped patterns, lists joined texts, nested attributes dotted keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks.peers.shapes import SHARE, starting_with, text_of
from benchmarks.plain import AudienceSpec, Condition

SHARDS = 10_000

CONDITIONS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "eq": lambda operand: ("ONE_OF", [text_of(operand)]),
    "neq": lambda operand: ("NOT_ONE_OF", [text_of(operand)]),
    "in": lambda operand: ("ONE_OF", list(map(text_of, operand))),
    "contains": lambda operand: ("MATCHES", re.escape(operand)),
    "prefix": lambda operand: ("MATCHES", starting_with(operand)),
    "gt": lambda operand: ("GT", operand),
    "member": lambda operand: ("MATCHES", re.escape(f",{operand},")),
}


def condition_of(condition: Condition) -> dict[str, Any]:
    """Return a condition of a targeting rule."""
    operator, value = CONDITIONS[condition.operator](condition.operand)
    return {"attribute": condition.attribute, "operator": operator, "value": value}


def configuration_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return the configuration with an experiment for each audience."""
    return {
        "createdAt": "2026-01-01T00:00:00.000Z",
        "format": "SERVER",
        "environment": {"name": "bench"},
        "flags": {audience.id: _experiment(audience) for audience in audiences},
    }


def _experiment(audience: AudienceSpec) -> dict[str, Any]:
    middle = int(SHARDS * SHARE)
    allocation = {
        "key": f"{audience.id}-all",
        "doLog": False,
        "rules": [{"conditions": list(map(condition_of, group))} for group in audience.groups],
        "splits": [_split(audience.id, "a", 0, middle), _split(audience.id, "b", middle, SHARDS)],
    }
    return {
        "key": audience.id,
        "enabled": True,
        "variationType": "INTEGER",
        "variations": {"a": {"key": "a", "value": 0}, "b": {"key": "b", "value": 1}},
        "allocations": [allocation],
        "totalShards": SHARDS,
    }


def _split(salt: str, variation: str, start: int, end: int) -> dict[str, Any]:
    shard = {"salt": salt, "ranges": [{"start": start, "end": end}]}
    return {"variationKey": variation, "shards": [shard]}
