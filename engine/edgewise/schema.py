"""The JSON Schema of whole rule files, put together from those of their parts."""

from __future__ import annotations

import json
from typing import Any

from edgewise.audiences.schema import audience_definitions, audience_schema
from edgewise.experiences.schema import NATIVE_EXPERIENCE_SCHEMA
from edgewise.mergetags import merge_tags_schema
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
            "merge_tags": merge_tags_schema(),
            "contentful": _contentful_schema(),
            "accepted_warnings": {
                "type": ["object", "null"],
                "description": "Codes of warnings that are meant to be, each with the reason.",
                "additionalProperties": {"type": "string", "minLength": 1},
            },
        },
        "$defs": audience_definitions(),
    }


def _contentful_schema() -> dict[str, Any]:
    """The form of what `edgewise.sources.contentful.settings` reads."""
    text = {"type": ["string", "null"]}
    return {
        "type": "object",
        "description": "The space that more rules come from. Tokens stand in variables, not here.",
        "additionalProperties": False,
        "required": ["space"],
        "properties": {
            "space": {"type": "string"},
            "environment": text,
            "preview": {"type": ["boolean", "null"], "description": "Whether drafts count."},
            "base url": text,
            "token variable": text,
            "webhook secret variable": text,
            "seconds between polls": {"type": ["number", "null"], "minimum": 1, "maximum": 86_400},
        },
    }


def schema_text() -> str:
    """Return the schema as it is published."""
    return json.dumps(rules_schema(), indent=2, ensure_ascii=False) + "\n"
