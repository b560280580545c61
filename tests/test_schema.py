"""The JSON Schema of whole rule files, as published, against the loader that decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgewise.documents import KEYS, parse_documents
from edgewise.model.document import RuleDocument
from edgewise.schema import rules_schema, schema_text
from edgewise.sources.yaml_text import parse_yaml

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "docs" / "rules.schema.json"
VALIDATOR = Draft202012Validator(rules_schema())
DEMO = sorted(ROOT.glob("rules/*/*/*.yaml"))

AUDIENCE = {"id": "a", "has trait": "k"}
EXPERIENCE = {"id": "x", "components": [{"entry": "e", "variants": ["f"]}]}
APP_EXPERIENCE = {"nt_config": {}, "nt_experience_id": "y", "nt_type": "nt_personalization"}


def test_published_schema_is_the_generated_one() -> None:
    """The file that editors read is what `edgewise schema` prints."""
    assert PUBLISHED.read_text("utf-8") == schema_text()


def test_schema_is_a_schema() -> None:
    """The schema obeys its own draft, and knows exactly the keys of a document."""
    Draft202012Validator.check_schema(rules_schema())
    assert tuple(rules_schema()["properties"]) == KEYS
    assert json.loads(schema_text()) == rules_schema()


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"audiences": None, "experiences": []},
        {"audiences": [AUDIENCE], "experiences": [EXPERIENCE]},
        {"audiences": [{"id": "b", "nt_rules": {"any": []}}], "experiences": [APP_EXPERIENCE]},
        {"environment": {"allocation": "xxh3", "negation of missing values": False}},
    ],
    ids=repr,
)
def test_valid_document(content: Any) -> None:
    """What loads, the schema takes."""
    assert parse_documents([RuleDocument("a.yaml", content)]).faults == ()
    assert VALIDATOR.is_valid(content)


@pytest.mark.parametrize(
    "content",
    [
        [],
        "audiences",
        {"audience": [AUDIENCE]},
        {"audiences": AUDIENCE},
        {"audiences": [AUDIENCE["id"]]},
        {"audiences": [{**AUDIENCE, "is on device": "phone"}]},
        {"audiences": [None]},
        {"experiences": [{**EXPERIENCE, "components": []}]},
        {"experiences": ["x"]},
        {"environment": {"allocation": "random"}},
        {"environment": []},
    ],
    ids=repr,
)
def test_invalid_document(content: Any) -> None:
    """What does not load, the schema refuses."""
    assert parse_documents([RuleDocument("a.yaml", content)]).faults
    assert not VALIDATOR.is_valid(content)


@pytest.mark.parametrize("path", DEMO, ids=lambda path: str(path.stem))
def test_shipped_rules(path: Path) -> None:
    """The rules that come along are valid."""
    content = parse_yaml(path.read_text("utf-8"))
    # Editors read dates as texts.
    assert not list(VALIDATOR.iter_errors(json.loads(json.dumps(content, default=str))))
