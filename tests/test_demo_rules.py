"""The demo rules: every audience has members and others, every experience each of its variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.decide import decide
from edgewise.decoding import decode_update
from edgewise.model.decision import Decision
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable
from edgewise.model.profiles import Profile
from edgewise.receiving import receive
from edgewise.ruleset import Ruleset
from edgewise.sources.files import load_rules
from edgewise.standing import fold_and_decide

RULES = Path(__file__).parent.parent / "rules"
RULESET: Ruleset = load_rules(RULES)["demo", "main"]
EXPERIENCES = [served.experience for served in RULESET.experiences]

NOW_MS = 1_780_000_000_000
DAY_MS = 24 * 60 * 60 * 1000
VISITORS = 500

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"

JsonObject = dict[str, Any]


def page(
    path: str = "/", *, query: JsonObject | None = None, referrer: str = "", days_ago: int = 0
) -> JsonObject:
    """A page event; UTM parameters of the query become the campaign, as clients do it."""
    query = query or {}
    campaign = {
        name.removeprefix("utm_").replace("campaign", "name"): value
        for name, value in query.items()
        if name.startswith("utm_")
    }
    shown = {
        "path": path,
        "query": query,
        "referrer": referrer,
        "search": "",
        "url": f"https://shop.example{path}",
    }
    context = {"page": shown, "campaign": campaign}
    return {"type": "page", "context": context, "timestamp": NOW_MS - days_ago * DAY_MS}


def product(category: str, days_ago: int = 0) -> JsonObject:
    """A view of a product's page."""
    return page("/products/boots", days_ago=days_ago) | {"properties": {"category": category}}


def track(name: str, days_ago: int = 0, **properties: object) -> JsonObject:
    """A track event."""
    timestamp = NOW_MS - days_ago * DAY_MS
    return {"type": "track", "event": name, "properties": properties, "timestamp": timestamp}


def identify(**traits: object) -> JsonObject:
    """An identify event that sets traits."""
    return {"type": "identify", "traits": traits, "timestamp": NOW_MS}


def seen_with(**context: object) -> JsonObject:
    """A track event with this context."""
    return track("scroll") | {"context": context}


NOBODY_SPECIAL = [page("/about")]
LOYAL = {"tier": "gold", "memberSince": "2023-05-01", "statistics": {"orders": 7}}

# Audience → the events of visitors who are in it, and of visitors who are not.
VISITORS_OF: dict[str, tuple[list[list[JsonObject]], list[list[JsonObject]]]] = {
    "abandoned-cart": (
        [
            [track("add_to_cart", days_ago=2)],
            [track("purchase", days_ago=9), track("add_to_cart", days_ago=6)],
        ],
        [[track("add_to_cart", days_ago=8)], [track("add_to_cart"), track("purchase")]],
    ),
    "alpine-countries": (
        [[seen_with(location={"countryCode": "AT"})]],
        [[seen_with(location={"countryCode": "NO"})], [seen_with(location={"city": "AT"})]],
    ),
    "big-spenders": (
        [[track("purchase", 300, total=150), track("purchase", total="199.90")]],
        [
            [track("purchase", total=150)],
            [track("purchase", total=150), track("purchase", 1, total=149.99)],
            [track("purchase", 366, total=500), track("purchase", total=500)],
        ],
    ),
    "climbers": (
        [[identify(interests=["hiking", "climbing"])], [identify(interests="climbing")]],
        [[identify(interests=["ice-climbing"])], [identify(interests=[])]],
    ),
    "club-members": (
        [[identify(tier="silver")], [identify(tier="gold")]],
        [[identify(tier="Gold")], [identify(tier=None)]],
    ),
    "first-purchase-pending": (
        [
            [page(days_ago=2), page()],
            [track("purchase")],
        ],
        [[track("purchase", days_ago=2), page()]],
    ),
    "from-newsletter": (
        [[page(query={"utm_source": "newsletter"}, days_ago=400), page()]],
        [[page(query={"utm_source": "partner"})], [page("/newsletter")]],
    ),
    "from-search": (
        [
            [page(referrer="https://www.google.de/search?q=boots")],
            [page(referrer="https://duckduckgo.com/")],
        ],
        [
            [page(referrer="https://shop.example/?from=https://www.google.de")],
            [page(referrer="https://notgoogle.de/")],
        ],
    ),
    "hiking-fans": (
        [[product("hiking", day) for day in (1, 15, 29)]],
        [
            [product("hiking", day) for day in (1, 15, 31)],
            [product("hiking", 1), product("hiking", 2), product("skiing", 3)],
        ],
    ),
    "long-time-members": (
        [[identify(**LOYAL)]],
        [
            [identify(**LOYAL | {"tier": "bronze"})],
            [identify(**LOYAL | {"memberSince": "2025-01-01"})],
            [identify(**LOYAL | {"statistics": {"orders": 4}})],
        ],
    ),
    "on-the-go": (
        [[seen_with(userAgent=PHONE)]],
        [[seen_with(userAgent=DESKTOP)], [seen_with(userAgent="")]],
    ),
    "regulars": (
        [[page(days_ago=3), page(days_ago=2), page()]],
        [[page(days_ago=3), page()], [page(), page("/sale"), page("/cart")]],
    ),
    "sale-visitors": (
        [[page("/sale")]],
        [[page("/sale/shoes")], [track("sale")]],
    ),
    "spring-campaign": (
        [
            [page(query={"utm_campaign": "spring-boots", "utm_medium": "email"}, days_ago=99)],
            [page(query={"ad": "spring"}, days_ago=59)],
        ],
        [
            [page(query={"utm_campaign": "spring-boots", "utm_medium": "cpc"})],
            [page(query={"utm_campaign": "spring-boots"}), page(query={"utm_medium": "email"})],
            [page(query={"ad": "spring"}, days_ago=61)],
        ],
    ),
    "win-back": (
        [
            [identify(**LOYAL)],
            [identify(newsletter=True), *(track("purchase", day) for day in (91, 92, 93))],
        ],
        [
            [identify(**LOYAL), track("purchase", 89)],
            [identify(newsletter=False), *(track("purchase", day) for day in (91, 92, 93))],
            [identify(newsletter=True), track("purchase", 91)],
        ],
    ),
}


