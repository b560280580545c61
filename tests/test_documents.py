"""Several documents make one environment: what is split, said twice, or refers to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.documents import ParsedRules, parse_documents
from edgewise.model.document import RuleDocument
from tests.rules import nt_rule, shown

AUDIENCE = {"id": "a", "has trait": "k"}
APP_RULES = {"any": [{"all": [nt_rule("identify", key="k", value="*")]}]}


def experience(id_: str, **members: Any) -> dict[str, Any]:
    """A native experience with one variable."""
    component = {"variable": "colour", "baseline": "grey", "variants": ["green"]}
    return {"id": id_, "components": [component], **members}


def app_experience(id_: str, **members: Any) -> dict[str, Any]:
    """An app-written experience for everyone."""
    config = {"traffic": 1, "distribution": [0.5, 0.5], "components": []}
    fields = {"nt_experience_id": id_, "nt_type": "nt_personalization", "nt_config": config}
    return {**fields, **members}


def parse(*contents: Any) -> ParsedRules:
    """Documents "0.yaml", "1.yaml" and so on, parsed together."""
    return parse_documents(RuleDocument(f"{i}.yaml", one) for i, one in enumerate(contents))


def faults_of(*contents: Any) -> list[str]:
    """Faults that refuse the load."""
    return shown(parse(*contents).faults)


def test_documents_are_joined() -> None:
    """An experience may name an audience of another document; empty documents add nothing."""
    rules = parse(
        {"experiences": [experience("x", audience="a")]},
        None,
        {},
        {"audiences": None, "experiences": []},
        {"audiences": [AUDIENCE]},
    )
    assert (rules.faults, rules.set_aside) == ((), ())
    assert [one.id for one in rules.audiences] == ["a"]
    assert [one.id for one in rules.experiences] == ["x"]


def test_order() -> None:
    """Experiences come in the order of their ids without regard to case."""
    rules = parse({"experiences": [experience(id_) for id_ in ("b", "C", "a", "A")]})
    assert [one.id for one in rules.experiences] == ["A", "a", "b", "C"]


@pytest.mark.parametrize(
    ("environment", "native", "app"),
    [
        ({}, "xxh3", "murmur3"),
        ({"allocation": "murmur3"}, "murmur3", "murmur3"),
        ({"allocation": "xxh3"}, "xxh3", "xxh3"),
    ],
    ids=["by-form", "murmur3", "xxh3"],
)
def test_allocation(environment: dict[str, str], native: str, app: str) -> None:
    """An experience is allocated as it says, else as its environment says, else by its form."""
    own = experience("c", allocation="xxh3")
    rules = parse(
        {"environment": environment, "experiences": [experience("a"), app_experience("b"), own]}
    )
    assert [one.allocation for one in rules.experiences] == [native, app, "xxh3"]


def test_negation_of_missing_values() -> None:
    """The environment's setting holds for the audiences of all documents."""
    rule = {"id": "a", "has trait": {"k": {"is not": 1}}}
    default = parse({"audiences": [rule]})
    switched = parse({"audiences": [rule]}, {"environment": {"negation of missing values": False}})
    assert default.audiences[0].tree != switched.audiences[0].tree


def test_environment_said_twice() -> None:
    """Two documents that both say what the environment is are a fault."""
    assert faults_of({"environment": {}}, {"environment": {}}) == [
        "1.yaml#/environment: `environment` is already said in 0.yaml (keep one of them)"
    ]


def test_ids_are_unique_over_documents() -> None:
    """A second audience or experience of an id names the place of the first."""
    rules = {"audiences": [AUDIENCE], "experiences": [experience("x")]}
    assert faults_of(rules, rules) == [
        '1.yaml#/audiences/0: audience "a" is defined twice (the first is at 0.yaml#/audiences/0)',
        (
            '1.yaml#/experiences/0: experience "x" is defined twice'
            " (the first is at 0.yaml#/experiences/0)"
        ),
    ]


