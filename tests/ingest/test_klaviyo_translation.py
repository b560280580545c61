"""People and what they did as events: what the queue takes, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgewise.ingest.klaviyo import parse_bulk
from edgewise.ingest.klaviyo_translation import Job, translate
from edgewise.model.imports import ImportedProfile
from edgewise.model.profiles import Coordinates, Location, Profile
from tests.ingest.requests import NOW_MS, block, bulk, event, metric_of, person
from tests.serving import Server, performed, ruleset_of, run, track


def imported(*blocks: dict[str, Any], **job: Any) -> list[ImportedProfile]:
    """What the queue gets of a request."""
    parsed = parse_bulk(bulk(*blocks), NOW_MS)
    assert parsed.problems == ()
    members = {"id": "job", "revision": "2026-07-15", "arrival_ms": NOW_MS, **job}
    return translate(parsed.blocks, Job(**members))


def events_of(*blocks: dict[str, Any], **job: Any) -> list[dict[str, Any]]:
    """The events of a request, one after the other."""
    return [json.loads(raw) for one in imported(*blocks, **job) for raw in one.events]


def tracks_of(*events: dict[str, Any], **job: Any) -> list[dict[str, Any]]:
    """The track events of one person's block."""
    return [one for one in events_of(block(*events), **job) if one["type"] == "track"]


def identify_of(**members: Any) -> dict[str, Any]:
    """The identify event of a person."""
    (made,) = events_of(block(profile=person(**members)))
    assert made["type"] == "identify"
    return made


def location_of(**members: Any) -> dict[str, Any]:
    (made,) = events_of(block(profile=person(_kx="x", location=members)))
    found: dict[str, Any] = made["context"].get("location", {})
    return found


def test_person_and_event() -> None:
    """A person is identified, and then does what they did."""
    profile = person(external_id="e", email="Ann@b.example", anonymous_id="a", locale="de-DE")
    made = event("Placed Order", properties={"n": 1}, time="2026-01-02T03:04:05Z", value=2)
    identify, placed = events_of(block(made, profile=profile))
    context = {
        "app": {"name": "klaviyo"},
        "library": {"name": "klaviyo-bulk", "version": "2026-07-15"},
        "locale": "de-DE",
    }
    assert identify == {
        "type": "identify",
        "channel": "server",
        "messageId": identify["messageId"],
        "timestamp": "2026-09-21T14:13:20.000Z",
        "context": context,
        "anonymousId": "a",
        "userId": "e",
        "traits": {"email": "Ann@b.example", "locale": "de-DE"},
    }
    assert placed == {
        "type": "track",
        "channel": "server",
        "messageId": placed["messageId"],
        "timestamp": "2026-01-02T03:04:05.000Z",
        "context": context,
        "anonymousId": "a",
        "event": "Placed Order",
        "properties": {"n": 1, "$value": 2},
    }


def test_names() -> None:
    """The queue gets all names of a person, the one that says most first."""
    (one,) = imported(block(profile=person(email="Ann@b.example", external_id="e")))
    assert one.names == ("e", "email:ann@b.example")
    assert one.merges is False
    assert imported(block(event()), merges=True)[0].merges is True


def test_traits() -> None:
    """Attributes become traits of the same name and beat properties; properties become traits."""
    made = identify_of(
        email="a@b.example",
        phone_number="+49123",
        first_name="Ann",
        title="CTO",
        location={"address1": "Street 1", "address2": "4th floor"},
        properties={"first_name": "Anna", "plan": {"name": "pro"}, "none": None},
    )
    assert made["traits"] == {
        "first_name": "Ann",
        "plan": {"name": "pro"},
        "none": None,
        "title": "CTO",
        "email": "a@b.example",
        "phone": "+49123",
        "address1": "Street 1",
        "address2": "4th floor",
    }


def test_identifiers_are_no_traits() -> None:
    """Who is known by other identifiers alone has no traits, and is not identified."""
    profile = person(id="k", external_id="e", anonymous_id="a", _kx="x")
    assert [one["type"] for one in events_of(block(event(), profile=profile))] == ["track"]
    assert imported(block(profile=profile)) == []


@pytest.mark.parametrize(
    ("members", "merges", "user_id"),
    [
        pytest.param({"external_id": "e"}, False, "e", id="first-name"),
        pytest.param({"external_id": "e", "id": "k"}, False, None, id="another-name-is-first"),
        pytest.param({"external_id": "e", "id": "k"}, True, "e", id="merging"),
        pytest.param({"email": "a"}, True, None, id="none"),
    ],
)
def test_user_id(members: dict[str, Any], user_id: str | None, *, merges: bool) -> None:
    """The external id is the user id, where this cannot merge profiles against the settings."""
    made, *_ = events_of(block(profile=person(title="x", **members)), merges=merges)
    assert made.get("userId") == user_id


