"""Audiences of an environment: ids, order, and what one faulty audience does to the others."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.model.audience import Constant
from tests.rules import (
    audiences_of,
    is_member,
    make_profile,
    native,
    nt_rule,
    nt_rules,
    parse,
    shown,
)


def test_order() -> None:
    """Audiences come in the order of their ids without regard to case."""
    raws = [{"id": id_, "has trait": "k"} for id_ in ("b", "C", "a", "B", "A", "aa")]
    assert [one.id for one in audiences_of(*raws)] == ["A", "a", "aa", "B", "b", "C"]


def test_names_and_places() -> None:
    """An audience keeps its name, form and place."""
    own = {"id": "b", "name": "B", "description": "of b", "has trait": "k"}
    app = {**nt_rules(), "nt_audience_id": "x", "nt_name": "X", "nt_description": "of x"}
    b, x = audiences_of(own, app)
    assert (b.id, b.name, b.description, b.form) == ("b", "B", "of b", "native")
    assert (x.id, x.name, x.description, x.form) == ("x", "X", "of x", "nt_rules")
    assert (x.file, x.pointer) == ("shop.yaml", "/audiences/1")


def test_faulty_app_audience_is_set_aside_alone() -> None:
    """An app-written audience with a fault never matches, and the rest is as it was."""
    faulty = {**nt_rules(nt_rule("x")), "id": "faulty"}
    parsed = parse(faulty, native(has_trait="k"))
    assert parsed.faults == ()
    assert shown(parsed.set_aside) == [
        'shop.yaml#/audiences/0/nt_rules/any/0/all/0/type: unknown rule type "x"'
    ]
    trees = {one.id: one.tree for one in parsed.audiences}
    assert trees["faulty"] == Constant(False)
    assert trees["a"] != Constant(False)


def test_every_fault_of_every_audience() -> None:
    """The faults of all audiences are told at once, native ones apart from those of apps."""
    parsed = parse(
        {"id": "a", "has trait": {"k": {"equal": 1}}, "colour": "red"},
        {"id": "b"},
        {"id": "c", "nt_rules": None},
        "d",
        {"has trait": "k"},
    )
    assert [(fault.audience_id, fault.pointer) for fault in parsed.faults] == [
        ("a", "/audiences/0/colour"),
        ("a", "/audiences/0/has trait/k/equal"),
        ("b", "/audiences/1"),
        ("", "/audiences/3"),
        ("", "/audiences/4"),
    ]
    assert [fault.audience_id for fault in parsed.set_aside] == ["c"]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(None, ": an audience must be an object, not null", id="null"),
        pytest.param([], ": an audience must be an object, not a list", id="list"),
        pytest.param(
            {"has trait": "k"}, ': "id" is required and must not be empty', id="without-id"
        ),
        pytest.param(
            {"id": "", "has trait": "k"},
            '/id: "id" is required and must not be empty',
            id="empty-id",
        ),
        pytest.param(
            {"id": 5, "has trait": "k"},
            '/id: "id" must be a text, not a number (put it in quotes: "5")',
            id="number",
        ),
        pytest.param(
            {"id": "\ud800", "has trait": "k"},
            '/id: "id" holds half of a surrogate pair',
            id="half-a-surrogate-pair",
        ),
        pytest.param(
            {"id": "a", "name": [], "has trait": "k"},
            '/name: "name" must be a text, not a list',
            id="name",
        ),
        pytest.param(
            {"id": "a", "nt_name": "A", "has trait": "k"},
            '/nt_name: unknown key "nt_name" (did you mean "name"?)',
            id="app-key-in-a-native-audience",
        ),
    ],
)
def test_faulty_audience(raw: Any, fault: str) -> None:
    """What is no audience, or has no usable id or name, is one fault."""
    parsed = parse(raw)
    assert shown(parsed.faults) == [f"shop.yaml#/audiences/0{fault}"]


def test_unknown_key_of_an_app_audience() -> None:
    """An app-written audience with a member that nobody reads is set aside, not half understood."""
    parsed = parse({**nt_rules(), "any": []})
    assert [fault.code for fault in parsed.set_aside] == ["unknown_key"]


def test_duplicate_id() -> None:
    """Two native audiences of one id are a fault that names both places."""
    parsed = parse(native(has_trait="k"), native(has_trait="k"))
    assert shown(parsed.faults) == [
        (
            'shop.yaml#/audiences/1: audience "a" is defined twice'
            " (the first is at shop.yaml#/audiences/0)"
        )
    ]


def test_linked_copies_add_nothing() -> None:
    """An app's audience may come once per space that links to it, with the same rules."""
    rules = nt_rules(nt_rule("identify", key="k", value="1"))
    [audience] = audiences_of(rules, {**rules, "nt_name": "a copy"})
    assert audience.pointer == "/audiences/0"


def test_copies_that_differ_never_match() -> None:
    """Two app-written audiences of one id and different rules are both set aside."""
    one, two = (nt_rules(nt_rule("identify", key="k", value=value)) for value in "12")
    parsed = parse(one, two)
    assert [fault.code for fault in parsed.set_aside] == ["duplicate_id"]
    assert [audience.tree for audience in parsed.audiences] == [Constant(False)]


def test_forms_agree() -> None:
    """The same rule in both forms has the same members."""
    app = nt_rules({"all": [nt_rule("identify", key="k", operator="notEqual", value="1")]})
    own = native(has_trait={"k": {"does not equal": 1}})
    for traits in ({}, {"k": 1}, {"k": "1.0"}, {"k": "x"}):
        profile = make_profile(traits)
        assert is_member(app, profile) == is_member(own, profile)
