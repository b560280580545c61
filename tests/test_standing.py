"""A decision that stands is the one that would be made anew, whatever visitors do meanwhile."""

from __future__ import annotations

import random
from typing import Any

import pytest

from edgewise.carrying import carrying
from edgewise.decide import decide
from edgewise.messages import remember
from edgewise.model.document import RuleDocument
from edgewise.model.event import EventLocation, Resolved
from edgewise.model.profiles import Profile
from edgewise.receiving import receive
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.standing import Standing, fold_and_decide
from tests.serving import DAY_MS, MINUTE_MS, NOW_MS, update_of

RULES: dict[str, Any] = {
    "environment": {"data from the address": "unless refused"},
    "audiences": [
        {"id": "buyers", "has performed event": "buy"},
        {"id": "regulars", "has performed event": "buy", "at least": 3},
        {"id": "exactly-two", "has performed event": "buy", "exactly": 2},
        {"id": "few-visits", "has viewed page": {"path": "/"}, "fewer than": 3},
        {"id": "lately", "has performed event": "buy", "at least": 2, "within": "3 days"},
        {"id": "quiet", "none": [{"has performed event": "buy", "within": "1 days"}]},
        {"id": "gold", "has trait": {"tier": "gold"}},
        {"id": "named", "has trait": {"company": {"is set": True}}},
        {"id": "german", "is located at": {"country code": "DE"}},
        {"id": "phones", "is on device": "mobile"},
        {"id": "back", "is returning visitor": True},
        {"id": "fourth", "session count": {"equals": 4}},
    ],
    "experiences": [
        {
            "id": f"on-{audience}",
            "type": "experiment",
            "audience": audience,
            "sticky": audience in ("gold", "buyers"),
            "components": [{"entry": f"entry-{audience}", "variants": ["v1", "v2"]}],
        }
        for audience in ("buyers", "lately", "gold", "german", "phones", "back")
    ],
}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148 Safari/604.1"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0.0.0 Safari/537.36"


def ruleset_of(**members: Any) -> Ruleset:
    """Return the ruleset above, some members of it replaced."""
    return load_ruleset("org", "main", [RuleDocument("test.yaml", {**RULES, **members})])


RULESET = ruleset_of()
WITHOUT_REFUSAL = ruleset_of(environment={})


def new_profile() -> Profile:
    """Return a visitor before the first event."""
    return Profile(
        organization="org",
        environment="main",
        id="ab" * 32,
        stable_id="ab" * 32,
        created_ms=NOW_MS,
        matchers_digest=RULESET.evaluator.matchers_digest,
    )


def random_event(chance: random.Random, number: int, time_ms: int) -> dict[str, Any]:
    """Return an event of any kind that rules can tell from others."""
    context: dict[str, Any] = {"page": {"path": chance.choice(("/", "/other"))}}
    if chance.random() < 0.4:
        context["userAgent"] = chance.choice((PHONE, DESKTOP))
    if chance.random() < 0.2:
        context["location"] = {"countryCode": chance.choice(("DE", "AT"))}
    if chance.random() < 0.1:
        context["gdpr"] = {"isConsentGiven": chance.choice((True, False))}
    event: dict[str, Any] = {
        "type": chance.choice(("page", "page", "track", "track", "identify", "component")),
        "messageId": f"m{number}",
        "timestamp": time_ms,
        "context": context,
    }
    if event["type"] == "track":
        event["event"] = chance.choice(("buy", "buy", "look"))
    elif event["type"] == "identify":
        event["traits"] = {"tier": chance.choice(("gold", "silver"))}
    elif event["type"] == "component":
        experience = chance.choice(("on-gold", "on-buyers", "on-back"))
        event |= {"componentId": "c", "experienceId": experience, "variantIndex": 1}
    return event


def random_find(chance: random.Random) -> Resolved:
    """Return what may have been found out for a request."""
    found = Resolved()
    if chance.random() < 0.6:
        found.location = EventLocation(country_code=chance.choice(("DE", "CH")))
    if chance.random() < 0.3:
        found.device = chance.choice(("tablet", "mobile"))
    if chance.random() < 0.3:
        found.traits = {"company": {"name": "Acme"}}
    return found


