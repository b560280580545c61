"""One visitor stays one profile through the published SDKs: merges, old ids, names, sticky views.

The Node SDK's own calls go to the batch route, which is tested where that is; here its inherited
client is used like the browser's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from edgewise.sources.files import load_rules
from tests.sdk.harness import (
    ENVIRONMENT,
    ORGANIZATION,
    RULES,
    Bridge,
    as_read_by_the_sdk,
    run_driver,
)

SALE = {
    "url": "https://shop.example.com/sale",
    "referrer": "",
    "locale": "en-GB",
    "userAgent": "Test Browser/1.0",
    "document": {"title": "Sale"},
}
START_MS = 1_760_000_000_000
MINUTE_MS = 60_000
STICKY = "sale-banner"

Answer = dict[str, Any]


class Device:
    """One device that uses the API client of one package."""

    def __init__(self, bridge: Bridge, package: str) -> None:
        self._bridge = bridge
        self._package = package
        self._at_ms = START_MS

    def event(self, kind: str, **data: Any) -> dict[str, Any]:
        """An event that the SDK builds, a minute after the one before."""
        self._at_ms += MINUTE_MS
        common = {"messageId": str(uuid4()), "timestamp": self._at_ms, "ctx": SALE}
        return self._bridge.event(kind, **common, **data)

    def create(self, **options: Any) -> Answer:
        """What `createProfile` answers for a page view."""
        events = [self.event("page", properties={})]
        return self._answer("createProfile", {"events": events}, options)

    def update(self, profile_id: str, *events: dict[str, Any], **options: Any) -> Answer:
        """What `updateProfile` answers for some events."""
        return self._answer("updateProfile", {"profileId": profile_id, "events": events}, options)

    def identify(self, profile_id: str, user_id: str, **traits: Any) -> Answer:
        """What `updateProfile` answers for an identification."""
        return self.update(profile_id, self.event("identify", userId=user_id, traits=traits))

    def get(self, profile_id: str) -> Answer:
        """What `getProfile` answers."""
        return self._answer("getProfile", profile_id)

    def status_of(self, profile_id: str) -> int:
        """The status that `getProfile` got."""
        call = self._bridge.call(self._package, ENVIRONMENT, "getProfile", profile_id)
        status: int = call.exchange["status"]
        return status

    def _answer(self, method: str, *arguments: Any) -> Answer:
        call = self._bridge.call(self._package, ENVIRONMENT, method, *arguments)
        assert call.error is None, f"{call.error}: {call.exchange}"
        assert call.value == as_read_by_the_sdk(call.received["data"])
        answer: Answer = call.value
        return answer


@pytest.fixture(params=["shared", "node"])
def new_device(bridge: Bridge, request: pytest.FixtureRequest) -> Callable[[], Device]:
    """Makes devices that use the browser's shared package, or the Node package."""
    return lambda: Device(bridge, request.param)


def id_of(answer: Answer) -> str:
    profile_id: str = answer["profile"]["id"]
    return profile_id


def test_user_id_is_a_name_of_the_profile(new_device: Callable[[], Device]) -> None:
    """After the first identification the user id reads and updates the profile, whose id stays."""
    device, user_id = new_device(), str(uuid4())
    profile_id = id_of(device.create())
    assert device.status_of(user_id) == 404
    assert id_of(device.identify(profile_id, user_id, plan="pro")) == profile_id
    assert id_of(device.get(user_id)) == profile_id
    updated = device.update(user_id, device.event("track", event="buy", properties={}))
    assert updated == device.get(profile_id)
    assert updated["profile"]["traits"] == {"plan": "pro"}


def test_two_devices_of_one_user_become_one(new_device: Callable[[], Device]) -> None:
    """The second device's identification answers the first one's profile, with what both knew, and
    the second device's old id leads there from then on."""
    phone, laptop, user_id = new_device(), new_device(), str(uuid4())
    first, second = phone.create(), laptop.create()
    phone.identify(id_of(first), user_id, plan="pro")
    laptop.identify(id_of(second), "", colour="red")
    merged = laptop.identify(id_of(second), user_id, size="m")
    assert merged["profile"]["id"] == id_of(first) != id_of(second)
    assert merged["profile"]["stableId"] == first["profile"]["stableId"]
    assert merged["profile"]["random"] == first["profile"]["random"]
    assert merged["profile"]["traits"] == {"plan": "pro", "colour": "red", "size": "m"}
    assert merged["profile"]["session"]["count"] == 2
    for profile_id in (id_of(first), id_of(second), user_id):
        assert phone.get(profile_id) == merged
    page = laptop.event("page", properties={})
    assert id_of(laptop.update(id_of(second), page)) == id_of(first)


@pytest.mark.parametrize("known", ["id", "name"])
def test_identification_by_an_own_id_changes_nothing(
    new_device: Callable[[], Device], known: str
) -> None:
    """A visitor who is identified by the profile's id, or by its name again, stays who it was."""
    device, user_id = new_device(), str(uuid4())
    profile_id = id_of(device.create())
    before = device.identify(profile_id, user_id)
    after = device.identify(profile_id, profile_id if known == "id" else user_id)
    assert id_of(after) == profile_id
    assert after["profile"]["session"]["id"] == before["profile"]["session"]["id"]
    assert after["profile"]["session"]["count"] == 1


