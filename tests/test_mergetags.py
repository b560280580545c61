"""Merge tags resolve as the client SDKs resolve them."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.documents import parse_documents
from edgewise.mergetags import MergeTag, render, resolve
from edgewise.model.document import RuleDocument

PROFILE: dict[str, Any] = {
    "id": "p",
    "random": 0.25,
    "audiences": ["a", "b"],
    "traits": {
        "name": "Ann",
        "first_name": "Anna",
        "age": 41,
        "score": 4.0,
        "vip": True,
        "none": None,
        "no": False,
        "zero": 0,
        "empty": "",
        "list": ["x", {"y": "z"}],
        "address": {"city": "Ulm"},
        "constructor": "hidden",
        "a.b": "dotted",
        "left_right": "",
        "left": {"right": "deep"},
    },
    "location": {"city": "Berlin"},
    "session": {"count": 3, "isReturningVisitor": True, "landingPage": {"path": "/"}},
}


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        pytest.param("traits.name", "Ann", id="text"),
        pytest.param("location.city", "Berlin", id="location"),
        pytest.param("session.count", "3", id="number"),
        pytest.param("session.landingPage.path", "/", id="deep"),
        pytest.param("traits.score", "4", id="whole-float"),
        pytest.param("random", "0.25", id="float"),
        pytest.param("traits.vip", "true", id="true"),
        pytest.param("  traits.name ", "Ann", id="spaces"),
        pytest.param("audiences.1", "b", id="list-position"),
        pytest.param("traits.list.1.y", "z", id="in-a-list"),
        pytest.param("traits_name", "Ann", id="underscore-form"),
        pytest.param("traits_first_name", "Anna", id="underscore-in-the-name"),
        pytest.param("traits.left_right", "deep", id="falsy-and-on"),
        pytest.param("traits.none", "?", id="null"),
        pytest.param("traits.no", "?", id="false"),
        pytest.param("traits.zero", "?", id="zero"),
        pytest.param("traits.empty", "?", id="empty"),
        pytest.param("traits.missing", "?", id="missing"),
        pytest.param("traits.list", "?", id="list"),
        pytest.param("traits.address", "?", id="object"),
        pytest.param("traits.name.x", "?", id="below-a-text"),
        pytest.param("audiences.2", "?", id="beyond-the-list"),
        pytest.param("audiences.-1", "?", id="before-the-list"),
        pytest.param("audiences.²", "?", id="odd-digit"),
        pytest.param("traits.a.b", "?", id="dot-in-the-name"),
        pytest.param("traits.constructor", "?", id="blocked"),
        pytest.param("traits..name", "?", id="empty-part"),
        pytest.param("", "?", id="no-tag"),
    ],
)
def test_resolve(tag: str, text: str) -> None:
    """A value that clients take for true is its text, anything else the fallback."""
    assert resolve(tag, PROFILE, "?") == text


def test_fallbacks() -> None:
    """The caller's fallback comes first, then the tag's own, then nothing."""
    tag = MergeTag("traits.missing", fallback="own")
    assert resolve(tag, PROFILE, "given") == "given"
    assert resolve(tag, PROFILE) == "own"
    assert resolve("traits.missing", PROFILE) == ""
    assert resolve(MergeTag("traits.name", fallback="own"), PROFILE, "given") == "Ann"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        pytest.param("Hi {{ traits.name }}!", "Hi Ann!", id="one"),
        pytest.param("{{traits.name}}{{location.city}}", "AnnBerlin", id="two"),
        pytest.param("{{ traits.missing | friend }}", "friend", id="own-fallback"),
        pytest.param("{{ location.region }}", "somewhere", id="defined"),
        pytest.param("{{ location.region | here }}", "here", id="own-before-defined"),
        pytest.param("{{ traits.missing }}.", ".", id="nothing"),
        pytest.param("{ traits.name } {{}} {{ { }}", "{ traits.name } {{}} {{ { }}", id="no-tags"),
        pytest.param("no tags", "no tags", id="plain"),
    ],
)
def test_render(template: str, text: str) -> None:
    """Every tag of a text is replaced, and nothing else."""
    tags = {"location.region": MergeTag("location.region", fallback="somewhere")}
    assert render(template, PROFILE, tags) == text


def test_values_are_not_rendered_again() -> None:
    """What a visitor's trait says is text, also where it looks like a tag."""
    assert render("{{ traits.name }}", {"traits": {"name": "{{ id }}"}, "id": "x"}) == "{{ id }}"


def test_rule_documents_hold_merge_tags() -> None:
    """Both forms are read, the first of an id counts, and only native faults refuse the load."""
    tags = [
        {"id": "traits.a", "fallback": "A", "name": "a"},
        {"nt_mergetag_id": "traits.b", "nt_fallback": "B", "nt_name": "b"},
        {"nt_mergetag_id": "traits.b", "nt_fallback": "another"},
        {"nt_mergetag_id": "traits.c", "nt_fallback": 7},
    ]
    rules = parse_documents([RuleDocument("a.yaml", {"merge_tags": tags})])
    assert rules.merge_tags == (MergeTag("traits.a", "A", "a"), MergeTag("traits.b", "B", "b"))
    assert rules.faults == ()
    assert [fault.pointer for fault in rules.set_aside] == ["/merge_tags/3/nt_fallback"]


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        pytest.param("traits.a", "wrong_type", id="text"),
        pytest.param({}, "missing_key", id="no-id"),
        pytest.param({"id": "a", "default": "x"}, "unknown_key", id="unknown-key"),
        pytest.param({"id": "a", "fallback": 7}, "wrong_type", id="number"),
    ],
)
def test_native_faults_refuse(tag: object, code: str) -> None:
    """A faulty merge tag that a person wrote is named with its place."""
    rules = parse_documents([RuleDocument("a.yaml", {"merge_tags": [tag]})])
    assert [fault.code for fault in rules.faults] == [code]
    assert rules.merge_tags == ()
