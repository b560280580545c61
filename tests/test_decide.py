"""Which experiences a profile gets, at which variant, and what changes with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgewise.decide import decide
from edgewise.model.decision import Decision
from edgewise.model.document import RuleDocument
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.standing import fold_and_decide
from tests.rules import NOW_MS, make_event, make_profile

VIP = {"id": "vip", "has trait": "vip"}
MEMBER, OTHER = make_profile({"vip": 1}), make_profile()


def replaced(entry: str, *variants: Any) -> dict[str, Any]:
    """A component that replaces an entry."""
    return {"entry": entry, "variants": list(variants)}


def variable(key: str, baseline: Any, *variants: Any) -> dict[str, Any]:
    """A component that sets a variable."""
    return {"variable": key, "baseline": baseline, "variants": list(variants)}


def experience(id_: str, *components: Any, **members: Any) -> dict[str, Any]:
    """An experience that shows its one variant to everybody it is for."""
    parts = list(components) or [replaced("hero", "hero-vip")]
    return {"id": id_, "distribution": [0, 1], "components": parts, **members}


def load(*experiences: Any, **members: Any) -> Ruleset:
    """A ruleset of one audience and some experiences."""
    rules = {"audiences": [VIP], "experiences": list(experiences), **members}
    return load_ruleset("demo", "main", [RuleDocument("a.yaml", rules)])


def shown(decision: Decision) -> list[dict[str, Any]]:
    """The members of `experiences` as clients read them."""
    return [json.loads(bytes(one.experience_json)) for one in decision.variants]


def changes(decision: Decision) -> list[dict[str, Any]]:
    """The members of `changes` as clients read them."""
    return [json.loads(bytes(raw)) for one in decision.variants for raw in one.changes_json]


def answered(ruleset: Ruleset, profile: Profile = OTHER) -> list[tuple[str, int]]:
    """The experiences a profile gets, each with its variant index."""
    found = decide(ruleset, profile, NOW_MS).variants
    return [(one.experience_id, one.variant_index) for one in found]


def test_audiences_are_answered() -> None:
    """A decision holds the audiences of a profile in answer order."""
    rules = {"audiences": [{"id": id_, "has trait": "k"} for id_ in ("b", "C", "a")]}
    ruleset = load_ruleset("demo", "main", [RuleDocument("a.yaml", rules)])
    assert decide(ruleset, make_profile({"k": 1}), NOW_MS).audiences == ["a", "b", "C"]
    assert decide(ruleset, make_profile(), NOW_MS).audiences == []


def test_audience() -> None:
    """An experience without an audience is for everyone, any other for its audience."""
    ruleset = load(experience("all"), experience("some", audience="vip"))
    assert answered(ruleset, OTHER) == [("all", 1)]
    assert answered(ruleset, MEMBER) == [("all", 1), ("some", 1)]


@pytest.mark.parametrize("allocation", ["murmur3", "xxh3"])
@pytest.mark.parametrize("traffic", [0, 1])
def test_traffic(traffic: float, allocation: str) -> None:
    """With no traffic an experience is absent, with all of it it is there for everyone."""
    ruleset = load(experience("x", traffic=traffic, allocation=allocation))
    for i in range(200):
        found = answered(ruleset, make_profile(stable_id=f"p{i}"))
        assert found == ([("x", 1)] if traffic else [])


@pytest.mark.parametrize("allocation", ["murmur3", "xxh3"])
def test_traffic_holds_before_the_audience_does(allocation: str) -> None:
    """Of an audience only the share in the traffic takes part, whichever it is."""
    ruleset = load(experience("x", traffic=0.5, audience="vip", allocation=allocation))
    found = [answered(ruleset, make_profile({"vip": 1}, stable_id=f"p{i}")) for i in range(400)]
    assert 120 < found.count([("x", 1)]) < 280
    assert found.count([]) == 400 - found.count([("x", 1)])
    assert not any(answered(ruleset, make_profile(stable_id=f"p{i}")) for i in range(400))


def test_control_is_present() -> None:
    """Who gets the baseline of an experience gets the experience, mapped to itself."""
    parts = [replaced("hero", "hero-vip"), variable("colour", "grey", "green")]
    decision = decide(load(experience("x", *parts, distribution=[1, 0])), OTHER, NOW_MS)
    assert shown(decision) == [
        {"experienceId": "x", "variantIndex": 0, "variants": {"hero": "hero"}}
    ]
    assert changes(decision) == [
        {
            "key": "colour",
            "value": "grey",
            "type": "Variable",
            "meta": {"experienceId": "x", "variantIndex": 0},
        }
    ]


def test_variants() -> None:
    """Every replaced entry is there: with its variant, hidden, or with itself if it has no more."""
    parts = [
        replaced("a", "a1", "a2"),
        replaced("b", "b1", {"hidden": True}),
        replaced("c", "c1"),
    ]
    decision = decide(load(experience("x", *parts, distribution=[0, 0, 1])), OTHER, NOW_MS)
    assert shown(decision) == [
        {"experienceId": "x", "variantIndex": 2, "variants": {"a": "a2", "b": "", "c": "c"}}
    ]


def test_variables_stand_in_changes_only() -> None:
    """An experience of variables replaces nothing and changes each of them, in component order."""
    values = {"text": "b", "number": 12345, "flag": True, "object": {"value": {"x": 1}}}
    baselines = {"text": "a", "number": 1, "flag": False, "object": {"value": {}}}
    parts = [variable(key, baselines[key], value) for key, value in values.items()]
    decision = decide(load(experience("x", *parts)), OTHER, NOW_MS)
    assert shown(decision) == [{"experienceId": "x", "variantIndex": 1, "variants": {}}]
    assert [(one["key"], one["value"]) for one in changes(decision)] == list(values.items())


def test_several_experiences_on_one_entry() -> None:
    """All experiences that replace one entry are answered; which of them wins is the client's."""
    ids = ("b", "C", "a")
    ruleset = load(*(experience(id_, replaced("hero", f"hero-{id_}")) for id_ in ids))
    decision = decide(ruleset, OTHER, NOW_MS)
    assert [one["variants"] for one in shown(decision)] == [
        {"hero": "hero-a"},
        {"hero": "hero-b"},
        {"hero": "hero-C"},
    ]


