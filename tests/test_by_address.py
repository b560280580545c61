"""What is found by an address: how it enters a profile, gives way to what is said, and goes."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.fold import FoldRules, consent_of, fold_events
from edgewise.merging import absorb
from edgewise.model.event import (
    Consent,
    Context,
    Event,
    EventLocation,
    ReceivedEvent,
    Resolved,
    TraitPatch,
)
from edgewise.model.profiles import ByAddress, Location, Profile, Session

NOW_MS = 1_790_000_000_000
PHONE = "Mozilla/5.0 (Linux; Android 10; K) Chrome/124.0.0.0 Mobile Safari/537.36"

MUNICH = EventLocation(city="Munich", country="Germany", country_code="DE", region="Bavaria")
NAMES = {"de": "München"}
FOUND = Resolved(location=MUNICH, city_names=NAMES)
REFUSED = Context(gdpr=Consent(is_consent_given=False))
CONSENTED = Context(gdpr=Consent(is_consent_given=True))
ROME = Location(city="Rome", country_code="IT")


def make_profile(profile_id: str = "p", **members: Any) -> Profile:
    names = {"organization": "o", "environment": "e", "stable_id": profile_id, "created_ms": 0}
    return Profile(id=profile_id, **{**names, **members})


def fold(profile: Profile, *events: Event, respects_refusal: bool = False) -> Profile:
    rules = FoldRules(lambda _: (), {}, respects_refusal)
    fold_events(profile, [received(event, NOW_MS) for event in events], rules, NOW_MS)
    return profile


def received(event: Event, time_ms: int) -> ReceivedEvent:
    return ReceivedEvent(event, time_ms, 0, b"{}")


def page(**members: Any) -> Event:
    return Event(type="page", **members)


def said(**members: Any) -> Context:
    return Context(location=EventLocation(**members))


def test_found_location_takes_the_place_of_the_one_before() -> None:
    """A location that was found is one place: nothing of the one before is left."""
    profile = make_profile(location=Location(city="Bern", timezone="Europe/Zurich"))
    fold(profile, page(resolved=FOUND))
    assert profile.location == Location(
        city="Munich", country="Germany", country_code="DE", region="Bavaria"
    )
    assert profile.by_address == ByAddress(
        location=["city", "region", "country", "country_code"], city_names=NAMES
    )


def test_what_is_said_overrides_member_by_member() -> None:
    """A sender's word comes on top, in the same event and later; the rest stays as found."""
    profile = fold(make_profile(), page(resolved=FOUND, context=said(region="Upper Bavaria")))
    assert profile.location.region == "Upper Bavaria"
    assert profile.by_address == ByAddress(
        location=["city", "country", "country_code"], city_names=NAMES
    )
    fold(profile, page(context=said(city="Augsburg")))
    assert profile.location == Location(
        city="Augsburg", country="Germany", country_code="DE", region="Upper Bavaria"
    )
    assert profile.by_address == ByAddress(location=["country", "country_code"])
    fold(profile, page(context=said(country="Austria", country_code="AT")))
    assert profile.by_address is None


def test_nothing_said_changes_nothing_found() -> None:
    """Empty members of a sent location are no word."""
    profile = fold(make_profile(), page(resolved=FOUND, context=said(city="", country_code="X")))
    assert profile.location.city == "Munich"
    assert profile.by_address is not None
    assert profile.by_address.city_names == NAMES


def test_a_place_without_a_city_has_no_names() -> None:
    """Names without a city to translate are not kept."""
    resolved = Resolved(location=EventLocation(country_code="DE"), city_names=NAMES)
    profile = fold(make_profile(), page(resolved=resolved))
    assert profile.by_address == ByAddress(location=["country_code"])


