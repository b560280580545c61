"""The JSON Schema of whole rule files, put together from those of their parts."""

from __future__ import annotations

import json
from typing import Any

from edgewise.audiences.schema import audience_definitions, audience_schema
from edgewise.experiences.schema import NATIVE_EXPERIENCE_SCHEMA
from edgewise.settings import settings_schema


def rules_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of one rule file.

    Shape: files may be empty, and so may each of their lists.
    """
    experience = {key: part for key, part in NATIVE_EXPERIENCE_SCHEMA.items() if key[0] != "$"}
    return {
        "$schema": NATIVE_EXPERIENCE_SCHEMA["$schema"],
        "title": "Edgewise rules",
        "description": "Rules of one environment, or a part of them.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "environment": settings_schema(),
            "audiences": {"type": ["array", "null"], "items": audience_schema()},
            "experiences": {
                "type": ["array", "null"],
                "items": {
                    "if": {"type": "object", "required": ["nt_config"]},
                    "then": {},
                    "else": experience,
                },
            },
        },
        "$defs": audience_definitions(),
    }


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"
