"""The JSON Schema of audiences in rule files: what editors complete and check by.

It says what the parser of native rules says, but for what a schema cannot: whether a regular
expression or a date is one, which audiences exist, and how deep rules nest. App-written audiences
are let through as they are, as they were not written in an editor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgewise.attributes import SOURCES
from edgewise.audiences.building import MAX_WINDOW_DAYS
from edgewise.audiences.native import (
    COUNT_KEYS,
    DEVICE_CLASSES,
    EVENT_KEYS,
    EVENT_MODIFIERS,
    LOCATION_KEYS,
    RULE_KEYS,
    WHERE_KEYS,
    WHERE_MAPS,
)
from edgewise.operators import BY_PHRASE

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
# A number in quotes is one.
_NUMBER: Final[Schema] = {
    "type": ["number", "string"],
    "pattern": r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$",
}
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"], "minLength": 1}
_YES_OR_NO: Final[Schema] = {"type": "boolean"}
_RULES: Final[Schema] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/rule"}}
_COUNT: Final[Schema] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        {"enum": ["once", "twice", "never"]},
        {"type": "string", "pattern": "^[0-9]{1,9}( times?)?$"},
    ]
}
_DESCRIPTIONS: Final = {
    "has viewed page": "Conditions on a page event, or * for any page.",
    "has performed event": "Name of a track event, or * for any.",
    "where": "Conditions that the same event must satisfy.",
    "within": f"Only events this young count: 1 to {MAX_WINDOW_DAYS} days.",
    "has trait": "Trait names and comparisons, or one name that must be set.",
    "is located at": "Parts of the location and comparisons.",
    "is returning visitor": "Whether the session is not the first.",
    "session count": "Number of sessions, the active one included.",
    "is on device": "Class of the device, or a list of classes.",
    "audience": "Id of another audience that must match.",
    "any": "One of these rules must hold.",
    "all": "All of these rules must hold.",
    "none": "None of these rules may hold.",
}
_EVENT_KINDS: Final = [{"required": [key]} for key in EVENT_KEYS]


def audience_schema() -> Schema:
    """Return the schema of one member of a rule file's `audiences`."""
    return {
        "description": "A named rule over a profile.",
        "if": {"type": "object", "required": ["nt_rules"]},
        "then": {},
        "else": {
            **_rule_shape(),
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {**_TEXT, "description": "Unique in its environment; part of answers."},
                "name": {"type": ["string", "null"], "description": "What people call it."},
                "description": {"type": ["string", "null"], "description": "Whom it holds."},
                **_rule_members(),
            },
        },
    }


def audience_definitions() -> dict[str, Schema]:
    """Return what `audience_schema` refers to under `#/$defs`."""
    return {
        "rule": {
            "description": "Everything in it must hold.",
            **_rule_shape(),
            "additionalProperties": False,
            "properties": _rule_members(),
        },
        "where": _object_of(
            {
                **{key: _ref(SOURCES[where.source].kind) for key, where in WHERE_KEYS.items()},
                **{key: _map_of(_ref("json")) for key in WHERE_MAPS},
            }
        ),
        "comparison": _comparison(_SCALAR, _operands(_SCALAR)),
        "comparison-of-text": _comparison(_TEXT, _operands(_TEXT)),
        "comparison-of-count": _comparison(
            _COUNT,
            {"value": _COUNT, "values": _list_of(_COUNT), "number": _COUNT, "none": _YES_OR_NO},
        ),
    }


def _rule_shape() -> Schema:
    """At least one part of a rule, at most one kind of event, and modifiers only beside one."""
    return {
        "type": "object",
        "anyOf": [{"required": [key]} for key in RULE_KEYS],
        "not": {"required": list(EVENT_KEYS)},
        "dependentSchemas": {key: {"anyOf": _EVENT_KINDS} for key in EVENT_MODIFIERS},
    }


def _rule_members() -> dict[str, Schema]:
    members: dict[str, Schema] = {
        "has viewed page": {"anyOf": [{"const": "*"}, {"$ref": "#/$defs/where"}]},
        "has performed event": _TEXT,
        "where": {"$ref": "#/$defs/where"},
        **dict.fromkeys(COUNT_KEYS, _COUNT),
        "within": {"type": "string", "pattern": "^0*[1-9][0-9]{0,3} days?$"},
        "has trait": {"anyOf": [_TEXT, _map_of(_ref("json"))]},
        "is located at": _object_of(dict.fromkeys(LOCATION_KEYS, _ref("text"))),
        "is returning visitor": {"type": "boolean"},
        "session count": {"$ref": "#/$defs/comparison-of-count"},
        "is on device": {
            "anyOf": [
                {"enum": list(DEVICE_CLASSES)},
                {"type": "array", "minItems": 1, "items": {"enum": list(DEVICE_CLASSES)}},
            ]
        },
        "audience": _TEXT,
        "any": _RULES,
        "all": _RULES,
        "none": _RULES,
    }
    return {
        key: {**schema, "description": _DESCRIPTIONS[key]} if key in _DESCRIPTIONS else schema
        for key, schema in members.items()
    }


def _comparison(value: Schema, operands: Mapping[str, Schema]) -> Schema:
    """What is compared with one kind of value, by the operators that have an operand for it."""
    return {
        "description": "A value (equals), a list (is one of) or operators that must all hold.",
        "anyOf": [
            value,
            _list_of(value),
            _object_of(
                {
                    phrase: {**operands[row.operand], "description": row.doc}
                    for phrase, row in BY_PHRASE.items()
                    if row.operand in operands
                }
            ),
        ],
    }


def _operands(value: Schema) -> dict[str, Schema]:
    """What each kind of operand is, for an attribute whose values are of this kind."""
    return {
        **dict.fromkeys(("value", "text", "regex"), value),
        "values": _list_of(value),
        "number": _NUMBER,
        "time": _TEXT,
        "none": _YES_OR_NO,
    }


def _ref(kind: str) -> Schema:
    name = "comparison-of-text" if kind == "text" else "comparison"
    return {"$ref": f"#/$defs/{name}"}


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": item}


def _object_of(members: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": members,
    }


def _map_of(values: Schema) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"minLength": 1},
        "additionalProperties": values,
    }
