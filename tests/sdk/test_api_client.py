"""The API clients of the published SDK packages work against the server unchanged.

A call counts as answered only when the SDK's own validation accepted the answer, in the version
that sent it and in the other one.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from tests.sdk.harness import ENVIRONMENT, Bridge, Call, as_read_by_the_sdk

HEX_ID = re.compile(r"[0-9a-f]{64}")
TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

CONTEXT = {
    "url": "https://shop.example.com/shoes?utm_source=newsletter&colour=red",
    "referrer": "https://search.example.com/",
    "locale": "de-DE",
    "userAgent": "Test Browser/1.0",
    "document": {"title": "Shoes"},
}
START_MS = 1_760_000_000_000


class Client:
    """One visitor's view of one package's API client."""

    def __init__(self, bridge: Bridge, package: str, environment: str = ENVIRONMENT) -> None:
        self._bridge = bridge
        self._package = package
        self._environment = environment
        self._sent = 0

    def event(self, kind: str, **data: Any) -> dict[str, Any]:
        """An event one second after the one before."""
        self._sent += 1
        timestamp = START_MS + 1000 * self._sent
        common = {"messageId": str(uuid4()), "timestamp": timestamp, "ctx": CONTEXT}
        return self._bridge.event(kind, **common, **data)

    def page(self, **data: Any) -> dict[str, Any]:
        """A page event."""
        return self.event("page", properties={}, **data)

    def call(self, method: str, *arguments: Any) -> Call:
        """Call a method and say what it threw, if it did."""
        return self._bridge.call(self._package, self._environment, method, *arguments)

    def answer(self, method: str, *arguments: Any) -> Any:
        """What a method resolved to."""
        call = self.call(method, *arguments)
        assert call.error is None, f"{call.error}: {call.exchange}"
        return call.value

    def create(self, *events: dict[str, Any], **options: Any) -> Any:
        """What `createProfile` answers for the events, or for one page event."""
        return self.answer("createProfile", {"events": events or [self.page()]}, options)

    def update(self, profile_id: str, *events: dict[str, Any], **options: Any) -> Any:
        """What `updateProfile` answers for the events."""
        return self.answer("updateProfile", {"profileId": profile_id, "events": events}, options)


@pytest.fixture(params=["shared", "node"])
def client(bridge: Bridge, request: pytest.FixtureRequest) -> Client:
    """The client of the browser's shared package, and that of the Node package."""
    return Client(bridge, request.param)


def test_create_profile_answers_a_new_visitor(client: Client) -> None:
    """`createProfile` gives an id of 64 hex characters and a first session on the event's page."""
    profile = client.create()["profile"]
    assert HEX_ID.fullmatch(profile["id"])
    assert profile["stableId"] == profile["id"]
    assert profile["session"]["count"] == 1
    assert profile["session"]["isReturningVisitor"] is False
    assert profile["session"]["landingPage"] == {
        "path": "/shoes",
        "query": {"utm_source": "newsletter", "colour": "red"},
        "referrer": "https://search.example.com/",
        "search": "?utm_source=newsletter&colour=red",
        "url": CONTEXT["url"],
    }


def test_answer_is_exactly_what_the_sdk_knows(client: Client) -> None:
    """The SDK's validation, which strips what it does not know, has nothing to strip."""
    call = client.call("createProfile", {"events": [client.page()]})
    assert call.value == as_read_by_the_sdk(call.received["data"])
    assert call.received["error"] is None
    assert call.received["message"] == "ok"


def test_update_profile_with_each_kind_of_event(client: Client) -> None:
    """Page, track and identify events update one profile inside one session."""
    created = client.create()["profile"]
    session = created["session"]
    for event in (
        client.page(),
        client.event("track", event="add_to_cart", properties={"sku": "X", "price": 9.5}),
        client.event("identify", userId="", traits={"plan": "pro", "seats": 3}),
    ):
        profile = client.update(created["id"], event)["profile"]
        assert profile["id"] == created["id"]
        assert profile["stableId"] == created["stableId"]
        assert profile["random"] == created["random"]
        assert profile["session"]["id"] == session["id"]
    assert profile["traits"] == {"plan": "pro", "seats": 3}
    assert profile["session"]["activeSessionLength"] == 3


def test_get_profile_answers_the_last_state(client: Client) -> None:
    """`getProfile` answers what the last update answered, experiences and changes included."""
    profile_id = client.create()["profile"]["id"]
    identify = client.event("identify", userId="", traits={"plan": "pro"})
    updated = client.update(profile_id, identify)
    assert client.answer("getProfile", profile_id) == updated


def test_upsert_profile_creates_then_updates(client: Client) -> None:
    """`upsertProfile` makes a profile without an id, and updates it with the answered one."""
    first = client.answer("upsertProfile", {"events": [client.page()]}, {})["profile"]
    again = {"profileId": first["id"], "events": [client.page()]}
    second = client.answer("upsertProfile", again, {})["profile"]
    assert second["id"] == first["id"]
    assert second["session"]["activeSessionLength"] == 1