def test_patch() -> None:
    """Changes of lists and removals are handed on."""
    patch = {"append": {"likes": ["a"]}, "unappend": {"dislikes": "a"}, "unset": "gone"}
    made = identify_of(_kx="x", meta={"patch_properties": patch})
    assert made["traits"] == {}
    assert made["traitPatch"] == {**patch, "unset": ["gone"]}


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        pytest.param(
            {"country": "Germany"},
            {"country": "Germany", "countryCode": "DE", "continent": "EU"},
            id="country-name",
        ),
        pytest.param(
            {"country": "us"},
            {"country": "United States", "countryCode": "US", "continent": "NA"},
            id="country-code",
        ),
        pytest.param({"country": "Utopia"}, {"country": "Utopia"}, id="unknown-country"),
        pytest.param({"region": "CA"}, {"region": "CA", "regionCode": "CA"}, id="region-code"),
        pytest.param({"region": "Bavaria"}, {"region": "Bavaria"}, id="region-name"),
        pytest.param(
            {"city": "Oslo", "zip": "0150", "timezone": "Europe/Oslo"},
            {"city": "Oslo", "postalCode": "0150", "timezone": "Europe/Oslo"},
            id="texts",
        ),
        pytest.param(
            {"latitude": "59.9", "longitude": 10},
            {"coordinates": {"latitude": 59.9, "longitude": 10}},
            id="coordinates",
        ),
        pytest.param({"latitude": 59.9}, {}, id="half-coordinates"),
        pytest.param({"latitude": "<string>", "longitude": "<string>"}, {}, id="no-numbers"),
        pytest.param({"ip": "192.0.2.1"}, {}, id="address-alone"),
    ],
)
def test_location(sent: dict[str, Any], known: dict[str, Any]) -> None:
    """What is given of a location is handed on, and an IP address is not."""
    if known:
        assert location_of(**sent) == known
    else:
        assert imported(block(profile=person(_kx="x", location=sent))) == []


def test_location_comes_once() -> None:
    """The first event of a block brings the location, whatever its type."""
    profile = person(_kx="x", location={"city": "Oslo"})
    first, second = events_of(block(event(), event("b"), profile=profile))
    assert first["context"]["location"] == {"city": "Oslo"}
    assert "location" not in second["context"]


def test_value_and_service() -> None:
    """Value, currency and service stand beside the properties, which keep their own names."""
    (made,) = tracks_of(
        event(
            properties={"value": 1, "$extra": {"a": 1}, "$value": 3},
            value=2.5,
            value_currency="EUR",
            metric=metric_of("Placed Order", service="shop"),
        )
    )
    assert made["properties"] == {
        "value": 1,
        "$extra": {"a": 1},
        "$value": 2.5,
        "$value_currency": "EUR",
        "$service": "shop",
    }


def test_events_are_in_order_of_time() -> None:
    """Events of a person follow each other in time, those of one time as they were sent."""
    made = tracks_of(
        event("now"),
        event("late", time="2026-03-01T00:00:00Z"),
        event("early", time="2026-01-01T00:00:00Z"),
        event("late too", time="2026-03-01T00:00:00Z"),
    )
    assert [one["event"] for one in made] == ["early", "late", "late too", "now"]


def test_time_before_the_engines() -> None:
    """An event from before the year 2000 stays the oldest, and keeps its time beside that."""
    (made,) = tracks_of(event(time="1995-01-01T00:00:00Z"))
    assert made["timestamp"] == "2000-01-01T00:00:00.000Z"
    assert made["originalTimestamp"] == "1995-01-01T00:00:00.000Z"


def test_backfill_is_noted() -> None:
    """An event that is filled in later says so in its context."""
    told, other = tracks_of(event(backfill=True), event("b"))
    assert told["context"]["backfill"] is True
    assert "backfill" not in other["context"]


def ids_of(*events: dict[str, Any], **job: Any) -> list[str]:
    return [one["messageId"] for one in tracks_of(*events, **job)]


