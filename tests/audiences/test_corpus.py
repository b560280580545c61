"""Rules as apps really wrote them: they load, and two recorded visitors are where they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgewise.lint.linting import lint
from edgewise.lint.notes import Subject
from edgewise.model.document import RuleDocument
from edgewise.model.event import Event, ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.standing import fold_and_decide
from tests.rules import NOW_MS, make_event, make_profile, nt_condition, nt_rule

CORPUS = Path(__file__).parents[3] / "shared" / "data" / "nt_rules_corpus.json"
NEEDS_CORPUS = pytest.mark.skipif(not CORPUS.exists(), reason="needs ../shared/data")
SESSION_MS = 31 * 60 * 1000
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36"


def location(key: str, value: str, **members: Any) -> dict[str, Any]:
    """A rule on the location."""
    return nt_rule("location", key=key, value=value, **members)


def trait(key: str, value: str) -> dict[str, Any]:
    """A rule on a trait."""
    return nt_rule("identify", key=key, value=value)


def history(type_: str, *conditions: Any, **members: Any) -> dict[str, Any]:
    """A rule that asks for at least one event."""
    rule = {"operator": "greaterThanInclusive", "conditions": list(conditions), **members}
    return nt_rule(type_, **rule)


def device(value: str) -> dict[str, Any]:
    """A rule on the device."""
    return nt_rule("device", conditions=[nt_condition("type", "equal", value)])


def returning(value: bool, *conditions: Any) -> dict[str, Any]:
    """A rule on the sessions."""
    return nt_rule("isReturningVisitor", value=value, conditions=list(conditions))


# Per row: ids of the audiences in the corpus, a rule of the same meaning, and whether the new and
# the identified visitor are in it.
MEMBERSHIPS = [
    pytest.param(["2WzXDaWtDmstHl9p8Wufpp"], [location("continent", "EU")], True, True, id="eu"),
    pytest.param(
        ["51AL1dMNXkvx1BkQd3wPR1"], [location("continent", "EU", count=1)], True, True, id="eu-int"
    ),
    pytest.param(["2y72M2RTXnMpp9GPG8xSzf"], [device("desktop")], True, True, id="desktop"),
    pytest.param(
        ["3UTxzKhiki1xeHAdSCJBCS", "6IZl4qhrtb0exmz0ADP0DR", "1g2FXnBQzxcQfhnaM2NRkn"],
        [returning(False)],
        True,
        False,
        id="new",
    ),
    pytest.param(
        ["46fHDG7vjxwTbYee5JNVOQ"],
        [returning(True, nt_condition("session_count", "greaterThan", "1"))],
        False,
        True,
        id="return-visitors",
    ),
    pytest.param(["2oVAttk4iWnscOyhDRT8Yl"], [returning(True)], False, True, id="returning"),
    pytest.param(
        ["5I5wZ2b6MeGP7q1aW1mOHG"],
        [returning(True, nt_condition("session_count", "greaterThanInclusive", "1"))],
        False,
        True,
        id="all-visitors-by-sessions",
    ),
    pytest.param(
        ["64ducOq8OgG6N0zK3SuRnq"],
        [
            history("page", nt_condition("context_page_url", "equal", "*")),
            history("track", value="*"),
        ],
        True,
        True,
        id="all-visitors-by-events",
    ),
    pytest.param(
        ["4yIqY7AWtzeehCZxtQSDB"], [trait("identified", "true")], False, True, id="identified"
    ),
    pytest.param(
        ["56gfPS3OIl77DbH5PZigtr"], [history("track", value="custom")], False, True, id="custom"
    ),
    *(
        pytest.param([audience], [location("continent", code)], False, False, id=f"{code}-{n}")
        for n, (audience, code) in enumerate(
            (
                ("1AO5WTwDq75JD9xpJ9EsDv", "AF"),
                ("aQ6NF4I6qkhcEdnst0uWt", "AS"),
                ("3gYGBfUtLw331jrtgnbIqg", "OC"),
                ("6jlfnsz75fz0oE0mPj982O", "NA"),
                ("716kDnZAaRC8jQwllThSSd", "SA"),
                ("3rXCM6noyMIXkjqujPFrIX", "AS"),
                ("5P8sJgSXhjNUlUfk7ee88u", "NA"),
            )
        )
    ),
    *(
        pytest.param([audience], [device(name)], False, False, id=name)
        for audience, name in (
            ("3MRuZPQ5EdwDqzUDRgOo7c", "mobile"),
            ("tuEoGEpoGK9n4ZUljuFz9", "tablet"),
            ("2lsqsLEx700GuBvvucafX3", "unknown"),
        )
    ),
    *(
        pytest.param([audience], [trait("stage", "other")], False, False, id=f"trait-{n}")
        for n, audience in enumerate(
            (
                "4IBSwLRvM1gdBidtnsh4h",
                "CGZHilDIs8l5srntsiyTG",
                "4bfygTDTGGzYjS27gzZf4O",
                "9dD2bUqMKGEu5piomilr7",
                "5vo1mRVcaJdTu6a52m7EB6",
                "6PWkVDirbFw7HL60QlAOc3",
            )
        )
    ),
    pytest.param(
        ["7IRVaTD9GpZVprP7A8tSiE"],
        [history("page", nt_condition("context_page_url", "contains", "pricing"))],
        False,
        False,
        id="pricing",
    ),
    pytest.param(
        ["4IIDZzApcl5foY7KAWznUc"],
        [history("page", nt_condition("context_page_referrer", "equal", "tiktok.com"))],
        False,
        False,
        id="tiktok",
    ),
    pytest.param(
        ["3J7mWqRRJAwi3su6C49014"],
        [history("track", value="registered")],
        False,
        False,
        id="registered",
    ),
]


def corpus_items() -> list[dict[str, Any]]:
    """Every item of the corpus; none without the file."""
    return json.loads(CORPUS.read_text("utf-8"))["items"] if CORPUS.exists() else []


def ruleset_of(audiences: list[dict[str, Any]]) -> Ruleset:
    """A ruleset of app-written audiences."""
    return load_ruleset("demo", "main", [RuleDocument("export.json", {"audiences": audiences})])


def events_of(*, sessions: int) -> list[ReceivedEvent]:
    """Page views, one per session; a visitor of several sessions has also told who he is."""
    page = {"url": "https://shop.example/", "path": "/", "referrer": "", "query": {}, "search": ""}
    view = make_event("page", page=page)
    assert view.context is not None
    view.context.user_agent = DESKTOP
    events: list[Event] = [view] * sessions
    times = [NOW_MS - SESSION_MS * i for i in reversed(range(sessions))]
    if sessions > 1:
        events += [make_event("identify", traits={"identified": True})]
        events += [make_event("track", event="custom")]
        times += [NOW_MS, NOW_MS]
    return [
        ReceivedEvent(event, time, key, b"")
        for key, (event, time) in enumerate(zip(events, times, strict=True))
    ]


def visitor(ruleset: Ruleset, *, sessions: int) -> tuple[Profile, set[str]]:
    """A visitor from Berlin after some sessions, and the audiences he is in."""
    profile = make_profile(location={"continent": "EU", "city": "Berlin"}, session_count=0)
    decision = fold_and_decide(ruleset, profile, events_of(sessions=sessions), NOW_MS).decision
    assert profile.session.count == sessions
    return profile, set(decision.audiences)


@pytest.mark.parametrize("item", corpus_items(), ids=lambda item: str(item["id"]))
def test_corpus_loads(item: dict[str, Any]) -> None:
    """A rule found in the wild has no fault."""
    ruleset = ruleset_of([{"id": item["id"], "nt_rules": item["rules"]}])
    assert ruleset.set_aside == ()


@NEEDS_CORPUS
def test_corpus_is_whole() -> None:
    """All eighty rules are there, and load together."""
    items = corpus_items()
    ruleset = ruleset_of([{"id": item["id"], "nt_rules": item["rules"]} for item in items])
    assert len(ruleset.audiences) == len(items) == 80
    assert ruleset.set_aside == ()


@NEEDS_CORPUS
def test_corpus_is_hardly_odd() -> None:
    """Of all the values in the rules three can never match, and no other one is warned of."""
    audiences = [{"id": item["id"], "nt_rules": item["rules"]} for item in corpus_items()]
    document = RuleDocument("export.json", {"audiences": audiences})
    found = lint(Subject(ruleset_of(audiences), [document]))
    odd = [(one.audience_id, one.code) for one in found if one.code != "unused_audience"]
    assert odd == [
        ("R011", "url_without_scheme"),  # starts with "careers/"
        ("R045", "path_without_slash"),  # equal "demo"
        ("R075", "bare_referrer"),  # equal "tiktok.com"
    ]


@NEEDS_CORPUS
@pytest.mark.parametrize(("ids", "rules", "new", "identified"), MEMBERSHIPS)
def test_recorded_memberships(ids: list[str], rules: Any, new: bool, identified: bool) -> None:
    """Every version of an audience's published rule puts both visitors where the API put them."""
    for audience_id in ids:
        versions = [item["rules"] for item in corpus_items() if audience_id in item["audience_ids"]]
        assert versions
        for version in versions:
            ruleset = ruleset_of([{"nt_audience_id": audience_id, "nt_rules": version}])
            assert (audience_id in visitor(ruleset, sessions=1)[1]) is new
            assert (audience_id in visitor(ruleset, sessions=10)[1]) is identified


@pytest.mark.parametrize(("ids", "rules", "new", "identified"), MEMBERSHIPS)
def test_rules_of_the_same_meaning(ids: list[str], rules: Any, new: bool, identified: bool) -> None:
    """Both visitors are where the API put them under rules that say the same."""
    ruleset = ruleset_of([{"id": ids[0], "nt_rules": {"any": [{"all": [r]} for r in rules]}}])
    assert ruleset.set_aside == ()
    assert bool(visitor(ruleset, sessions=1)[1]) is new
    assert bool(visitor(ruleset, sessions=10)[1]) is identified
