"""Where a test finds its value, and that it finds none where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.attributes import (
    EVENT_SOURCES,
    LOCATION_MEMBERS,
    PROFILE_SOURCES,
    SOURCES,
    look_up,
    read,
)
from edgewise.model.audience import Attribute
from edgewise.model.event import Event
from edgewise.model.profiles import Location
from tests.rules import make_event, make_profile

PROFILE = make_profile(
    {"plan": "gold", "order": {"total": 5}, "a.b": 1},
    location={"city": "Berlin", "countryCode": "DE"},
    device="mobile",
    session_count=3,
)
EVENT = make_event(
    "track",
    event="order",
    page={"url": "https://x/", "path": "/", "referrer": "r", "query": {"a.b": "q", "n": ["1"]}},
    campaign={"name": "spring"},
    properties={"total": 5, "item": {"id": "i"}},
)


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("trait", "plan", "gold"),
        ("trait", "order.total", 5),
        ("trait", "a.b", 1),
        ("trait", "plan.name", None),
        ("trait", "missing", None),
        ("trait", "", None),
        ("location", "city", "Berlin"),
        ("location", "countryCode", "DE"),
        ("location", "region", None),
        ("device", "", "mobile"),
        ("session_count", "", 3),
    ],
)
def test_profile_attribute(source: str, key: str, value: Any) -> None:
    """An attribute of a profile is read from its part of it."""
    assert read(Attribute(source, key), PROFILE) == value


@pytest.mark.parametrize(
    ("source", "key", "value"),
    [
        ("event_type", "", "track"),
        ("event_name", "", "order"),
        ("page_url", "", "https://x/"),
        ("page_path", "", "/"),
        ("page_referrer", "", "r"),
        ("query", "a.b", "q"),
        ("query", "n", ["1"]),
        ("query", "a", None),
        ("campaign", "name", "spring"),
        ("campaign", "term", None),
        ("property", "total", 5),
        ("property", "item.id", "i"),
        ("property", "item.name", None),
    ],
)
def test_event_attribute(source: str, key: str, value: Any) -> None:
    """An attribute of an event is read from its part of it."""
    assert read(Attribute(source, key), EVENT) == value


@pytest.mark.parametrize("source", [name for name in EVENT_SOURCES if name != "event_type"])
def test_bare_event_has_no_attributes(source: str) -> None:
    """An event without context, name and properties has only its type."""
    for event in (Event(type="page"), make_event("page", page={}, campaign={})):
        assert read(Attribute(source, "name"), event) is None


def test_location_members_exist() -> None:
    """Every part of a location that rules can name is one that profiles can have."""
    fields = set(Location.__struct_fields__)
    assert set(LOCATION_MEMBERS.values()) == fields - {"coordinates"}


def test_sources_are_of_one_subject() -> None:
    """No source is read from profiles and from events."""
    assert not PROFILE_SOURCES.keys() & EVENT_SOURCES.keys()
    assert SOURCES.keys() == PROFILE_SOURCES.keys() | EVENT_SOURCES.keys()
    assert {source.kind for source in SOURCES.values()} == {"text", "number", "json"}


@pytest.mark.parametrize(
    ("mapping", "key", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a.b": None, "a": {"b": 2}}, "a.b", 2),
        ({"a": {"b": {"c": 3}}}, "a.b.c", 3),
        ({"a": {"b.c": 3}}, "a.b.c", None),
        ({"a": [{"b": 1}]}, "a.b", None),
        ({"a": "x"}, "a.b", None),
        ({"": {"": 4}}, ".", 4),
        ({}, "a.b", None),
    ],
)
def test_look_up(mapping: dict[str, Any], key: str, value: Any) -> None:
    """The whole key comes first, and then the path through objects that it spells."""
    assert look_up(mapping, key) == value