def test_unknown_id_is_created(client: Client) -> None:
    """An update of an id that the caller made up creates a profile that the id leads to."""
    made_up = str(uuid4())
    profile = client.update(made_up, client.page())["profile"]
    assert client.answer("getProfile", made_up)["profile"]["id"] == profile["id"]


def test_preflight_keeps_its_identity(client: Client) -> None:
    """A preflight stores nothing; its id becomes the profile's id and allocation key later."""
    tried = client.create(preflight=True)
    profile_id = tried["profile"]["id"]
    unknown = client.call("getProfile", profile_id)
    assert unknown.exchange["status"] == 404
    real = client.update(profile_id, client.page())
    assert real["profile"]["id"] == profile_id
    assert real["profile"]["stableId"] == tried["profile"]["stableId"]
    assert real["experiences"] == tried["experiences"]
    assert real["changes"] == tried["changes"]


def test_preflight_update_stores_nothing(client: Client) -> None:
    """A preflight update answers the new state and leaves the stored one as it was."""
    profile_id = client.create()["profile"]["id"]
    before = client.answer("getProfile", profile_id)
    identify = client.event("identify", userId="", traits={"plan": "pro"})
    tried = client.update(profile_id, identify, preflight=True)
    assert tried["profile"]["traits"] == {"plan": "pro"}
    assert client.answer("getProfile", profile_id) == before


def test_location_of_the_context(client: Client) -> None:
    """The location that an event's context states is the profile's location."""
    location = {
        "coordinates": {"latitude": 52.52437, "longitude": 13.41053},
        "city": "Berlin",
        "postalCode": "10119",
        "region": "Land Berlin",
        "regionCode": "BE",
        "country": "Germany",
        "countryCode": "DE",
        "continent": "EU",
        "timezone": "Europe/Berlin",
    }
    profile = client.create(client.page(location=location))["profile"]
    assert profile["location"] == location


def test_impossible_country_code_is_left_out(client: Client) -> None:
    """A country code that the SDK's validation refuses never comes back to it."""
    profile = client.create(client.page(location={"city": "Nowhere", "countryCode": "XX"}))
    assert profile["profile"]["location"] == {"city": "Nowhere"}


@pytest.mark.parametrize(
    ("plain_text", "content_type"),
    [
        pytest.param(True, "text/plain", id="text"),
        pytest.param(False, "application/json", id="json"),
    ],
)
def test_content_type_does_not_matter(client: Client, plain_text: bool, content_type: str) -> None:
    """A body is read as JSON whether it is sent as text or as JSON."""
    options = {"plainText": plain_text}
    call = client.call("createProfile", {"events": [client.page()]}, options)
    assert call.error is None
    assert call.exchange["contentType"] == content_type
    assert call.value["profile"]["session"]["landingPage"]["path"] == "/shoes"


def test_options_of_the_sdk_are_accepted(client: Client) -> None:
    """Features, a locale and a forced IP address are taken as the SDK sends them."""
    features = ["ip-enrichment", "location"]
    answer = client.create(enabledFeatures=features, locale="en-US", ip="203.0.113.7")
    assert HEX_ID.fullmatch(answer["profile"]["id"])


def assert_refused(call: Call, status: int, code: str) -> None:
    """The SDK threw, naming status and trace, and the answer has the documented envelope."""
    assert call.error is not None
    assert f"[{status}]" in call.error
    assert TRACEPARENT.fullmatch(call.exchange["traceparent"])
    assert call.exchange["traceparent"] in call.error
    assert call.exchange["status"] == status
    assert set(call.received) == {"message", "data", "error"}
    assert call.received["data"] == {}
    assert call.received["error"]["code"] == code
    assert call.received["message"]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        pytest.param("createProfile", {"events": []}, id="create"),
        pytest.param("updateProfile", {"profileId": "v", "events": []}, id="update"),
        pytest.param("getProfile", "v", id="get"),
    ],
)
def test_unknown_environment(bridge: Bridge, method: str, arguments: object) -> None:
    """An environment that is not served is a 404, before anything else is looked at."""
    call = Client(bridge, "shared", environment="nowhere").call(method, arguments)
    assert_refused(call, 404, "ERR_CONFIG_NOT_FOUND")


def test_unknown_profile(client: Client) -> None:
    """`getProfile` of an id that leads nowhere is a 404."""
    assert_refused(client.call("getProfile", "0" * 64), 404, "ERR_PROFILE_NOT_FOUND")


def test_invalid_locale(client: Client) -> None:
    """A locale that is no language tag is a 400."""
    call = client.call("createProfile", {"events": [client.page()]}, {"locale": "not a locale!"})
    assert_refused(call, 400, "ERR_INVALID_DATA")


def test_no_events(client: Client) -> None:
    """A request without an event is a 400."""
    assert_refused(client.call("createProfile", {"events": []}), 400, "ERR_INVALID_DATA")


def test_invalid_event(client: Client) -> None:
    """An event whose traits are no object is a 400 that names the place."""
    event = client.event("identify", userId="", traits=["pro"])
    call = client.call("createProfile", {"events": [event]})
    assert_refused(call, 400, "ERR_INVALID_DATA")
    assert "events[0].traits" in call.received["message"]