@pytest.mark.parametrize("ruleset", [RULESET, WITHOUT_REFUSAL], ids=["refusal", "always"])
@pytest.mark.parametrize("seed", range(30))
def test_what_stands_is_what_would_be_decided(seed: int, ruleset: Ruleset) -> None:
    """Over any history the answers are those of a decision after each request."""
    chance = random.Random(seed)
    profile, now_ms = new_profile(), NOW_MS
    standing: Standing | None = None
    stood = 0
    for number in range(0, 240, 3):
        pause_ms = chance.choice((1_000, MINUTE_MS, 40 * MINUTE_MS, DAY_MS, 2 * DAY_MS))
        now_ms += round(chance.random() * pause_ms)
        events = [
            random_event(chance, number + place, now_ms - chance.choice((0, 500, DAY_MS)))
            for place in range(chance.choice((1, 1, 1, 3)))
        ]
        received = receive(update_of(*events), profile.id, now_ms)
        if chance.random() < 0.3:
            received = carrying(received, random_find(chance))
        before = standing
        standing = fold_and_decide(ruleset, profile, received, now_ms, standing)
        remember(profile, received)
        stood += before is not None and before.decision is standing.decision
        assert standing.decision == decide(ruleset, profile, now_ms)
        assert (
            (standing.json is before.json) == (before.decision is standing.decision)
            if before
            else True
        )
    assert stood > 10


def test_window_ends_what_stands() -> None:
    """Without any further purchase two of them leave their window at the very millisecond."""
    profile = new_profile()
    events = [
        {"type": "track", "event": "buy", "messageId": f"m{hours}", "timestamp": NOW_MS + hours}
        for hours in (0, 1)
    ]
    received = receive(update_of(*events), profile.id, NOW_MS + 1)
    standing = fold_and_decide(RULESET, profile, received, NOW_MS + 1)
    assert "lately" in standing.decision.audiences
    last_ms = NOW_MS + 3 * DAY_MS
    for now_ms, is_member in ((last_ms, True), (last_ms + 1, False)):
        standing = fold_and_decide(RULESET, profile, [], now_ms, standing)
        assert ("lately" in standing.decision.audiences) is is_member


def test_clock_that_goes_back_decides_anew() -> None:
    """What stands from a time on says nothing about the time before."""
    profile = new_profile()
    event = {"type": "track", "event": "buy", "messageId": "m", "timestamp": NOW_MS}
    received = receive(update_of(event), profile.id, NOW_MS)
    later_ms = NOW_MS + 2 * DAY_MS
    standing = fold_and_decide(RULESET, profile, received, later_ms)
    assert "quiet" in standing.decision.audiences
    standing = fold_and_decide(RULESET, profile, [], NOW_MS, standing)
    assert "quiet" not in standing.decision.audiences


def test_clock_that_goes_back_behind_the_last_update_decides_anew() -> None:
    """An event that had left its window at the last update may be in it again before that."""
    rules = [{"id": "lately", "has performed event": "buy", "at least": 3, "within": "3 days"}]
    ruleset = ruleset_of(audiences=rules, experiences=[])
    profile = new_profile()
    standing = None
    for number, (now_ms, time_ms) in enumerate(
        (
            (NOW_MS, NOW_MS),
            (NOW_MS + 1_000, NOW_MS - 3 * DAY_MS + 2_000),
            (NOW_MS + 3_000, NOW_MS + 3_000),
        )
    ):
        event = {"type": "track", "event": "buy", "messageId": f"m{number}", "timestamp": time_ms}
        received = receive(update_of(event), profile.id, now_ms)
        standing = fold_and_decide(ruleset, profile, received, now_ms, standing)
    page = {"type": "page", "messageId": "page", "timestamp": NOW_MS}
    received = receive(update_of(page), profile.id, NOW_MS + 1_500)
    standing = fold_and_decide(ruleset, profile, received, NOW_MS + 1_500, standing)
    assert standing.decision.audiences == ["lately"]


def test_rules_that_read_nothing_of_a_change_let_it_pass() -> None:
    """A change that no audience reads is none: the decision stands."""
    ruleset = ruleset_of(audiences=[RULES["audiences"][0]], experiences=[])
    profile = new_profile()
    standing = fold_and_decide(ruleset, profile, [], NOW_MS)
    event = {
        "type": "identify",
        "messageId": "m",
        "timestamp": NOW_MS,
        "traits": {"tier": "gold"},
        "context": {"userAgent": PHONE, "location": {"countryCode": "DE"}},
    }
    received = receive(update_of(event), profile.id, NOW_MS)
    later = fold_and_decide(ruleset, profile, received, NOW_MS, standing)
    assert later.decision is standing.decision
    assert profile.traits == {"tier": "gold"}
