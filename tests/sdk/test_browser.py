"""The browser SDK, in a faked window, lives whole visits against the server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sdk.harness import ENVIRONMENT, ORGANIZATION, as_read_by_the_sdk, run_driver

PROFILES = f"/v2/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/profiles"


def step(method: str, *arguments: Any) -> dict[str, Any]:
    """One call of the browser SDK."""
    return {"method": method, "arguments": arguments}


def visit(url: str, steps: list[Any], stored: dict[str, Any] | None = None) -> list[Any]:
    """What the page sees after each step of a visit; a step may be several calls at once."""
    given = {"url": url, "clientId": ORGANIZATION, "environment": ENVIRONMENT}
    seen: list[Any] = run_driver("browser.js", {**given, "steps": steps, "stored": stored or {}})
    for moment in seen:
        assert moment["state"]["status"] == "success", moment
        assert all(result == {"success": True} for result in moment["results"])
    return seen


@pytest.fixture(scope="module")
def first_visit(server_url: str) -> list[Any]:
    """A page view, an action and a login of one new visitor."""
    return visit(
        server_url,
        [
            step("page"),
            step("track", "add_to_cart", {"sku": "X"}),
            step("identify", "", {"plan": "pro"}),
        ],
    )


def test_first_event_creates_and_later_ones_update(server_url: str, first_visit: list[Any]) -> None:
    """The SDK posts to the collection once, and from then on to the answered id."""
    (created,), *updates = (moment["exchanges"] for moment in first_visit)
    profile_id = created["received"]["data"]["profile"]["id"]
    assert created["url"] == f"{server_url}{PROFILES}"
    for (update,) in updates:
        assert update["url"] == f"{server_url}{PROFILES}/{profile_id}"


def test_answered_state_reaches_the_page(first_visit: list[Any]) -> None:
    """Profile, experiences and changes that a page reads are those of the last answer."""
    for moment in first_visit:
        answered = as_read_by_the_sdk(moment["exchanges"][-1]["received"]["data"])
        assert moment["state"] == {"status": "success", "error": None, **answered}


def test_id_is_kept_for_the_next_visit(first_visit: list[Any]) -> None:
    """The SDK stores the answered id, which is the same after each step."""
    ids = {moment["state"]["profile"]["id"] for moment in first_visit}
    assert {moment["stored"]["__nt_anonymous_id__"] for moment in first_visit} == ids
    assert len(ids) == 1


def test_visit_is_one_session_with_its_traits(first_visit: list[Any]) -> None:
    """All events of a visit belong to one session; the login's traits are there at its end."""
    assert len({moment["state"]["profile"]["session"]["id"] for moment in first_visit}) == 1
    assert first_visit[-1]["state"]["profile"]["traits"] == {"plan": "pro"}


def test_next_visit_finds_the_profile(server_url: str, first_visit: list[Any]) -> None:
    """A page that starts with the stored id continues the same profile."""
    before = first_visit[-1]
    (moment,) = visit(server_url, [step("page")], before["stored"])
    assert moment["state"]["profile"]["id"] == before["state"]["profile"]["id"]
    assert moment["state"]["profile"]["traits"] == {"plan": "pro"}


def test_calls_at_the_same_moment(server_url: str) -> None:
    """Calls that are made together arrive as one profile, whatever requests they travel in."""
    actions = [step("track", name) for name in ("one", "two", "three")]
    _, moment = visit(server_url, [step("page"), actions])
    sent = [
        event["event"] for exchange in moment["exchanges"] for event in exchange["sent"]["events"]
    ]
    assert sorted(sent) == ["one", "three", "two"]
    profiles = {exchange["received"]["data"]["profile"]["id"] for exchange in moment["exchanges"]}
    assert profiles == {moment["state"]["profile"]["id"]}
