"""The JSON Schema for editors against the parser that decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edgewise.experiences.native import KEYS, parse_native_experience
from edgewise.experiences.schema import NATIVE_EXPERIENCE_SCHEMA

# What a schema cannot say.
BEYOND_A_SCHEMA = {
    "distribution_length",
    "distribution_missing",
    "distribution_sum",
    "duplicate_component",
}
VALIDATOR = Draft202012Validator(NATIVE_EXPERIENCE_SCHEMA)


def agree(raw: Any) -> bool:
    """Return whether the schema takes a document, having checked that the parser agrees."""
    _, faults = parse_native_experience(raw, "", "")
    beyond = {fault.code for fault in faults} <= BEYOND_A_SCHEMA
    valid = VALIDATOR.is_valid(raw)
    assert valid == beyond, (faults, list(VALIDATOR.iter_errors(raw)))
    return valid


def test_schema_is_a_schema() -> None:
    """The schema obeys its own draft and knows exactly the parser's keys."""
    Draft202012Validator.check_schema(NATIVE_EXPERIENCE_SCHEMA)
    assert tuple(NATIVE_EXPERIENCE_SCHEMA["properties"]) == KEYS


TEXTS = st.sampled_from(["", "a", "b", "experiment", "xxh3"])
SCALARS = st.none() | st.booleans() | st.sampled_from([0, 1, 0.5, 2, -1, 1.5]) | TEXTS
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(TEXTS, SCALARS, max_size=2)
VARIANTS = VALUES | st.lists(
    VALUES | st.fixed_dictionaries({"hidden": st.booleans()}), min_size=1, max_size=3
)
GOOD_TEXTS = st.sampled_from(["a", "b"])
GOOD_COMPONENTS = st.fixed_dictionaries(
    {"entry": GOOD_TEXTS, "variants": st.lists(GOOD_TEXTS, min_size=1, max_size=3)}
) | st.fixed_dictionaries(
    {"variable": GOOD_TEXTS, "baseline": GOOD_TEXTS, "variants": st.lists(GOOD_TEXTS, min_size=1)}
)
COMPONENTS = GOOD_COMPONENTS | st.fixed_dictionaries(
    {},
    optional={
        "entry": VALUES,
        "variable": VALUES,
        "baseline": VALUES,
        "variants": VARIANTS,
        "other": SCALARS,
    },
)
GOOD_EXPERIENCES = st.fixed_dictionaries(
    {"id": GOOD_TEXTS, "components": st.lists(GOOD_COMPONENTS, min_size=1, max_size=2)},
    optional={
        "name": TEXTS,
        "description": TEXTS,
        "type": st.sampled_from(["personalization", "experiment"]),
        "audience": GOOD_TEXTS,
        "traffic": st.floats(0, 1),
        "distribution": st.lists(st.floats(0, 1), min_size=1, max_size=3),
        "sticky": st.booleans(),
        "allocation": st.sampled_from(["xxh3", "murmur3"]),
    },
)
SLIPS = st.dictionaries(st.sampled_from([*KEYS, "other"]), VALUES, max_size=2)


@given(GOOD_EXPERIENCES)
def test_good_experiences(raw: dict[str, Any]) -> None:
    """What is well-formed, the schema takes, and the parser misses nothing but its own checks."""
    assert agree(raw)


@given(GOOD_EXPERIENCES, SLIPS)
def test_members_with_slips(raw: dict[str, Any], slips: dict[str, Any]) -> None:
    """Of any value of any member, schema and parser think the same."""
    agree(raw | slips)


@given(GOOD_EXPERIENCES, st.sampled_from(["id", "components"]))
def test_required_members(raw: dict[str, Any], name: str) -> None:
    """Schema and parser require the same members."""
    assert not agree({key: value for key, value in raw.items() if key != name})


@given(COMPONENTS)
def test_components(component: dict[str, Any]) -> None:
    """Of any component, schema and parser think the same."""
    agree({"id": "a", "components": [component]})


@pytest.mark.parametrize("raw", [None, [], "x", 5, {}], ids=str)
def test_what_is_no_experience(raw: Any) -> None:
    """Schema and parser refuse what is no experience at all."""
    assert not agree(raw)