TIME = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("attributes", "is_same"),
    [
        pytest.param({"unique_id": "u"}, True, id="unique-id"),
        pytest.param({"unique_id": "u", "time": TIME}, True, id="unique-id-and-time"),
        pytest.param({"time": TIME}, True, id="time"),
        pytest.param({}, False, id="neither"),
    ],
)
def test_request_that_is_sent_again(attributes: dict[str, Any], *, is_same: bool) -> None:
    """The same request again has the same messages where an event tells which one it is."""
    made = event(**attributes)
    assert (ids_of(made, id="1") == ids_of(made, id="2")) is is_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(event(unique_id="u"), event(unique_id="v"), id="unique-id"),
        pytest.param(event("a", unique_id="u"), event("b", unique_id="u"), id="metric"),
        pytest.param(event(time=TIME), event("b", time=TIME), id="metric-and-time"),
        pytest.param(event(time=TIME), event(time="2026-01-01T00:00:01Z"), id="time"),
        pytest.param(event(time=TIME), event(time=TIME, value=1), id="value"),
        pytest.param(event(time=TIME), event(time=TIME), id="nothing-but-the-place"),
        pytest.param(event(), event(), id="nothing-at-all"),
    ],
)
def test_different_events_are_different_messages(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Two events of a request that are not declared the same are two messages."""
    assert len(set(ids_of(one, other))) == 2


def test_unique_id_holds_for_other_identifiers() -> None:
    """Who sends the same event with fewer identifiers of the person sends the same message."""
    made = event(unique_id="u")
    full = events_of(block(made, profile=person(external_id="e", anonymous_id="a")))
    assert full[-1]["messageId"] == events_of(block(made, profile=person(_kx="x")))[-1]["messageId"]


# What becomes of it.


async def receive(server: Server, *blocks: dict[str, Any], **job: Any) -> None:
    """Put a request into the queue of a server and apply it."""
    profiles = imported(*blocks, **job)
    assert await server.service.enqueue_import("org", "main", profiles)
    worker = server.service.import_worker
    assert worker is not None
    while await worker.step():
        pass


def test_profile_after_a_request() -> None:
    """A request leaves traits, location and tallies, under every name, and opens no session."""

    async def scenario() -> Profile:
        server = Server(ruleset_of(performed("Placed Order", 2)))
        profile = person(
            external_id="e",
            email="Ann@b.example",
            properties={"likes": ["a"]},
            location={"city": "Oslo", "country": "NO", "latitude": "59.9", "longitude": "10.7"},
        )
        await receive(server, block(event(), event(), profile=profile))
        patch = {"patch_properties": {"append": {"likes": "b"}}}
        await receive(server, block(profile=person(email="ann@b.example", meta=patch)), id="2")
        outcome = await server.read("e")
        assert outcome.decision.audiences == ["Placed Order-2"]
        assert (await server.read("email:ann@b.example")).profile.id == outcome.profile.id
        return outcome.profile

    profile = run(scenario())
    assert profile.traits == {"likes": ["a", "b"], "email": "ann@b.example"}
    assert profile.location == Location(
        city="Oslo",
        country="Norway",
        country_code="NO",
        continent="EU",
        coordinates=Coordinates(59.9, 10.7),
    )
    assert profile.session.count == 0


def test_request_that_is_applied_again() -> None:
    """A request that is sent twice counts once where its events tell which ones they are."""

    async def scenario() -> list[str]:
        server = Server(ruleset_of(performed("Placed Order", 1), performed("Placed Order", 2)))
        for job in ("1", "2"):
            await receive(server, block(event(unique_id="u")), id=job)
        return (await server.read("email:ann@shop.example")).decision.audiences

    assert run(scenario()) == ["Placed Order-1"]


def test_traits_that_return() -> None:
    """A trait that is set back to what it was is so in the end, also within one request."""

    async def scenario() -> Any:
        server = Server()
        plans = [block(profile=person(_kx="x", properties={"plan": plan})) for plan in "aba"]
        await receive(server, *plans)
        return (await server.read("kx:x")).profile.traits["plan"]

    assert run(scenario()) == "a"


def test_session_of_a_visitor_stays() -> None:
    """What is reported about a visitor changes nothing about their session."""

    async def scenario() -> None:
        server = Server()
        visited = await server.profile("visitor", track("look"))
        profile = person(anonymous_id="visitor", external_id="e", title="CTO")
        await receive(server, block(event(time="2026-01-01T00:00:00Z"), event(), profile=profile))
        after = (await server.read("e")).profile
        assert after.id == visited.id
        assert after.session == visited.session
        assert after.traits == {"title": "CTO"}

    run(scenario())


@pytest.mark.parametrize("merges", [False, True], ids=["kept-apart", "merged"])
def test_identifiers_of_two_profiles(*, merges: bool) -> None:
    """Identifiers that lead to two profiles make them one only where that is set."""

    async def scenario() -> bool:
        server = Server()
        visitor = await server.profile("visitor", track("look"))
        known = await server.profile("e", track("look"))
        assert visitor.id != known.id
        profile = person(external_id="e", anonymous_id="visitor", title="CTO")
        await receive(server, block(event(), profile=profile), merges=merges)
        assert (await server.read("e")).profile.traits == {"title": "CTO"}
        return (await server.read("visitor")).profile.id == known.id

    assert run(scenario()) is merges
