"""What an environment says about all of its rules: the `environment` object of a rule document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edgewise.hashing import MODES
from edgewise.parsing import FaultList

KEYS = ("allocation", "negation of missing values", "data from the address")

ALWAYS = "always"
UNLESS_REFUSED = "unless refused"
ADDRESS_CHOICES = (ALWAYS, UNLESS_REFUSED)


class EnvironmentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one environment.

    Args:
        allocation: the mode of experiences that do not say their own; None leaves it to their form.
        missing_negated: whether negative operators hold for missing values.
        respects_refusal: whether nothing is found by the address of a visitor who refuses consent,
            and what was found before is removed.
    """

    allocation: str | None = None
    missing_negated: bool = True
    respects_refusal: bool = False


def parse_settings(raw: Any, pointer: str, faults: FaultList) -> EnvironmentSettings:
    """Return the settings of an `environment` object; faults go to the list."""
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "environment", "an object", raw)
        return EnvironmentSettings()
    faults.unknown_keys(raw, pointer, KEYS)
    said = raw.get("allocation") is not None
    return EnvironmentSettings(
        allocation=faults.choice(raw, "allocation", pointer, MODES, "") or None if said else None,
        missing_negated=faults.boolean(raw, "negation of missing values", pointer, True),
        respects_refusal=_respects_refusal(raw, pointer, faults),
    )


def _respects_refusal(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> bool:
    key = "data from the address"
    if raw.get(key) is None:
        return False
    return faults.choice(raw, key, pointer, ADDRESS_CHOICES, ALWAYS) == UNLESS_REFUSED


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of an `environment` object."""
    return {
        "type": "object",
        "description": "What holds for all rules of the environment.",
        "additionalProperties": False,
        "properties": {
            "allocation": {
                "enum": [*MODES, None],
                "description": "The hash of experiences that do not say their own.",
            },
            "negation of missing values": {
                "type": ["boolean", "null"],
                "default": True,
                "description": "Whether negative operators hold for missing values.",
            },
            "data from the address": {
                "enum": [*ADDRESS_CHOICES, None],
                "default": ALWAYS,
                "description": "Whether what a visitor's address tells is used without consent.",
            },
        },
    }
