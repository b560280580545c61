"""The batch methods of the published SDK packages work against the server unchanged."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.sdk.harness import ENVIRONMENT, Bridge

START_MS = 1_760_000_000_000
CONTEXT = {"url": "", "referrer": "", "locale": "", "userAgent": ""}


def answer(bridge: Bridge, package: str, method: str, *arguments: Any) -> Any:
    """What a method resolved to."""
    call = bridge.call(package, ENVIRONMENT, method, *arguments)
    assert call.error is None, f"{call.error}: {call.exchange}"
    return call.value


def event(bridge: Bridge, kind: str, name: str, **data: Any) -> dict[str, Any]:
    """An event that the SDK builds, for a profile of a batch."""
    common = {"messageId": str(uuid4()), "timestamp": START_MS, "ctx": CONTEXT}
    return {**bridge.event(kind, **common, **data), "anonymousId": name}


def new_name() -> str:
    """A name that nobody has yet."""
    return f"customer-{uuid4()}"


@pytest.mark.parametrize("package", ["shared", "node"])
def test_upsert_many_profiles(bridge: Bridge, package: str) -> None:
    """`upsertManyProfiles` resolves to the profiles in the order of their first events."""
    one, other = new_name(), new_name()
    events = [
        event(bridge, "identify", one, userId=one, traits={"plan": "pro"}),
        event(bridge, "track", other, event="purchase", properties={}),
        event(bridge, "identify", one, userId="", traits={"seats": 3}),
    ]
    profiles = answer(bridge, package, "upsertManyProfiles", {"events": events})
    assert [profile["traits"] for profile in profiles] == [{"plan": "pro", "seats": 3}, {}]
    for name, profile in zip((one, other), profiles, strict=True):
        assert answer(bridge, package, "getProfile", name)["profile"]["id"] == profile["id"]


def test_upsert_many_is_sent_as_json(bridge: Bridge) -> None:
    """The SDK sends a batch as JSON to the batch route, and its validation strips nothing."""
    events = [event(bridge, "track", new_name(), event="purchase", properties={})]
    call = bridge.call("shared", ENVIRONMENT, "upsertManyProfiles", {"events": events})
    assert call.exchange["contentType"] == "application/json"
    assert call.exchange["url"].endswith("/events")
    assert call.received == {"data": {"profiles": call.value}, "error": None, "message": "ok"}


def test_as_many_profiles_as_are_allowed(bridge: Bridge) -> None:
    """50 profiles with 200 events are one batch; the SDK throws on one profile more."""
    names = [new_name() for _ in range(50)]
    built = event(bridge, "track", "", event="purchase", properties={})
    events = [{**built, "messageId": str(uuid4()), "anonymousId": name} for name in names * 4]
    profiles = answer(bridge, "shared", "upsertManyProfiles", {"events": events})
    assert len({profile["id"] for profile in profiles}) == 50
    events[-1]["anonymousId"] = new_name()
    call = bridge.call("shared", ENVIRONMENT, "upsertManyProfiles", {"events": events})
    assert call.error is not None
    assert "[400]" in call.error
    assert "events[199].anonymousId" in call.received["message"]


def test_preflight(bridge: Bridge) -> None:
    """A batch may be a preflight, which keeps nothing."""
    name = new_name()
    events = [event(bridge, "identify", name, userId="", traits={"plan": "pro"})]
    (profile,) = answer(
        bridge, "shared", "upsertManyProfiles", {"events": events}, {"preflight": True}
    )
    assert profile["traits"] == {"plan": "pro"}
    call = bridge.call("shared", ENVIRONMENT, "getProfile", name)
    assert call.exchange["status"] == 404


def test_node_identify_and_track(bridge: Bridge) -> None:
    """`sendIdentifyEvent` and `sendTrackEvent` of the Node package each resolve to one profile."""
    name = new_name()
    identified = answer(bridge, "node", "sendIdentifyEvent", name, {"plan": "pro"})
    assert identified["traits"] == {"plan": "pro"}
    tracked = answer(bridge, "node", "sendTrackEvent", name, "purchase", {"price": 9.5})
    assert tracked["id"] == identified["id"]
    assert tracked["traits"] == {"plan": "pro"}


def test_node_identify_merges(bridge: Bridge) -> None:
    """An identify event under another anonymous id joins that profile to the user's."""
    name, device = new_name(), new_name()
    answer(bridge, "node", "sendTrackEvent", "", "purchase", {}, {"anonymousId": device})
    owner = answer(bridge, "node", "sendIdentifyEvent", name, {"plan": "pro"})
    merged = answer(
        bridge, "node", "sendIdentifyEvent", name, {"seats": 3}, {"anonymousId": device}
    )
    assert merged["id"] == owner["id"]
    assert merged["traits"] == {"plan": "pro", "seats": 3}