def test_order_of_the_answer() -> None:
    """Experiences and changes stand in the order of the experiences' ids, whoever they are for."""
    ruleset = load(
        *(
            experience(id_, variable(id_, "off", "on"), **({"audience": "vip"} if vip else {}))
            for id_, vip in (("d", True), ("B", False), ("c", True), ("A", True), ("e", False))
        )
    )
    decision = decide(ruleset, MEMBER, NOW_MS)
    assert [one.experience_id for one in decision.variants] == ["A", "B", "c", "d", "e"]
    assert [change["key"] for change in changes(decision)] == ["A", "B", "c", "d", "e"]


# One variable, several experiences.


def test_variable_of_two_experiences_changes_once() -> None:
    """Of two experiences that set one variable, the first in the answer sets it."""
    ruleset = load(
        experience("b", variable("colour", "grey", "green"), variable("size", 1, 2)),
        experience("a", variable("colour", "grey", "blue"), replaced("hero", "h")),
        experience("c", variable("size", 1, 3), variable("shape", "o", "x")),
    )
    decision = decide(ruleset, OTHER, NOW_MS)
    assert [one["experienceId"] for one in shown(decision)] == ["a", "b", "c"]
    assert [
        (one["key"], one["value"], one["meta"]["experienceId"]) for one in changes(decision)
    ] == [
        ("colour", "blue", "a"),
        ("size", 2, "b"),
        ("shape", "x", "c"),
    ]


def test_only_answered_experiences_take_a_variable() -> None:
    """An experience that a profile does not get leaves its variable to the next one."""
    ruleset = load(
        experience("a", variable("colour", "grey", "blue"), audience="vip"),
        experience("b", variable("colour", "grey", "green")),
    )
    assert [one["value"] for one in changes(decide(ruleset, OTHER, NOW_MS))] == ["green"]
    assert [one["value"] for one in changes(decide(ruleset, MEMBER, NOW_MS))] == ["blue"]


def test_baseline_takes_a_variable_too() -> None:
    """The first experience in the answer sets the variable also where it gives its baseline."""
    ruleset = load(
        experience("a", variable("colour", "grey", "blue"), distribution=[1, 0]),
        experience("b", variable("colour", "white", "green")),
    )
    assert [one["value"] for one in changes(decide(ruleset, OTHER, NOW_MS))] == ["grey"]


def test_decisions_share_what_was_encoded() -> None:
    """Decisions over rules without shared variables hand on what was made at the load."""
    ruleset = load(experience("a", variable("k", 1, 2)), experience("b", variable("l", 1, 2)))
    first, second = (decide(ruleset, OTHER, NOW_MS).variants for _ in range(2))
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert ruleset.shared_variables == frozenset()


