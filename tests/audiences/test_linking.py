"""References between audiences: what they come to, and those that come to nothing."""

from __future__ import annotations

from typing import Any

from edgewise.audiences.linking import MAX_LEVELS, MAX_NODES, references_of
from edgewise.model.audience import Constant
from tests.evaluators import EVALUATORS, Predicates
from tests.rules import NOW_MS, audiences_of, make_profile, nt_rule, nt_rules, parse, shown


def refer(audience_id: str, *targets: str, **rule: Any) -> dict[str, Any]:
    """An audience that asks for all of some others."""
    parts = [{"audience": target} for target in targets]
    return {"id": audience_id, "all": [*parts, *([rule["also"]] if "also" in rule else [])]}


def trait(audience_id: str) -> dict[str, Any]:
    """An audience of those who have a trait of its name."""
    return {"id": audience_id, "has trait": audience_id}


def members(traits: dict[str, Any], *raws: Any) -> list[str]:
    """The members that every evaluator finds."""
    audiences = audiences_of(*raws)
    found = {
        tuple(make(audiences).members(make_profile(traits), NOW_MS)) for make in EVALUATORS.values()
    }
    assert len(found) == 1
    return list(found.pop())


def test_reference() -> None:
    """An audience that refers to others asks what they ask."""
    rules = [refer("all", "b", "c"), trait("b"), trait("c")]
    assert members({"b": 1, "c": 1}, *rules) == ["all", "b", "c"]
    assert members({"b": 1}, *rules) == ["b"]


def test_chain_in_any_order() -> None:
    """References are followed through others, wherever those are written."""
    rules = [refer("a", "b"), refer("c", "d"), refer("b", "c"), trait("d")]
    assert members({"d": 1}, *rules) == ["a", "b", "c", "d"]
    assert not any(next(references_of(one.tree), None) for one in audiences_of(*rules))


def test_negated_reference() -> None:
    """`none` of another audience is everyone else."""
    rules = [{"id": "others", "none": [{"audience": "vip"}]}, trait("vip")]
    assert members({}, *rules) == ["others"]
    assert members({"vip": 1}, *rules) == ["vip"]


def test_reference_to_an_app_written_audience() -> None:
    """A native audience may refer to one that an app wrote."""
    app = {**nt_rules(nt_rule("identify", key="k", value="1")), "id": "app"}
    assert members({"k": 1}, refer("a", "app"), app) == ["a", "app"]


def test_unknown_reference() -> None:
    """A reference to nothing is a fault at its own place."""
    parsed = parse(refer("a", "vipp"), trait("vip"))
    assert shown(parsed.faults) == [
        'shop.yaml#/audiences/0/all/0/audience: there is no audience "vipp" (did you mean "vip"?)'
    ]


def test_cycle() -> None:
    """Audiences that lead back to themselves are a fault that shows the way."""
    parsed = parse(refer("a", "b"), refer("b", "c"), refer("c", "a"), trait("d"))
    assert shown(parsed.faults) == [
        "shop.yaml#/audiences/2/all/0/audience: the audience refers to itself: a → b → c → a"
    ]
    assert [one.id for one in parsed.audiences if one.tree == Constant(False)] == ["a", "b", "c"]


def test_reference_to_itself() -> None:
    """The shortest cycle is one too."""
    parsed = parse(refer("a", "a"))
    assert [fault.message for fault in parsed.faults] == ["the audience refers to itself: a → a"]


def test_reference_to_an_audience_that_is_set_aside() -> None:
    """Who refers to a faulty app-written audience never matches, negated or not."""
    faulty = {**nt_rules(nt_rule("x")), "id": "faulty"}
    parsed = parse(
        refer("a", "faulty"), {"id": "b", "none": [{"audience": "faulty"}]}, refer("c", "b"), faulty
    )
    assert parsed.faults == ()
    assert [(fault.audience_id, fault.code) for fault in parsed.set_aside] == [
        ("faulty", "unknown_rule_type"),
        ("a", "faulty_reference"),
        ("b", "faulty_reference"),
        ("c", "faulty_reference"),
    ]
    assert {one.tree for one in parsed.audiences} == {Constant(False)}


def doubling(levels: int) -> list[Any]:
    """Audiences of which each holds the next one twice, in two different ways."""
    halves = [
        {
            "id": f"a{i}",
            "any": [
                {"has trait": f"t{i}", "audience": f"a{i + 1}"},
                {"has trait": f"u{i}", "audience": f"a{i + 1}"},
            ],
        }
        for i in range(levels)
    ]
    return [*halves, trait(f"a{levels}")]


def test_exponential_growth_is_refused() -> None:
    """References that would spell out billions of conditions are told before they are."""
    parsed = parse(*doubling(60))
    [fault] = parsed.faults
    assert fault.code == "audience_too_large"
    assert f"more than {MAX_NODES} conditions" in fault.message


def test_growth_within_the_limit() -> None:
    """What stays below the limit is spelled out and right."""
    rules = doubling(8)
    found = members({f"t{i}": 1 for i in range(8)} | {"a8": 1}, *rules)
    assert found == [f"a{i}" for i in range(9)]


def deep(levels: int) -> list[Any]:
    """A chain of audiences, each the opposite of the next or of a trait."""
    links = [
        {"id": f"a{i:04}", "none": [{"has trait": "x"}, {"audience": f"a{i + 1:04}"}]}
        for i in range(levels)
    ]
    return [*links, trait(f"a{levels:04}")]


def test_deepest_chain_compiles() -> None:
    """A chain just within the limit of levels has source that Python can parse."""
    levels = next(n for n in range(20, MAX_LEVELS) if parse(*deep(n)).faults) - 1
    audiences = audiences_of(*deep(levels))
    found = Predicates(audiences).members(make_profile({f"a{levels:04}": 1}), NOW_MS)
    assert found == [f"a{i:04}" for i in range(levels, -1, -2)][::-1]


def test_long_chain_is_refused() -> None:
    """A chain of thousands is one fault for each audience beyond the limit, and no more."""
    parsed = parse(*deep(3000))
    [fault] = parsed.faults
    assert f"or {MAX_LEVELS} levels" in fault.message
    assert {one.code for one in parsed.set_aside} == {"faulty_reference"}