def test_device_comes_on_top_of_the_user_agent() -> None:
    """A class that the request told overrules the user agent, and does without a context."""
    tablet = Resolved(device="tablet")
    profile = fold(make_profile(), page(context=Context(user_agent=PHONE), resolved=tablet))
    assert profile.device == "tablet"
    assert fold(make_profile(), page(resolved=tablet)).device == "tablet"
    assert profile.by_address is None


def test_found_traits_win_in_their_request_and_yield_later() -> None:
    """A company overwrites what the same event says; a later identify overwrites the company."""
    company = Resolved(traits={"albacross": {"name": "Fjäll AB"}})
    sent = {"albacross": "mine", "plan": "pro"}
    profile = fold(make_profile(), Event(type="identify", traits=sent, resolved=company))
    assert profile.traits == {"albacross": {"name": "Fjäll AB"}, "plan": "pro"}
    assert profile.trait_times == {"albacross": NOW_MS, "plan": NOW_MS}
    assert profile.by_address == ByAddress(traits=["albacross"])
    fold(profile, Event(type="identify", traits={"albacross": "mine"}))
    assert profile.traits["albacross"] == "mine"
    assert profile.by_address is None


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(TraitPatch(append={"a": 1}), id="append"),
        pytest.param(TraitPatch(unappend={"a": 1}), id="unappend"),
        pytest.param(TraitPatch(unset=["a"]), id="unset"),
    ],
)
def test_patched_traits_are_no_finds(patch: TraitPatch) -> None:
    """A trait that a sender has changed is the sender's."""
    profile = fold(make_profile(), page(resolved=Resolved(traits={"a": [1], "b": 2})))
    fold(profile, Event(type="identify", traits={}, trait_patch=patch))
    assert profile.by_address == ByAddress(traits=["b"])


@pytest.mark.parametrize(
    ("given", "consents"),
    [
        (False, False),
        ("false", False),
        (" False ", False),
        (0, False),
        ("no", False),
        (True, True),
        ("true", True),
        (1.0, True),
        ("", None),
        ("perhaps", None),
        ({"given": False}, None),
        (None, None),
    ],
    ids=repr,
)
def test_consent(given: object, consents: bool | None) -> None:
    """A plain yes or no is one, in whatever way it is written; anything else says nothing."""
    assert consent_of(page(context=Context(gdpr=Consent(is_consent_given=given)))) is consents


@pytest.mark.parametrize("event", [page(), page(context=Context())], ids=["bare", "no-gdpr"])
def test_saying_nothing_refuses_nothing(event: Event) -> None:
    """An event without a word on consent says neither yes nor no."""
    assert consent_of(event) is None


def test_a_refusal_lasts_until_it_is_taken_back() -> None:
    """After a refusal nothing that is found is kept, until the visitor says yes."""
    profile = fold(make_profile(), page(context=REFUSED), respects_refusal=True)
    fold(profile, page(resolved=FOUND), respects_refusal=True)
    assert (profile.location, profile.by_address) == (Location(), None)
    fold(profile, page(resolved=FOUND, context=CONSENTED), respects_refusal=True)
    assert profile.location.city == "Munich"


def test_a_refusal_is_not_overtaken() -> None:
    """An older yes that comes later, because its company was waited for, lifts no refusal."""
    rules = FoldRules(lambda event: (), {}, respects_refusal=True)
    profile = make_profile()
    late = received(page(resolved=Resolved(traits={"c": 1}), context=CONSENTED), NOW_MS - 500)
    fold_events(profile, [received(page(context=REFUSED), NOW_MS)], rules, NOW_MS)
    fold_events(profile, [late], rules, NOW_MS + 1)
    assert (profile.traits, profile.consent_given, profile.consent_ms) == ({}, False, NOW_MS)


