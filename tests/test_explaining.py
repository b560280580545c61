"""Explanations come to the results that decisions come to, and say what led there."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences.evaluator import make_evaluator
from edgewise.decide import decide
from edgewise.explaining import Explanation, add_lines, explain
from edgewise.model.audience import Audience
from edgewise.model.document import RuleDocument
from edgewise.model.profiles import Location, Profile, Session
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.files import load_rules
from tests.strategies import audience_lists, profiles

NOW_MS = 1_800_000_000_000
RULES = Path(__file__).parent.parent / "rules"

COMPONENTS = [{"entry": "a", "variants": ["b", "c"]}]
DOCUMENT = {
    "audiences": [
        {"id": "vip", "has trait": {"plan": ["gold", "vip"]}, "none": [{"audience": "bots"}]},
        {"id": "bots", "has trait": {"bot": True}},
    ],
    "experiences": [
        {
            "id": "hero",
            "type": "experiment",
            "audience": "vip",
            "sticky": True,
            "components": [{"entry": "a", "variants": ["b"]}],
        },
        {
            "id": "nobody",
            "traffic": 0,
            "components": [{"entry": "a", "variants": ["b"]}],
        },
    ],
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    """Two audiences and two experiences."""
    return load_ruleset("demo", "main", [RuleDocument("rules.yaml", DOCUMENT)])


def profile(number: int = 0, **members: object) -> Profile:
    """A visitor of the environment of these rules."""
    profile_id = f"{number:064x}"
    return Profile(
        organization="demo",
        environment="main",
        id=profile_id,
        stable_id=profile_id,
        created_ms=0,
        **members,  # type: ignore[arg-type] # A test names members freely.
    )


def agree(explanation: Explanation, ruleset: Ruleset, visitor: Profile) -> None:
    """Assert that an explanation names the audiences and variants of the decision."""
    decision = decide(ruleset, visitor, NOW_MS)
    assert [one.id for one in explanation.audiences if one.holds] == decision.audiences
    explained = [
        (one.id, one.variant_index)
        for one in explanation.experiences
        if one.variant_index is not None
    ]
    assert explained == [(one.experience_id, one.variant_index) for one in decision.variants]


@pytest.mark.parametrize("number", range(60))
def test_explanations_agree_with_decisions(number: int) -> None:
    """Whatever the demo rules decide for a visitor, the explanation comes to the same."""
    demo = load_rules(RULES)["demo", "main"]
    visitor = profile(
        number,
        traits={"tier": ["gold", "none"][number % 2], "interests": ["climbing"][: number % 3]},
        location=Location(country_code=["DE", "US", None][number % 3]),
        device=["mobile", "desktop", "tablet"][number % 3],
        session=Session(count=1 + number % 5),
        counts=dict.fromkeys(demo.evaluator.matchers, number % 4),
        recent={matcher: [NOW_MS - number] for matcher in demo.evaluator.matchers},
        assignments={"sale-banner": number % 4} if number % 2 else {},
    )
    agree(explain(demo, visitor, NOW_MS), demo, visitor)


EXPERIENCES = st.fixed_dictionaries(
    {
        "audience": st.sampled_from([None, 0, 1, 2]),
        "traffic": st.sampled_from([0, 0.3, 1]),
        "sticky": st.booleans(),
        "allocation": st.sampled_from(["murmur3", "xxh3"]),
        "distribution": st.sampled_from([[0.5, 0.3, 0.2], [0, 0, 1], [0.1, 0.1, 0.1]]),
    }
)


@settings(max_examples=300)
@given(audience_lists, st.lists(EXPERIENCES, max_size=4), profiles, st.integers(0, 3))
def test_explanations_of_any_rules_agree_with_decisions(
    audiences: list[Audience],
    experiences: list[dict[str, Any]],
    visitor: Profile,
    pinned: int,
) -> None:
    """Audiences of any shape, experiences of any shares: both come to the same results."""
    ordered = sorted(audiences, key=lambda audience: audience.id)
    visitor = copy.deepcopy(visitor)
    visitor.assignments = {"e0": pinned}
    ruleset = ruleset_of(ordered, experiences)
    agree(explain(ruleset, visitor, NOW_MS), ruleset, visitor)


@pytest.mark.parametrize("distribution", [[], [0], [1], [0.5, 0.5, 0.5], None])
def test_explanations_of_an_apps_distributions_agree_with_decisions(distribution: Any) -> None:
    """However few or many shares an app has written, even none at all."""
    components = [{"baseline": {"id": "a"}, "variants": [{"id": "b"}]}]
    config = {"traffic": 1, "distribution": distribution, "components": components}
    experience = {"nt_experience_id": "x", "nt_type": "nt_personalization", "nt_config": config}
    document = RuleDocument("app.json", {"experiences": [experience]})
    ruleset = load_ruleset("demo", "main", [document])
    assert ruleset.experiences
    for number in range(20):
        visitor = profile(number)
        agree(explain(ruleset, visitor, NOW_MS), ruleset, visitor)


def ruleset_of(audiences: list[Audience], experiences: list[dict[str, Any]]) -> Ruleset:
    """Experiences for audiences by their number; where there is none of it, for everyone."""
    content = {
        "audiences": [{"id": audience.id, "has trait": "t"} for audience in audiences],
        "experiences": [
            {"id": f"e{place}", **_for(audiences, members), "components": COMPONENTS}
            for place, members in enumerate(experiences)
        ],
    }
    loaded = load_ruleset("demo", "main", [RuleDocument("rules.yaml", content)])
    evaluator = make_evaluator(audiences, "demo/main")
    return msgspec.structs.replace(loaded, audiences=tuple(audiences), evaluator=evaluator)


def _for(audiences: list[Audience], members: dict[str, Any]) -> dict[str, Any]:
    number = members["audience"]
    known = number is not None and number < len(audiences)
    rest = {name: value for name, value in members.items() if name != "audience"}
    return {**rest, "audience": audiences[number].id} if known else rest


def test_lines_are_noted_at_every_test(ruleset: Ruleset) -> None:
    """Each condition with a place gets the line of it, at any depth; the others have none."""
    explanation = explain(ruleset, profile(), NOW_MS, "vip")
    asked: list[str] = []

    def line_of(origin: str) -> int:
        asked.append(origin)
        return len(asked)

    add_lines(explanation, line_of)
    (vip,) = explanation.audiences
    plan, bots = vip.condition.children
    assert vip.condition.line == bots.line == 0
    assert {plan.line, bots.children[0].line} == {1, 2}
    assert set(asked) == {plan.origin, bots.children[0].origin}


def test_a_condition_shows_what_it_saw_and_where_it_stands(ruleset: Ruleset) -> None:
    """A test's explanation holds the value of the profile, the rule's words and its place."""
    explanation = explain(ruleset, profile(traits={"plan": "silver"}), NOW_MS, "vip")
    (vip,) = explanation.audiences
    plan, bots = vip.condition.children
    assert not vip.holds
    assert (plan.text, plan.holds, plan.seen) == (
        'trait plan is one of ["gold","vip"]',
        False,
        "silver",
    )
    assert plan.origin == "rules.yaml#/audiences/0/has trait/plan"
    assert (bots.text, bots.holds) == ("none of", True)
    assert bots.children[0].seen is None


@pytest.mark.parametrize(
    ("visitor", "reason", "variant_index"),
    [
        pytest.param(profile(1), "not_in_audience", None, id="not in the audience"),
        pytest.param(
            profile(1, assignments={"hero": 1}, assignment_times={"hero": 7}),
            "pinned",
            1,
            id="pinned",
        ),
        pytest.param(profile(1, traits={"plan": "vip"}), "selected", None, id="selected"),
    ],
)
def test_an_experience_tells_its_reason(
    ruleset: Ruleset, visitor: Profile, reason: str, variant_index: int | None
) -> None:
    """Each way to a variant, or to none, has its own reason."""
    hero = explain(ruleset, visitor, NOW_MS).experiences[0]
    assert hero.reason == reason
    if reason == "selected":
        assert hero.variant_index == hero.allocation.variant_index
        assert f"of variant {hero.variant_index}" in hero.text
    else:
        assert hero.variant_index == variant_index
    assert hero.pinned_ms == (7 if reason == "pinned" else 0)


def test_outside_the_traffic_the_bucket_and_the_share_are_told(ruleset: Ruleset) -> None:
    """A visitor who is held out by traffic learns which bucket lay beyond which share."""
    nobody = explain(ruleset, profile(1), NOW_MS).experiences[1]
    assert nobody.reason == "outside_traffic"
    assert "is not below the traffic of 0" in nobody.text


def test_an_audience_that_was_set_aside_says_why() -> None:
    """The fault of an app-written audience is part of its explanation."""
    broken = {"id": "x", "nt_rules": {"any": [{"all": [{"type": "weather"}]}]}}
    ruleset = load_ruleset("o", "e", [RuleDocument("r.json", {"audiences": [broken]})])
    (audience,) = explain(ruleset, profile(), NOW_MS).audiences
    assert not audience.holds
    assert "weather" in audience.fault


def test_an_experience_that_was_set_aside_is_named() -> None:
    """What is too faulty to be explained is told with its fault, unless another one is asked of."""
    broken = {"nt_experience_id": "x", "nt_type": "nt_personalization", "nt_config": {"traffic": 2}}
    content = {"audiences": [{"id": "a", "has trait": "t"}], "experiences": [broken]}
    ruleset = load_ruleset("o", "e", [RuleDocument("r.json", content)])
    explanation = explain(ruleset, profile(), NOW_MS)
    assert explanation.experiences == []
    assert [fault.experience_id for fault in explanation.set_aside] == ["x"]
    assert "traffic" in str(explanation.set_aside[0])
    assert explain(ruleset, profile(), NOW_MS, "a").set_aside == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param(
            {"has viewed page": {"utm campaign": "spring"}},
            'views of pages with utm campaign equals "spring", at least 1 time',
            id="utm",
        ),
        pytest.param(
            {"is located at": {"postal code": "10115"}},
            'location postal code equals "10115"',
            id="location",
        ),
    ],
)
def test_a_condition_speaks_the_words_of_native_rules(rule: dict[str, Any], words: str) -> None:
    """What a rule calls a campaign or a part of a location, its explanation calls the same."""
    document = RuleDocument("rules.yaml", {"audiences": [{"id": "a", **rule}]})
    explanation = explain(load_ruleset("shop", "main", [document]), profile(), NOW_MS)
    assert explanation.audiences[0].condition.text == words
