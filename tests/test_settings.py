"""What an environment says about all of its rules."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgewise.parsing import FaultList
from edgewise.settings import KEYS, EnvironmentSettings, parse_settings, settings_schema

VALIDATOR = Draft202012Validator(settings_schema())


def parsed(raw: Any) -> tuple[EnvironmentSettings, list[str]]:
    """Settings and the faults in them, having checked that the schema thinks the same."""
    faults = FaultList("env.yaml")
    settings = parse_settings(raw, "/environment", faults)
    assert VALIDATOR.is_valid(raw) is (not faults.faults)
    return settings, [str(fault) for fault in faults.faults]


@pytest.mark.parametrize(
    ("raw", "settings"),
    [
        ({}, EnvironmentSettings()),
        ({"allocation": "murmur3"}, EnvironmentSettings(allocation="murmur3")),
        ({"allocation": "xxh3"}, EnvironmentSettings(allocation="xxh3")),
        ({"allocation": None}, EnvironmentSettings()),
        ({"negation of missing values": False}, EnvironmentSettings(missing_negated=False)),
        ({"negation of missing values": None}, EnvironmentSettings()),
        ({"data from the address": "always"}, EnvironmentSettings()),
        ({"data from the address": "unless refused"}, EnvironmentSettings(respects_refusal=True)),
        ({"data from the address": None}, EnvironmentSettings()),
    ],
    ids=repr,
)
def test_settings(raw: Any, settings: EnvironmentSettings) -> None:
    """Each setting may be said or left out."""
    assert parsed(raw) == (settings, [])


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (None, ': "environment" must be an object, not null'),
        ([], ': "environment" must be an object, not a list'),
        (
            {"alocation": "xxh3"},
            '/alocation: unknown key "alocation" (did you mean "allocation"?)',
        ),
        (
            {"allocation": "murmur"},
            '/allocation: unknown allocation "murmur" (did you mean "murmur3"?)',
        ),
        (
            {"allocation": 3},
            '/allocation: "allocation" must be a text, not a number (put it in quotes: "3")',
        ),
        (
            {"negation of missing values": "no"},
            (
                '/negation of missing values: "negation of missing values" must be true or false,'
                " not a text"
            ),
        ),
        (
            {"data from the address": "unles refused"},
            (
                '/data from the address: unknown data from the address "unles refused"'
                ' (did you mean "unless refused"?)'
            ),
        ),
    ],
    ids=repr,
)
def test_faulty_settings(raw: Any, fault: str) -> None:
    """A slip is told with its place, and the settings are as if it had not been said."""
    assert parsed(raw) == (EnvironmentSettings(), [f"env.yaml#/environment{fault}"])


def test_schema_knows_every_key() -> None:
    """The schema knows exactly the parser's keys."""
    assert tuple(settings_schema()["properties"]) == KEYS
