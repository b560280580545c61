"""The JSON Schema of native audiences against the parser that decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edgewise.audiences.native import (
    COUNT_KEYS,
    DEVICE_CLASSES,
    EVENT_MODIFIERS,
    LOCATION_KEYS,
    RULE_KEYS,
    WHERE_KEYS,
)
from edgewise.audiences.parse import NATIVE_KEYS
from edgewise.audiences.schema import audience_definitions, audience_schema
from edgewise.operators import BY_PHRASE
from tests.rules import parse

SCHEMA = {**audience_schema(), "$defs": audience_definitions()}
VALIDATOR = Draft202012Validator(SCHEMA)


def agree(raw: Any) -> bool:
    """Return whether the schema takes an audience, having checked that the parser agrees."""
    parsed = parse(raw)
    faults = [fault for fault in parsed.faults if not beyond_a_schema(fault.message)]
    valid = VALIDATOR.is_valid(raw)
    assert valid is (not faults), (faults, list(VALIDATOR.iter_errors(raw)))
    return valid


def beyond_a_schema(message: str) -> bool:
    """Whether a fault is one that a schema cannot see."""
    texts = ("RE2 refuses", "is no date or time", "there is no audience", "refers to itself")
    return any(text in message for text in texts)


def test_schema_is_a_schema() -> None:
    """The schema obeys its own draft and knows exactly the parser's keys."""
    Draft202012Validator.check_schema(SCHEMA)
    keys = {*RULE_KEYS, *EVENT_MODIFIERS}
    definitions = audience_definitions()
    assert set(definitions["rule"]["properties"]) == keys
    assert set(audience_schema()["else"]["properties"]) == keys | set(NATIVE_KEYS)
    assert set(definitions["where"]["properties"]) == {*WHERE_KEYS, "query", "property"}
    for name in ("comparison", "comparison-of-text"):
        assert set(definitions[name]["anyOf"][-1]["properties"]) == set(BY_PHRASE)


@pytest.mark.parametrize(
    "rule",
    [
        {"has trait": "k"},
        {"has trait": {"k": "a", "l.m": 5, "n": True}},
        {"has trait": {"k": ["a", 5]}},
        {"has trait": {"k": {"at least": "5", "does not equal": 7, "contains": 5}}},
        {"has trait": {"k": {"is set": False, "is one of": [1], "before": "2026-01-31"}}},
        {"is located at": {"city": "Berlin", "country code": ["DE", "AT"]}},
        {"is located at": {"postal code": {"starts with": "10", "matches": "^1"}}},
        {"is returning visitor": True, "session count": {"at least": 3}},
        {"session count": 3},
        {"is on device": "mobile"},
        {"is on device": ["mobile", "tablet"]},
        {"audience": "a"},
        {"any": [{"has trait": "k"}, {"all": [{"has trait": "l"}]}], "none": [{"has trait": "m"}]},
        {"has viewed page": "*", "exactly": "never"},
        {"has viewed page": {"path": "/", "query": {"a": 5}, "property": {"b": {"at least": 1}}}},
        {"has performed event": "order", "where": {"url": "*"}, "at least": 2, "within": "7 days"},
        {"has performed event": "order", "at most": "3 times", "within": "1 day"},
        {"name": None, "description": "d", "has trait": "k"},
    ],
    ids=repr,
)
def test_valid_audience(rule: dict[str, Any]) -> None:
    """What the parser takes, the schema takes."""
    assert agree({"id": "x", **rule})


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"has traits": "k"},
        {"has trait": ""},
        {"has trait": {}},
        {"has trait": {"": 1}},
        {"has trait": {"k": None}},
        {"has trait": {"k": ""}},
        {"has trait": {"k": []}},
        {"has trait": {"k": ["a", ""]}},
        {"has trait": {"k": [[]]}},
        {"has trait": {"k": {}}},
        {"has trait": {"k": {"equal": 1}}},
        {"has trait": {"k": {"equals": {}}}},
        {"has trait": {"k": {"at least": "many"}}},
        {"has trait": {"k": {"at least": True}}},
        {"has trait": {"k": {"is set": "yes"}}},
        {"has trait": {"k": {"is one of": "a"}}},
        {"has trait": {"k": {"before": ""}}},
        {"is located at": {"city": 5}},
        {"is located at": {"city": False}},
        {"is located at": {"city": ["a", 5]}},
        {"is located at": {"city": {"contains": 5}}},
        {"is located at": {"town": "a"}},
        {"is located at": {}},
        {"is located at": "Berlin"},
        {"is returning visitor": "yes"},
        {"session count": None},
        {"is on device": "phone"},
        {"is on device": []},
        {"is on device": {"is not": "mobile"}},
        {"audience": ""},
        {"audience": None},
        {"any": []},
        {"any": {"has trait": "k"}},
        {"any": [{}]},
        {"any": ["k"]},
        {"any": [{"id": "y", "has trait": "k"}]},
        {"has viewed page": {}},
        {"has viewed page": "/"},
        {"has viewed page": {"paht": "/"}},
        {"has viewed page": {"path": 5}},
        {"has viewed page": "*", "has performed event": "order"},
        {"has viewed page": "*", "at least": -1},
        {"has viewed page": "*", "at least": "thrice"},
        {"has viewed page": "*", "within": 7},
        {"has viewed page": "*", "within": "0 days"},
        {"has viewed page": "*", "where": None},
        {"has performed event": ""},
        {"has performed event": 5},
        {"at least": 1, "has trait": "k"},
        {"where": {"path": "/"}},
        {"within": "7 days"},
        {"id": "", "has trait": "k"},
        {"id": 5, "has trait": "k"},
        {"name": 5, "has trait": "k"},
    ],
    ids=repr,
)
def test_invalid_audience(rule: dict[str, Any]) -> None:
    """What the parser refuses, the schema refuses."""
    assert not agree({"id": "x", **rule})