def test_unknown_audience() -> None:
    """An experience for an audience that does not exist is a fault with a hint, if it is native."""
    rules = parse(
        {
            "audiences": [{"id": "returning", "has trait": "k"}],
            "experiences": [
                experience("x", audience="returnig"),
                app_experience("y", nt_audience="gone"),
            ],
        }
    )
    (fault,) = rules.faults
    assert (fault.file, fault.pointer) == ("0.yaml", "/experiences/0/audience")
    assert fault.text == 'there is no audience "returnig" (did you mean "returning"?)'
    assert shown(rules.set_aside) == [
        '0.yaml#/experiences/1/nt_audience: there is no audience "gone"'
    ]
    assert rules.experiences == ()


def test_experience_of_a_faulty_audience_is_kept() -> None:
    """An experience whose audience is set aside is served to nobody, and is no fault itself."""
    faulty = {"id": "a", "nt_rules": {}}
    rules = parse({"audiences": [faulty], "experiences": [experience("x", audience="a")]})
    assert rules.faults == ()
    assert [fault.audience_id for fault in rules.set_aside] == ["a"]
    assert [one.id for one in rules.experiences] == ["x"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([], ": a rule document must be an object, not a list"),
        ("x", ": a rule document must be an object, not a text"),
        (5, ": a rule document must be an object, not a number"),
    ],
    ids=["list", "text", "number"],
)
def test_no_object(content: Any, fault: str) -> None:
    """A document that is no object says which keys it could have."""
    [text] = faults_of(content)
    assert text.startswith(f"0.yaml{fault} (its keys are: environment, audiences, experiences")


def test_unknown_keys() -> None:
    """Keys that nobody reads are faults, and so are lists that are none."""
    assert faults_of({"audience": [], 5: 1, "experiences": {}}) == [
        '0.yaml#/audience: unknown key "audience" (did you mean "audiences"?)',
        '0.yaml#/5: a member name must be a text, not a number (put it in quotes: "5")',
        '0.yaml#/experiences: "experiences" must be a list, not an object',
    ]


def test_everything_wrong_at_once() -> None:
    """Settings, audiences, experiences and documents tell their faults together."""
    found = faults_of(
        {"environment": {"x": 1}, "audiences": [{"id": "a"}], "experiences": [{"id": "x"}]},
        [],
        {"audiences": [{"id": "b", "is on device": "phone"}]},
    )
    assert [fault.partition(":")[0] for fault in found] == [
        "1.yaml",
        "0.yaml#/environment/x",
        "0.yaml#/audiences/0",
        "2.yaml#/audiences/0/is on device",
        "0.yaml#/experiences/0",
    ]


def test_references_of_what_is_faulty() -> None:
    """What has a fault of its own tells the audiences that it misses all the same."""
    found = faults_of(
        {
            "audiences": [
                {"id": "a", "audience": "gone", "is on device": "phone"},
                {"id": "b", "any": [{"audience": "lost"}, {"has trait": "k"}]},
                {"id": "b", "any": [{"audience": "a"}, {"audience": "missed"}]},
            ],
            "experiences": [{"id": "x", "audience": "absent"}, {"id": "y", "audience": "a"}],
        }
    )
    assert [text for text in found if "there is no audience" in text] == [
        '0.yaml#/audiences/0/audience: there is no audience "gone"',
        '0.yaml#/audiences/1/any/0/audience: there is no audience "lost"',
        '0.yaml#/audiences/2/any/1/audience: there is no audience "missed"',
        '0.yaml#/experiences/0/audience: there is no audience "absent"',
    ]


def test_app_written_faults_do_not_refuse() -> None:
    """What an app wrote wrongly is set aside, and the rest is served."""
    rules = parse(
        {
            "audiences": [AUDIENCE, {"id": "b", "nt_rules": APP_RULES}, {"id": "c", "nt_rules": 1}],
            "experiences": [experience("x"), app_experience("y"), app_experience("z", nt_type=5)],
        }
    )
    assert rules.faults == ()
    assert {fault.audience_id or fault.experience_id for fault in rules.set_aside} == {"c", "z"}
    assert [one.id for one in rules.experiences] == ["x", "y"]