def test_merge_keeps_the_last_word_on_consent() -> None:
    """A refusal on one device takes back what was found on the other, if it came later."""
    survivor = found_profile("s", 1, consent_given=True, consent_ms=1)
    loser = found_profile("l", 2, consent_given=False, consent_ms=2)
    absorb(survivor, loser, {})
    assert (loser.location.city, loser.traits) == ("Munich", {"c": "l"}), "the loser stays"
    assert (survivor.location, survivor.traits, survivor.by_address) == (Location(), {}, None)
    assert survivor.consent_given is False

    survivor = found_profile("s", 1, consent_given=True, consent_ms=3)
    loser = found_profile("l", 2, consent_given=False, consent_ms=2)
    absorb(survivor, loser, {})
    assert survivor.consent_given is True
    assert loser.location.city == survivor.location.city == "Munich"


@pytest.mark.parametrize(
    ("known", "city"),
    [(Location(), "Munich"), (Location(timezone="Europe/Rome"), "Munich"), (ROME, "Rome")],
    ids=["nothing", "no-place", "a-place"],
)
def test_a_find_that_fills(known: Location, city: str) -> None:
    """What only fills a gap stays away where a place is known."""
    filling = Resolved(location=MUNICH, fills=True)
    profile = fold(make_profile(location=known), page(resolved=filling))
    assert profile.location.city == city


def test_refusal_removes_what_was_found() -> None:
    """Where the rules respect it, a refusal takes back what was found, and no more than that."""
    company = Resolved(location=MUNICH, city_names=NAMES, device="tablet", traits={"c": 1})
    events = (
        Event(type="identify", traits={"plan": "pro"}, resolved=company),
        page(context=said(region="Upper Bavaria")),
        page(context=REFUSED),
    )
    profile = fold(make_profile(), *events, respects_refusal=True)
    assert profile.location == Location(region="Upper Bavaria")
    assert (profile.traits, profile.trait_times) == ({"plan": "pro"}, {"plan": NOW_MS})
    assert (profile.device, profile.by_address) == ("tablet", None)
    kept = fold(make_profile(), *events)
    assert kept.location.city == "Munich"
    assert kept.traits["c"] == 1


def test_refusal_keeps_out_what_it_comes_with() -> None:
    """What was found before the rules respected a refusal goes when its log is folded anew."""
    profile = fold(make_profile(), page(resolved=FOUND, context=REFUSED), respects_refusal=True)
    assert (profile.location, profile.by_address) == (Location(), None)


def found_profile(profile_id: str, last_ms: int, **members: Any) -> Profile:
    by_address = ByAddress(location=["city"], city_names=NAMES, traits=["c"])
    common = {
        "location": Location(city="Munich"),
        "by_address": by_address,
        "traits": {"c": profile_id},
        "trait_times": {"c": last_ms},
        "session": Session(id=profile_id, count=1, started_ms=last_ms, last_ms=last_ms),
    }
    return make_profile(profile_id, **{**common, **members})


def test_merge_keeps_what_goes_with_the_newer_place() -> None:
    """Location and trait bring along whether they were found."""
    said_by = found_profile("s", 1, by_address=None, location=Location(city="Bern"))
    absorb(said_by, found_profile("l", 2), {})
    assert said_by.location.city == "Munich"
    assert said_by.traits == {"c": "l"}
    assert said_by.by_address == ByAddress(location=["city"], city_names=NAMES, traits=["c"])

    found = found_profile("s", 1)
    absorb(found, found_profile("l", 2, by_address=None), {})
    assert (found.traits, found.by_address) == ({"c": "l"}, None)


def test_merge_leaves_the_survivor_what_is_newer() -> None:
    """What the survivor keeps stays what it was, and the loser's record is not touched."""
    survivor, loser = found_profile("s", 2), found_profile("l", 1, by_address=None)
    absorb(survivor, loser, {})
    assert survivor.by_address == ByAddress(location=["city"], city_names=NAMES, traits=["c"])
    survivor, loser = found_profile("s", 2, by_address=None), found_profile("l", 1)
    absorb(survivor, loser, {})
    assert survivor.by_address is None
    assert loser == found_profile("l", 1)