def visit(events: list[JsonObject], stable_id: str = "visitor") -> tuple[Profile, Decision]:
    """A profile after its events, which are told apart as clients tell them, and what it gets."""
    named = [event | {"messageId": str(number)} for number, event in enumerate(events)]
    received = receive(decode_update(msgspec.json.encode({"events": named})), stable_id, NOW_MS)
    profile = Profile(
        organization="demo", environment="main", id=stable_id, stable_id=stable_id, created_ms=0
    )
    return profile, fold_and_decide(RULESET, profile, received, NOW_MS).decision


def cases(column: int) -> list[Any]:
    """One parameter set per audience and visitor of a column of the table."""
    return [
        pytest.param(audience_id, events, id=f"{audience_id}-{number}")
        for audience_id, columns in VISITORS_OF.items()
        for number, events in enumerate(columns[column])
    ]


def test_nothing_is_set_aside() -> None:
    """No demo rule has a fault, those in the app-written form included."""
    assert RULESET.set_aside == ()


def test_every_audience_has_visitors() -> None:
    """The table of visitors knows exactly the audiences of the demo, with both kinds of visitor."""
    assert set(VISITORS_OF) == {audience.id for audience in RULESET.audiences}
    assert all(members and others for members, others in VISITORS_OF.values())


@pytest.mark.parametrize(("audience_id", "events"), cases(0))
def test_visitor_is_in(audience_id: str, events: list[JsonObject]) -> None:
    """A visitor of this kind belongs to the audience."""
    assert audience_id in visit(events)[1].audiences


@pytest.mark.parametrize(("audience_id", "events"), cases(1))
def test_visitor_is_not_in(audience_id: str, events: list[JsonObject]) -> None:
    """A visitor of this kind does not belong to the audience."""
    assert audience_id not in visit(events)[1].audiences


@pytest.mark.parametrize(
    "experience", [pytest.param(experience, id=experience.id) for experience in EXPERIENCES]
)
def test_every_variant_is_reached(experience: Experience) -> None:
    """Among the visitors of its audience each variant index with a share is given to someone, and
    no experience with full traffic leaves anyone out."""
    events = NOBODY_SPECIAL
    if experience.audience_id is not None:
        events = VISITORS_OF[experience.audience_id][0][0]
    profile, _ = visit(events)
    given: set[int | None] = set()
    for number in range(VISITORS):
        profile.stable_id = f"visitor-{number}"
        variants = {
            variant.experience_id: variant.variant_index
            for variant in decide(RULESET, profile, NOW_MS).variants
        }
        given.add(variants.get(experience.id))
    expected: set[int | None] = {
        index for index, share in enumerate(experience.distribution) if share
    }
    assert given == (expected | {None} if experience.traffic_allocation < 1 else expected)


def test_a_seen_sticky_variant_stays() -> None:
    """Who has seen a banner of the sticky experiment keeps it, whatever the hash would say."""
    seen = {
        "type": "component",
        "componentId": "sale-banner",
        "experienceId": "sale-banner",
        "timestamp": NOW_MS,
    }
    for index in (0, 1):
        _, decision = visit([page("/sale"), seen | {"variantIndex": index}])
        assert ("sale-banner", index) in [
            (variant.experience_id, variant.variant_index) for variant in decision.variants
        ]


def test_the_demo_shows_every_feature() -> None:
    """Between them the experiences use both kinds, a sticky one, partial traffic, a three-way
    split, one for everybody, a hidden variant and a variable of each type of value."""
    components = [component for experience in EXPERIENCES for component in experience.components]
    variables = [one for one in components if isinstance(one, InlineVariable)]
    entries = [one for one in components if isinstance(one, EntryReplacement)]
    assert {experience.kind for experience in EXPERIENCES} == {
        "nt_personalization",
        "nt_experiment",
    }
    assert {type(variable.baseline) for variable in variables} == {str, int, bool, dict}
    assert any("" in entry.variants for entry in entries)
    assert any(experience.sticky for experience in EXPERIENCES)
    assert any(0 < experience.traffic_allocation < 1 for experience in EXPERIENCES)
    assert any(experience.audience_id is None for experience in EXPERIENCES)
    assert any(len(experience.distribution) == 3 for experience in EXPERIENCES)
    assert {experience.allocation for experience in EXPERIENCES} == {"murmur3"}
