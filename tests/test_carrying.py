"""What was found out for a request becomes part of its events, in memory and as JSON."""

from __future__ import annotations

import json

import pytest

from edgewise.carrying import carrying, telling
from edgewise.decoding import decode_event
from edgewise.model.event import Event, EventLocation, ReceivedEvent, Resolved

PLACE = EventLocation(city="Berlin", country_code="DE")
ALL = Resolved(location=PLACE, city_names={"fr": "Berlin"}, device="tablet", traits={"a": {"b": 1}})


def received(raw: bytes = b'{"type":"page"}') -> ReceivedEvent:
    return ReceivedEvent(Event(type="page"), 5, 7, raw, 3)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"type":"page"}', id="plain"),
        pytest.param(b' {"type":"page" } \r\n\t', id="space"),
        pytest.param(b'{"type":"page","$resolved":null}', id="member-before"),
    ],
)
def test_one_event_carries_all(raw: bytes) -> None:
    """The JSON of a lone event tells what the event does, and nothing else of it changes."""
    before = received(raw)
    (item,) = carrying([before], ALL)
    assert item.event == Event(type="page", resolved=ALL)
    assert decode_event(item.raw).resolved == ALL
    assert (item.time_ms, item.message_key, item.claimed_ms) == (5, 7, 3)
    assert before == received(raw)


def test_empty_object() -> None:
    """An object without members gets one."""
    (item,) = carrying([received(b"{ }")], Resolved(device="mobile"))
    assert json.loads(item.raw) == {"$resolved": {"device": "mobile"}}


def test_first_carries_the_location_and_last_the_rest() -> None:
    """What events say of a location comes on top of it; what else was found, on top of them."""
    first, middle, last = carrying([received(), received(), received()], ALL)
    place = Resolved(location=PLACE, city_names={"fr": "Berlin"})
    assert (first.event.resolved, decode_event(first.raw).resolved) == (place, place)
    assert middle == received()
    assert last.event.resolved == Resolved(device="tablet", traits={"a": {"b": 1}})


@pytest.mark.parametrize(
    ("resolved", "carriers"),
    [
        pytest.param(Resolved(location=PLACE), [True, False], id="location"),
        pytest.param(Resolved(device="mobile"), [False, True], id="device"),
        pytest.param(Resolved(traits={"a": 1}), [False, True], id="traits"),
    ],
)
def test_only_what_was_found_is_carried(resolved: Resolved, carriers: list[bool]) -> None:
    """An event that has nothing to carry stays as it was."""
    items = carrying([received(), received()], resolved)
    assert [item.event.resolved is not None for item in items] == carriers


def test_no_new_events() -> None:
    """Where all events were known, nothing is carried."""
    assert carrying([], ALL) == []


def test_first_tells_who_was_joined() -> None:
    """Whose profiles became one is told once, beside what was found out; the key stays."""
    joined = (("b", "a"), ("a", "s"))
    first, second = telling(carrying([received(), received()], ALL), joined)
    assert json.loads(first.raw)["$joined"] == [["b", "a"], ["a", "s"]]
    decoded = decode_event(first.raw)
    assert (first.event.joined, decoded.joined) == (joined, joined)
    assert decoded.resolved == first.event.resolved
    assert second.event.joined is None
    assert b"joined" not in second.raw
    assert (first.time_ms, first.message_key, first.claimed_ms) == (5, 7, 3)
