"""The `contentful` object of a rule document is read strictly, and secrets stay out of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgewise.documents import parse_documents
from edgewise.errors import RulesError
from edgewise.model.document import RuleDocument
from edgewise.schema import rules_schema
from edgewise.sources.contentful.settings import KEYS, ContentfulSettings, find_settings

VARIABLES = {"CONTENTFUL_TOKEN": "t0ken", "OTHER": "other", "CONTENTFUL_WEBHOOK_SECRET": "s3cret"}


def find(*contentful: Any, variables: dict[str, str] | None = None) -> ContentfulSettings | None:
    """The settings of some documents with a `contentful` object each."""
    documents = [RuleDocument(f"{i}.yaml", {"contentful": raw}) for i, raw in enumerate(contentful)]
    return find_settings(documents, VARIABLES if variables is None else variables)


def codes(*contentful: Any, variables: dict[str, str] | None = None) -> set[str]:
    """The codes of the faults in some `contentful` objects."""
    with pytest.raises(RulesError) as refused:
        find(*contentful, variables=variables)
    return {fault.code for fault in refused.value.faults}


def test_a_space_is_enough() -> None:
    """All else has a default, and the token comes from the environment's variable."""
    settings = find({"space": "shop"})
    assert settings is not None
    assert settings.name == "contentful:shop/master"
    assert settings.url == "https://cdn.contentful.com/spaces/shop/environments/master"
    assert settings.token.reveal() == "t0ken"
    assert settings.webhook_secret.reveal() == "s3cret"
    assert settings.poll_s == 60


def test_everything_can_be_said() -> None:
    """Environment, preview, address, variables and polls are taken as they are written."""
    settings = find(
        {
            "space": "shop",
            "environment": "staging",
            "preview": True,
            "base url": "https://preview.eu.contentful.com/",
            "token variable": "OTHER",
            "webhook secret variable": "NOBODY_SET_IT",
            "seconds between polls": 5,
        }
    )
    assert settings is not None
    assert settings.name == "contentful-preview:shop/staging"
    assert settings.url == "https://preview.eu.contentful.com/spaces/shop/environments/staging"
    assert settings.token.reveal() == "other"
    assert not settings.webhook_secret
    assert settings.poll_s == 5


def test_a_preview_has_its_own_host() -> None:
    """Without an address of its own a preview asks the preview API."""
    settings = find({"space": "shop", "preview": True})
    assert settings is not None
    assert settings.url.startswith("https://preview.contentful.com/")


def test_most_environments_have_no_space() -> None:
    """Documents that do not speak of Contentful have no settings, whatever they hold."""
    documents = [RuleDocument("a.yaml", {"audiences": []}), RuleDocument("b.yaml", None)]
    assert find_settings(documents, {}) is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param([], "wrong_type", id="no-object"),
        pytest.param({}, "missing_key", id="no-space"),
        pytest.param({"space": "../other"}, "invalid_text", id="path-in-space"),
        pytest.param(
            {"space": "a", "environment": "b/c"}, "invalid_text", id="path-in-environment"
        ),
        pytest.param({"space": "a", "token": "t0ken"}, "unknown_key", id="token-in-the-file"),
        pytest.param({"space": "a", "base url": "ftp://a"}, "invalid_text", id="scheme"),
        pytest.param({"space": "a", "base url": "https://u:p@a"}, "invalid_text", id="password"),
        pytest.param({"space": "a", "base url": "https://[a"}, "invalid_text", id="no-url"),
        pytest.param({"space": "a", "token variable": "UNSET"}, "token_missing", id="no-token"),
        pytest.param({"space": "a", "seconds between polls": 0}, "out_of_range", id="no-pause"),
        pytest.param({"space": "a", "seconds between polls": "1"}, "out_of_range", id="text"),
    ],
)
def test_faults_are_named(raw: Any, code: str) -> None:
    """What is missing, misplaced or unusable refuses the settings with its code."""
    assert code in codes(raw)


def test_faults_of_every_document_are_told() -> None:
    """One that is faulty hides no other, and nobody mends them one by one."""
    assert codes({}, {"space": "a", "preview": 7}) == {
        "missing_key",
        "duplicate_key",
        "wrong_type",
    }


def test_a_token_must_fit_into_a_header() -> None:
    """A token that no header can carry is a fault of the settings and not of a request."""
    assert codes({"space": "a"}, variables={"CONTENTFUL_TOKEN": "a\nb"}) == {"token_missing"}


def test_one_space_per_environment() -> None:
    """A second `contentful` object is a fault."""
    assert codes({"space": "a"}, {"space": "b"}) == {"duplicate_key"}


def test_rule_documents_may_hold_it() -> None:
    """The rule parsers leave the object alone, and the schema knows the same keys."""
    assert parse_documents([RuleDocument("a.yaml", {"contentful": {"space": "a"}})]).faults == ()
    assert set(rules_schema()["properties"]["contentful"]["properties"]) == set(KEYS)


def test_secrets_do_not_show() -> None:
    """Neither text form of the settings, nor an attempt to encode them, gives a secret away."""
    settings = find({"space": "shop"})
    assert "t0ken" not in f"{settings} {settings!r} {settings and settings.token}"
    assert "s3cret" not in repr(settings)
    with pytest.raises(TypeError):
        msgspec.json.encode(settings)
