"""All audiences of a profile and all matchers of an event, in answer order."""

from __future__ import annotations

from edgewise.audiences.evaluator import make_evaluator, matchers_of
from edgewise.model.audience import Constant
from tests.rules import NOW_MS, audiences_of, make_event, make_profile, native, nt_rules, parse


def test_members_come_in_order() -> None:
    """Members are answered in the order of the audiences."""
    audiences = audiences_of(*({"id": id_, "has trait": "k"} for id_ in ("b", "C", "a")))
    evaluator = make_evaluator(audiences, "test")
    assert evaluator.members(make_profile({"k": 1}), NOW_MS) == ["a", "b", "C"]
    assert evaluator.members(make_profile(), NOW_MS) == []


def test_no_audiences() -> None:
    """Without audiences nobody is in one and no event matches."""
    evaluator = make_evaluator((), "test")
    assert evaluator.members(make_profile(), NOW_MS) == []
    assert evaluator.match_event(make_event()) == []


def test_constant_audiences() -> None:
    """An audience that is set aside has no members; one that cannot fail has everybody."""
    parsed = parse(
        {"id": "nobody", "nt_rules": 5},
        {"id": "everybody", "has viewed page": "*", "at least": 0},
        {**nt_rules(), "id": "half-filled"},
    )
    assert {one.tree for one in parsed.audiences} == {Constant(False), Constant(True)}
    evaluator = make_evaluator(parsed.audiences, "test")
    assert evaluator.members(make_profile(), NOW_MS) == ["everybody"]


def test_matchers_are_shared() -> None:
    """Rules that count the same events share one matcher, whichever audience they belong to."""
    audiences = audiences_of(
        {"id": "a", "has performed event": "order", "at least": 2},
        {"id": "b", "has performed event": "order", "fewer than": 9},
        {"id": "c", "has performed event": "order", "at least": 2, "within": "7 days"},
    )
    evaluator = make_evaluator(audiences, "test")
    assert len(evaluator.matchers) == 2
    matched = evaluator.match_event(make_event("track", event="order"))
    assert {one.id for one in matched} == set(evaluator.matchers)
    assert evaluator.match_event(make_event("track", event="other")) == []
    assert evaluator.match_event(make_event("page", event="order")) == []


def test_matchers_of_a_tree() -> None:
    """A matcher is found wherever in a tree it counts."""
    [audience] = audiences_of(
        native(any=[{"has viewed page": "*"}, {"none": [{"has performed event": "order"}]}])
    )
    assert len(list(matchers_of(audience.tree))) == 2


def test_matchers_digest() -> None:
    """The name of a set of matchers does not depend on their order."""
    one = {"id": "a", "has viewed page": "*"}
    other = {"id": "b", "has performed event": "order"}
    turned = [{**other, "id": "a"}, {**one, "id": "b"}]
    digests = {
        make_evaluator(audiences_of(*raws), "test").matchers_digest
        for raws in ([one, other], turned)
    }
    assert len(digests) == 1
    [digest] = digests
    assert len(digest) == 8
    assert make_evaluator(audiences_of(one), "test").matchers_digest != digest
