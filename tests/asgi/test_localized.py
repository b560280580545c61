"""Answers in a language, over outcomes that stay in English."""

from __future__ import annotations

import pytest

from edgewise.asgi.localized import localized
from edgewise.model.decision import Decision, Outcome
from edgewise.model.profiles import ByAddress, Location, Profile

MUNICH = Location(city="Munich", country="Germany", country_code="DE")
FOUND = ByAddress(location=["city"], city_names={"de": "München"})


def outcome_of(by_address: ByAddress | None) -> Outcome:
    profile = Profile(
        organization="o",
        environment="e",
        id="p",
        stable_id="p",
        created_ms=0,
        location=MUNICH,
        by_address=by_address,
    )
    return Outcome(profile, Decision([], []), "digest")


@pytest.mark.parametrize(
    ("locale", "by_address", "city", "country"),
    [
        pytest.param("de", FOUND, "München", "Deutschland", id="found"),
        pytest.param("de-AT", FOUND, "München", "Deutschland", id="region"),
        pytest.param("de", None, "Munich", "Deutschland", id="said"),
        pytest.param("fr", FOUND, "Munich", "Allemagne", id="no-name"),
    ],
)
def test_names(locale: str, by_address: ByAddress | None, city: str, country: str) -> None:
    """A city that was found has the names of its database; a country always has names."""
    before = outcome_of(by_address)
    after = localized(before, locale)
    assert (after.profile.location.city, after.profile.location.country) == (city, country)
    assert before == outcome_of(by_address)


@pytest.mark.parametrize("locale", ["en", "en-GB", "xx"])
def test_english_stays(locale: str) -> None:
    """Without other names the outcome is the same one."""
    before = outcome_of(FOUND)
    assert localized(before, locale) is before