def test_resent_identification_merges_once(bridge: Bridge) -> None:
    """A client that never saw the answer to a merge sends the same again to the old id, and
    nothing counts twice."""
    phone, laptop = Device(bridge, "shared"), Device(bridge, "shared")
    user_id = str(uuid4())
    first, second = phone.create(), laptop.create()
    phone.identify(id_of(first), user_id)
    event = laptop.event("identify", userId=user_id, traits={"plan": "pro"})
    once = laptop.update(id_of(second), event)
    assert laptop.update(id_of(second), event) == once


def test_variants_survive_a_merge(bridge: Bridge) -> None:
    """The owner's variants stay what they were when another device joins."""
    phone, laptop, user_id = Device(bridge, "shared"), Device(bridge, "shared"), str(uuid4())
    first = phone.create()
    joined = laptop.create()
    before = phone.identify(id_of(first), user_id)
    after = laptop.identify(id_of(joined), user_id)
    chosen = {one["experienceId"]: one["variantIndex"] for one in after["experiences"]}
    for experience in before["experiences"]:
        assert chosen[experience["experienceId"]] == experience["variantIndex"]


def test_seen_variant_is_pinned(new_device: Callable[[], Device]) -> None:
    """The view of a sticky experience's component pins the variant that was seen first, which
    later views and preflights do not change."""
    device = new_device()
    answer = device.create()
    profile_id = id_of(answer)
    allocated = variant_of(answer)
    count = variants_of_the_sticky_experience()
    others = [index for index in range(count) if index != allocated]

    def view(index: int) -> dict[str, Any]:
        ids = {"componentId": "sale-banner", "experienceId": STICKY, "variantIndex": index}
        return device.event("component", **ids)

    assert variant_of(device.update(profile_id, view(others[0]), preflight=True)) == allocated
    assert variant_of(device.update(profile_id, view(count))) == allocated
    assert variant_of(device.update(profile_id, view(others[0]))) == others[0]
    assert variant_of(device.update(profile_id, view(allocated))) == others[0]
    assert variant_of(device.get(profile_id)) == others[0]


def variant_of(answer: Answer) -> int:
    """The variant index of the sticky experience."""
    (experience,) = (one for one in answer["experiences"] if one["experienceId"] == STICKY)
    assert experience["sticky"] is True
    index: int = experience["variantIndex"]
    return index


def variants_of_the_sticky_experience() -> int:
    ruleset = load_rules(RULES)[ORGANIZATION, ENVIRONMENT]
    (served,) = (one for one in ruleset.experiences if one.experience.id == STICKY)
    return len(served.selected)


def test_browser_follows_the_answered_id(server_url: str, bridge: Bridge) -> None:
    """The browser SDK that is identified as a known user goes on with the owner's id, also on its
    next visit."""
    phone, user_id = Device(bridge, "shared"), str(uuid4())
    owner_id = id_of(phone.create())
    phone.identify(owner_id, user_id, plan="pro")
    given = {"url": server_url, "clientId": ORGANIZATION, "environment": ENVIRONMENT}

    def visit(stored: dict[str, Any], *steps: dict[str, Any]) -> list[Any]:
        request = {**given, "steps": list(steps), "stored": stored}
        seen: list[Any] = run_driver("browser.js", request)
        return seen

    page = {"method": "page", "arguments": []}
    login = {"method": "identify", "arguments": [user_id, {"colour": "red"}]}
    first, second = visit({}, page, login)
    assert id_of(first["state"]) != owner_id
    assert id_of(second["state"]) == owner_id
    assert second["state"]["profile"]["traits"] == {"plan": "pro", "colour": "red"}
    assert second["stored"]["__nt_anonymous_id__"] == owner_id
    (later,) = visit(second["stored"], page)
    assert later["exchanges"][0]["url"].endswith(f"/profiles/{owner_id}")
    assert id_of(later["state"]) == owner_id


def test_deleted_profile_is_unknown_by_every_name(server_url: str, bridge: Bridge) -> None:
    """After a deletion the SDK finds nothing by any id or name, and a new visit starts anew."""
    phone, laptop, user_id = Device(bridge, "shared"), Device(bridge, "shared"), str(uuid4())
    first, second = phone.create(), laptop.create()
    phone.identify(id_of(first), user_id, plan="pro")
    laptop.identify(id_of(second), user_id)
    path = f"/v2/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/profiles/{user_id}"
    request = Request(f"{server_url}{path}", method="DELETE")
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    for name in (id_of(first), id_of(second), user_id):
        assert phone.status_of(name) == 404
    again = phone.update(id_of(first), phone.event("page", properties={}))
    assert again["profile"]["traits"] == {}
    assert again["profile"]["session"]["count"] == 1
    assert phone.status_of(user_id) == 404