# Sticky experiences.


def sticky(*variants: str, **members: Any) -> Ruleset:
    """A ruleset with a sticky experience "x" for VIPs, and another one before and after it."""
    share = 1 / (len(variants) + 1)
    shares = [share] * (len(variants) + 1)
    rule = experience("x", replaced("hero", *variants), distribution=shares, sticky=True)
    return load(experience("a"), {**rule, "audience": "vip", **members}, experience("z"))


def test_sticky_is_said() -> None:
    """A sticky experience says that it is, before anything was seen; others do not."""
    decision = decide(sticky("v1"), MEMBER, NOW_MS)
    assert [one.get("sticky") for one in shown(decision)] == [None, True, None]


@pytest.mark.parametrize("pinned", [0, 1, 2])
@pytest.mark.parametrize(
    ("profile", "members"),
    [
        pytest.param({"traits": {"vip": 1}}, {}, id="as-before"),
        pytest.param({}, {}, id="left-the-audience"),
        pytest.param({"traits": {"vip": 1}}, {"traffic": 0}, id="no-traffic"),
        pytest.param({}, {"distribution": [1, 0, 0]}, id="other-distribution"),
        pytest.param({}, {"audience": "nobody"}, id="other-audience"),
    ],
)
def test_seen_variant_is_kept(
    pinned: int, profile: dict[str, Any], members: dict[str, Any]
) -> None:
    """A variant that was seen survives every change of audience, traffic and distribution."""
    audiences = [VIP, {"id": "nobody", "has trait": "nothing"}]
    rule = experience("x", replaced("hero", "v1", "v2"), distribution=[0, 1, 0], sticky=True)
    ruleset = load({**rule, "audience": "vip", **members}, audiences=audiences)
    assert answered(ruleset, make_profile(**profile, assignments={"x": pinned})) == [("x", pinned)]


def test_pinned_variant_keeps_its_place() -> None:
    """A kept variant stands where its experience stands in the answer."""
    profile = make_profile(assignments={"x": 1})
    assert answered(sticky("v1", "v2"), profile) == [("a", 1), ("x", 1), ("z", 1)]


@pytest.mark.parametrize("pinned", [2, 7])
def test_variant_that_is_gone_falls_back(pinned: int) -> None:
    """A kept variant that the experience no longer has is allocated like an unseen one."""
    ruleset = sticky("v1")
    for traits in ({"vip": 1}, {}):
        fresh = answered(ruleset, make_profile(traits))
        assert answered(ruleset, make_profile(traits, assignments={"x": pinned})) == fresh


def test_assignments_of_others_do_not_count() -> None:
    """What was kept of an experience that is not sticky, or is gone, changes nothing."""
    ruleset = load(experience("x", replaced("hero", "v1", "v2"), distribution=[0, 1, 0]))
    assert answered(ruleset, make_profile(assignments={"x": 2, "gone": 1})) == [("x", 1)]


def test_seen_variant_is_pinned_by_its_event() -> None:
    """A component event pins the variant that was seen, and the first view wins."""
    ruleset, profile = sticky("v1", "v2"), make_profile({"vip": 1})
    for index in (2, 1):
        event = make_event("component", experienceId="x", variantIndex=index)
        decision = fold_and_decide(
            ruleset, profile, [ReceivedEvent(event, NOW_MS, 0, b"")], NOW_MS
        ).decision
        assert [(one.experience_id, one.variant_index) for one in decision.variants][1] == ("x", 2)
    profile.traits.clear()
    assert answered(ruleset, profile)[1] == ("x", 2)


def test_fold_comes_before_the_decision() -> None:
    """What an event tells counts in the decision that answers it."""
    ruleset, profile = load(experience("some", audience="vip")), make_profile()
    event = make_event("identify", traits={"vip": True})
    decision = fold_and_decide(
        ruleset, profile, [ReceivedEvent(event, NOW_MS, 0, b"")], NOW_MS
    ).decision
    assert decision.audiences == ["vip"]
    assert [one.experience_id for one in decision.variants] == ["some"]


def test_deciding_changes_nothing() -> None:
    """A decision alone leaves the profile as it was."""
    profile = make_profile({"vip": 1})
    assert answered(sticky("v1"), profile)
    assert profile == make_profile({"vip": 1})
