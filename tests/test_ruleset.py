"""A loaded environment: complete, immutable, named by what it decides, and gone when dropped."""

from __future__ import annotations

import gc
import linecache
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from edgewise.errors import RulesError
from edgewise.model.document import RuleDocument
from edgewise.ruleset import Ruleset, load_ruleset
from tests.rules import NOW_MS, make_event, make_profile

RULES: dict[str, Any] = {
    "audiences": [
        {"id": "b", "has trait": {"k": 1}},
        {"id": "a", "has performed event": "order", "within": "7 days"},
    ],
    "experiences": [
        {
            "id": "x",
            "audience": "b",
            "sticky": True,
            "components": [{"entry": "e", "variants": ["f"]}],
        }
    ],
}


def load(rules: Any = RULES, file: str = "a.yaml") -> Ruleset:
    """The ruleset of one document."""
    return load_ruleset("demo", "main", [RuleDocument(file, rules)])


def changed(**members: Any) -> dict[str, Any]:
    """The rules with another first audience."""
    first, *others = RULES["audiences"]
    return {**RULES, "audiences": [{**first, **members}, *others]}


def test_ruleset() -> None:
    """A ruleset answers for its audiences, its matchers and its experiences."""
    ruleset = load()
    assert (ruleset.organization, ruleset.environment) == ("demo", "main")
    assert [audience.id for audience in ruleset.audiences] == ["a", "b"]
    assert ruleset.evaluator.members(make_profile({"k": 1}), NOW_MS) == ["b"]
    [matcher] = ruleset.evaluator.match_event(make_event("track", event="order"))
    assert list(ruleset.fold_rules.match_event(make_event("track", event="order"))) == [matcher]
    assert ruleset.fold_rules.sticky_variants == {"x": 2}
    assert ruleset.set_aside == ()


def test_refusal_is_part_of_the_rules() -> None:
    """Whether a refusal of consent is respected reaches the fold, and changes the digest."""
    plain = load()
    respectful = load({**RULES, "environment": {"data from the address": "unless refused"}})
    always = load({**RULES, "environment": {"data from the address": "always"}})
    assert not plain.fold_rules.respects_refusal
    assert respectful.fold_rules.respects_refusal
    assert plain.digest == always.digest != respectful.digest


def test_no_documents() -> None:
    """Without documents everybody is in no audience and gets nothing."""
    ruleset = load_ruleset("demo", "main", [])
    assert ruleset.evaluator.members(make_profile(), NOW_MS) == []
    assert ruleset.experiences == ()


def test_faults_refuse() -> None:
    """Any fault in native rules refuses the ruleset, with all of them."""
    with pytest.raises(RulesError) as caught:
        load({"audiences": [{"id": "a"}, {"id": "b"}], "other": 1})
    assert len(caught.value.faults) == 3


def test_set_aside_is_kept() -> None:
    """What was set aside is told by the ruleset."""
    ruleset = load({"audiences": [{"id": "a", "nt_rules": {"any": [{"all": [{}]}]}}]})
    assert [fault.code for fault in ruleset.set_aside] == ["unknown_rule_type"]
    assert ruleset.evaluator.members(make_profile(), NOW_MS) == []


def test_digest() -> None:
    """The digest is of the rules alone: not of their order, names and places."""
    digest = load().digest
    assert len(digest) == 8
    assert int(digest, 16) >= 0
    backwards = {**RULES, "audiences": RULES["audiences"][::-1]}
    for rules in (RULES, backwards, changed(name="B", description="of b")):
        assert load(rules, "other.yaml").digest == digest


@pytest.mark.parametrize(
    "rules",
    [
        changed(id="c") | {"experiences": []},
        changed(**{"has trait": {"k": 2}}),
        changed(**{"is on device": "mobile"}),
        {**RULES, "experiences": [{**RULES["experiences"][0], "sticky": False}]},
        {**RULES, "experiences": [{**RULES["experiences"][0], "traffic": 0.5}]},
        {**RULES, "environment": {"allocation": "murmur3"}},
    ],
    ids=["id", "operand", "condition", "sticky", "traffic", "allocation"],
)
def test_digest_changes_with_the_rules(rules: Any) -> None:
    """What could decide otherwise has another digest."""
    assert load(rules).digest != load().digest


def test_matchers_digest() -> None:
    """The set of matchers has a name that no other rule has a part in."""
    digest = load().evaluator.matchers_digest
    assert load(changed(**{"has trait": {"k": 2}})).evaluator.matchers_digest == digest
    assert load(changed(**{"has viewed page": "*"})).evaluator.matchers_digest != digest


def test_nothing_to_change() -> None:
    """A ruleset cannot be changed after the load."""
    with pytest.raises(AttributeError):
        load().digest = "x"  # type: ignore[misc]


@pytest.fixture
def no_cycle_collection() -> Iterator[None]:
    """Leaves only reference counts to free what a test makes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def entries() -> set[str]:
    """Generated modules that can be looked at."""
    return {name for name in linecache.cache if name.startswith("<edgewise ")}


@pytest.mark.usefixtures("no_cycle_collection")
def test_ruleset_leaves_no_trace() -> None:
    """A dropped ruleset and its generated source go at once, without a collection of cycles."""
    before = entries()
    ruleset = load()
    assert entries() > before
    gone = weakref.ref(ruleset)
    del ruleset
    assert gone() is None
    assert entries() == before


@pytest.mark.usefixtures("no_cycle_collection")
def test_reloads_leave_no_traces() -> None:
    """After thousands of reloads there is the source of the live ruleset and no other."""
    before = entries()
    live = load()
    of_one = len(entries() - before)
    for _ in range(5000):
        live = load()
    assert len(entries() - before) == of_one
    assert live.evaluator.members(make_profile({"k": 1}), NOW_MS) == ["b"]


@pytest.mark.parametrize("name", ["a\nb", "<x>", "'", "\u2028", "é", "x" * 10_000], ids=ascii)
def test_hostile_environment_name(name: str) -> None:
    """Names of organizations and environments can hold anything."""
    ruleset = load_ruleset(name, name, [RuleDocument("a.yaml", RULES)])
    assert ruleset.evaluator.members(make_profile({"k": 1}), NOW_MS) == ["b"]
