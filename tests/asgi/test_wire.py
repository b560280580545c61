"""Profiles and decisions as clients read them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.asgi.wire import (
    EMPTY_BODY,
    encode_outcome,
    random_of,
    wire_profile,
    wire_session,
)
from edgewise.model.decision import Decision, Outcome
from edgewise.model.profiles import Coordinates, Location, Profile, Session
from tests.asgi.fakes import outcome_of


def profile_of(**members: Any) -> Profile:
    """Return a profile with these members."""
    names = {"organization": "o", "environment": "e", "id": "p", "stable_id": "s"}
    return Profile(**{**names, "created_ms": 0, **members})


def test_whole_answer() -> None:
    """The answer has every member of the contract under its name, and nothing else."""
    assert json.loads(encode_outcome(outcome_of("p1"))) == {
        "data": {
            "profile": {
                "id": "p1",
                "stableId": "s1",
                "random": random_of("s1"),
                "audiences": ["a1"],
                "traits": {"plan": "pro"},
                "location": {"city": "Berlin", "countryCode": "DE"},
                "session": {
                    "id": "session",
                    "isReturningVisitor": True,
                    "landingPage": {
                        "path": "/",
                        "query": {"a": "1"},
                        "referrer": "",
                        "search": "",
                        "url": "https://example.com/?a=1",
                    },
                    "count": 2,
                    "activeSessionLength": 8,
                    "averageSessionLength": 5.95,
                },
            },
            "experiences": [{"experienceId": "e1"}, {"experienceId": "e2"}],
            "changes": [{"key": "k"}],
        },
        "error": None,
        "message": "ok",
    }


def test_new_profile_is_complete() -> None:
    """A profile without any event has every member too, empty but not null."""
    body = encode_outcome(Outcome(profile_of(), Decision([], []), ""))
    data = json.loads(body)["data"]
    assert (data["experiences"], data["changes"]) == ([], [])
    assert data["profile"] == {
        "id": "p",
        "stableId": "s",
        "random": random_of("s"),
        "audiences": [],
        "traits": {},
        "location": {},
        "session": {
            "id": "",
            "isReturningVisitor": False,
            "landingPage": {"path": "", "query": {}, "referrer": "", "search": "", "url": ""},
            "count": 1,
            "activeSessionLength": 0,
            "averageSessionLength": 0,
        },
    }


def test_empty_answer() -> None:
    """An answer that only tells success has an empty `data`."""
    assert EMPTY_BODY == b'{"data":{},"error":null,"message":"ok"}'


def test_full_location() -> None:
    """A location has the contract's names; coordinates are an object of two numbers."""
    location = Location(
        coordinates=Coordinates(52.5, 13.4),
        city="Berlin",
        postal_code="10119",
        region="Berlin",
        region_code="BE",
        country="Germany",
        country_code="DE",
        continent="EU",
        timezone="Europe/Berlin",
    )
    assert msgspec.to_builtins(wire_profile(profile_of(location=location), []))["location"] == {
        "coordinates": {"latitude": 52.5, "longitude": 13.4},
        "city": "Berlin",
        "postalCode": "10119",
        "region": "Berlin",
        "regionCode": "BE",
        "country": "Germany",
        "countryCode": "DE",
        "continent": "EU",
        "timezone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("session", "returning", "active", "average"),
    [
        pytest.param(Session(count=1, started_ms=5, last_ms=8_999), False, 8, "8", id="first"),
        pytest.param(
            Session(count=10, started_ms=1_000, last_ms=1_606_000, closed_ms=17_158_000),
            True,
            1605,
            "1876.3",
            id="tenth",
        ),
        pytest.param(Session(count=2, closed_ms=3_000), True, 0, "1.5", id="new-second"),
    ],
)
def test_session_lengths(session: Session, returning: bool, active: int, average: str) -> None:
    """Lengths are seconds: whole for the active session, fractional for the average of several."""
    wire = wire_session(session)
    assert (wire.is_returning_visitor, wire.active_session_length) == (returning, active)
    assert msgspec.json.encode(wire.average_session_length).decode() == average


def test_random_is_derived_from_the_stable_id() -> None:
    """The number is a hash of the stable id with a seed of its own."""
    assert random_of("s1") == 13745234085381428371 / 2**64
    assert random_of("") != random_of("s1")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_random_is_in_its_interval(stable_id: str) -> None:
    """The number lies in 0..1."""
    assert 0 <= random_of(stable_id) <= 1
