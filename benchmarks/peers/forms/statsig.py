"""W as project specifications: an experiment for each audience behind a targeting gate.

The format (second version) is not documented; what is said here is the least that the library
reads. There is no nesting: nested attributes become dotted keys. Contains and starts-with compare
without regard to case, and the workload has no two texts that differ by it only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from benchmarks.peers.shapes import SHARE, text_of
from benchmarks.plain import AudienceSpec, Condition

CONDITIONS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "eq": lambda operand: ("any_case_sensitive", [text_of(operand)]),
    "neq": lambda operand: ("none_case_sensitive", [text_of(operand)]),
    "in": lambda operand: ("any_case_sensitive", list(map(text_of, operand))),
    "contains": lambda operand: ("str_contains_any", [operand]),
    "prefix": lambda operand: ("str_starts_with_any", [operand]),
    "gt": lambda operand: ("gt", operand),
    "member": lambda operand: ("array_contains_any", [operand]),
}
BUCKETS = 1_000
GROUPS = {"Control": 0, "Test": 1}


class _Conditions:
    """The conditions said so far: equal ones are shared, under a number as their key."""

    def __init__(self) -> None:
        self.by_key: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}

    def key(self, condition: dict[str, Any]) -> str:
        text = msgspec.json.encode(condition).decode()
        key = self._keys.setdefault(text, str(1 + len(self._keys)))
        self.by_key[key] = condition
        return key


def condition_of(condition: Condition) -> dict[str, Any]:
    """Return a condition over an attribute."""
    operator, value = CONDITIONS[condition.operator](condition.operand)
    attribute = condition.attribute
    return _condition("user_field", operator, value, attribute, {"custom_field": attribute})


def specifications_of(audiences: Iterable[AudienceSpec]) -> dict[str, Any]:
    """Return the specifications with a gate and an experiment for each audience."""
    conditions = _Conditions()
    gates: dict[str, Any] = {}
    experiments: dict[str, Any] = {}
    for audience in audiences:
        gates[f"is-{audience.id}"] = _gate(audience, conditions)
        experiments[audience.id] = _experiment(audience, conditions)
    return {
        "has_updates": True,
        "time": 1,
        "feature_gates": gates,
        "dynamic_configs": experiments,
        "layer_configs": {},
        "condition_map": conditions.by_key,
        "experiment_to_layer": {},
    }


def _gate(audience: AudienceSpec, conditions: _Conditions) -> dict[str, Any]:
    rules = [
        _rule(f"{audience.id}-{number}", [conditions.key(condition_of(one)) for one in group], True)
        for number, group in enumerate(audience.groups)
    ]
    return _specification("feature_gate", audience.id, False, rules)


def _experiment(audience: AudienceSpec, conditions: _Conditions) -> dict[str, Any]:
    outside = conditions.key(_condition("fail_gate", None, f"is-{audience.id}", None, {}))
    rules = [_rule("targetingGate", [outside], {})]
    for (name, index), bound in zip(GROUPS.items(), (BUCKETS * SHARE, BUCKETS), strict=True):
        bucket = _condition("user_bucket", "lt", int(bound), None, {"salt": audience.id})
        rule = _rule(f"{audience.id}-{name}", [conditions.key(bucket)], {"index": index})
        rules.append(rule | {"groupName": name, "isExperimentGroup": True})
    return _specification("experiment", audience.id, {}, rules) | {
        "isActive": True,
        "hasSharedParams": False,
    }


def _condition(
    kind: str, operator: str | None, value: Any, field: str | None, additional: dict[str, str]
) -> dict[str, Any]:
    return {
        "type": kind,
        "operator": operator,
        "targetValue": value,
        "field": field,
        "additionalValues": additional,
        "idType": "userID",
    }


def _rule(rule_id: str, conditions: list[str], value: Any) -> dict[str, Any]:
    return {
        "id": rule_id,
        "name": rule_id,
        "groupName": rule_id,
        "salt": rule_id,
        "passPercentage": 100,
        "conditions": conditions,
        "returnValue": value,
        "idType": "userID",
    }


def _specification(
    entity: str, salt: str, default: Any, rules: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "type": "feature_gate" if entity == "feature_gate" else "dynamic_config",
        "entity": entity,
        "salt": salt,
        "enabled": True,
        "defaultValue": default,
        "idType": "userID",
        "rules": rules,
    }
