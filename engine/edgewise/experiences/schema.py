"""The JSON Schema of a native experience: what editors complete and check by.

It says what the parser says, but for the few things that a schema cannot: how long a distribution
is and what it adds up to, and that no two components replace the same.
"""

from __future__ import annotations

from typing import Any, Final

from edgewise.experiences.native import TYPES
from edgewise.hashing import MODES

_TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
_SHARE: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 1}

_ENTRY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["entry", "variants"],
    "additionalProperties": False,
    "properties": {
        "entry": {**_TEXT, "description": "Id of the entry that is replaced, the baseline."},
        "variants": {
            "type": "array",
            "minItems": 1,
            "description": "What takes its place per variant index from 1.",
            "items": {
                "anyOf": [
                    _TEXT,
                    {
                        "type": "object",
                        "required": ["hidden"],
                        "additionalProperties": False,
                        "properties": {"hidden": {"const": True}},
                    },
                ]
            },
        },
    },
}

_VARIABLE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["variable", "baseline", "variants"],
    "additionalProperties": False,
    "properties": {
        "variable": {**_TEXT, "description": "Name of the variable."},
        "baseline": {"description": "The value of variant index 0."},
        "variants": {
            "type": "array",
            "minItems": 1,
            "description": "The value per variant index from 1, of the baseline's type.",
        },
    },
    "anyOf": [
        {"properties": {"baseline": {"type": type_}, "variants": {"items": {"type": type_}}}}
        for type_ in ("string", "number", "boolean", "object")
    ],
}

NATIVE_EXPERIENCE_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Experience",
    "description": "Who takes part, in which proportions, and what each variant replaces.",
    "type": "object",
    "required": ["id", "components"],
    "additionalProperties": False,
    "properties": {
        "id": {**_TEXT, "description": "Unique in its environment; part of the hash."},
        "name": {"type": "string", "description": "What people call it."},
        "description": {"type": "string", "description": "What it is for."},
        "type": {
            "enum": list(TYPES),
            "default": "personalization",
            "description": "A personalization shows its variant; an experiment compares several.",
        },
        "audience": {**_TEXT, "description": "Id of the audience; left out, everyone."},
        "traffic": {
            **_SHARE,
            "default": 1,
            "description": "Share of the audience that takes part.",
        },
        "distribution": {
            "type": "array",
            "minItems": 1,
            "items": _SHARE,
            "description": "Share per variant index, the baseline first; at most 1 in sum.",
        },
        "sticky": {
            "type": "boolean",
            "default": False,
            "description": "Whether a visitor keeps a variant once seen.",
        },
        "allocation": {
            "enum": list(MODES),
            "description": "The hash that allocates; left out, the environment's.",
        },
        "components": {
            "type": "array",
            "minItems": 1,
            "description": "What the variants replace.",
            "items": {"anyOf": [_ENTRY, _VARIABLE]},
        },
    },
}