@pytest.mark.parametrize("raw", [None, [], "x", 5, {}, {"has trait": "k"}], ids=repr)
def test_what_is_no_audience(raw: Any) -> None:
    """Schema and parser refuse what is no audience, or has no id."""
    assert not agree(raw)


def test_app_written_audience_is_let_through() -> None:
    """What an app wrote is not for editors to judge, nor does it refuse a load."""
    assert agree({"id": "x", "nt_rules": 5, "anything": 1})


SCALARS = st.sampled_from((None, True, False, 0, 1, -1, 2.5, "", "a", "*", "7", "7 days", "once"))
TEXTS = st.sampled_from(("a", "", "*", 5, True, None))
COMPARISONS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.dictionaries(
        st.sampled_from((*BY_PHRASE, "equal")), SCALARS | st.lists(SCALARS, max_size=2), max_size=2
    ),
)
NAMED = st.dictionaries(st.sampled_from(("k", "a.b", "")), COMPARISONS, max_size=2)
WHERE = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys((*WHERE_KEYS, "other"), COMPARISONS), "query": NAMED}
)
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "has trait": NAMED | TEXTS,
    "is located at": st.dictionaries(
        st.sampled_from((*LOCATION_KEYS, "town")), COMPARISONS, max_size=2
    )
    | TEXTS,
    "is returning visitor": SCALARS,
    "session count": COMPARISONS,
    "is on device": st.sampled_from((*DEVICE_CLASSES, "phone", 5, None, [], ["mobile"], ["x"], {})),
    "audience": TEXTS,
    "has viewed page": WHERE | TEXTS,
    "has performed event": TEXTS,
    "where": WHERE | TEXTS,
    "within": st.sampled_from(("7 days", "1 day", "0 days", "days", 7, None, "00007 days")),
    "other": SCALARS,
    **dict.fromkeys(COUNT_KEYS, SCALARS),
}
RULES = st.recursive(
    st.lists(st.sampled_from(list(LEAVES)), max_size=2, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: LEAVES[key] for key in keys})
    ),
    lambda inner: st.builds(
        lambda rule, key, rules: {**rule, key: rules},
        inner,
        st.sampled_from(("any", "all", "none")),
        st.lists(inner | SCALARS, max_size=2),
    ),
    max_leaves=3,
)


@settings(max_examples=1000)
@given(RULES)
def test_schema_and_parser_agree(rule: dict[str, Any]) -> None:
    """Of any audience, schema and parser think the same."""
    agree({**rule, "id": "x"})
