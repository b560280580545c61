"""The published Python client of Klaviyo against a running server."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.ingest.requests import BLOCKS, block, bulk, event, person, single
from tests.ingestion.servers import request
from tests.klaviyo.conftest import Send
from tests.sdk.harness import ADMIN_TOKEN

PATIENCE_S = 30
PROFILES = "/v2/organizations/demo/environments/main/profiles"


def read(url: str, name: str) -> dict[str, Any] | None:
    """The profile under a name, or None."""
    port = int(url.rpartition(":")[2])
    status, answer = request(port, "GET", f"{PROFILES}/{quote(name, safe='')}")
    assert status in (200, 404)
    found: dict[str, Any] | None = answer["data"].get("profile")
    return found


def wait_for(url: str, name: str) -> dict[str, Any]:
    """The profile under a name, once everything that was sent is applied.

    A name may lead to its profile a moment before the events are in it.
    """
    wait_until_applied(url)
    deadline_s = time.monotonic() + PATIENCE_S
    while (profile := read(url, name)) is None:
        assert time.monotonic() < deadline_s, f"{name} never came"
        time.sleep(0.05)
    return profile


def wait_until_applied(url: str) -> None:
    """Return once nothing waits in the import queue."""
    port = int(url.rpartition(":")[2])
    deadline_s = time.monotonic() + PATIENCE_S
    while request(port, "GET", "/health", admin_token=ADMIN_TOKEN)[1]["imports"]["waiting"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def errors_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors that a call came to, each of which the client can read."""
    found: list[dict[str, Any]] = answer["body"]["errors"]
    for error in found:
        assert error.keys() >= {"id", "code", "title", "detail", "source"}
    return found


def test_bulk(send: Send, server_url: str) -> None:
    """Events in bulk make a profile with its traits, location and audiences, under every name."""
    profile = person(
        external_id="customer-1",
        email="Ann@Shop.example",
        first_name="Ann",
        properties={"plan": "pro"},
        location={"city": "Oslo", "country": "Norway", "latitude": "59.9", "longitude": "10.7"},
    )
    orders = [event("purchase", properties={"total": 200}, value=200) for _ in range(2)]
    answer = send(bulk(block(*orders, profile=profile)))
    assert (answer["error"], answer["status"], answer["body"]) == (None, 202, "")
    made = wait_for(server_url, "customer-1")
    assert made["traits"] == {"email": "Ann@Shop.example", "first_name": "Ann", "plan": "pro"}
    assert made["location"]["countryCode"] == "NO"
    assert made["location"]["coordinates"] == {"latitude": 59.9, "longitude": 10.7}
    assert made["session"]["isReturningVisitor"] is False
    assert "big-spenders" in made["audiences"]
    assert wait_for(server_url, "email:ann@shop.example") == made


def test_bulk_again(send: Send, server_url: str) -> None:
    """What is sent again counts once; patches of lists and removals arrive."""
    first = person(external_id="again", properties={"likes": ["a"], "gone": 1})
    patch = {"append": {"likes": ["b"]}, "unset": "gone"}
    second = person(external_id="again", meta={"patch_properties": patch})
    order = event("purchase", properties={"total": 200}, unique_id="order")
    for profile in (first, second, second):
        assert send(bulk(block(order, profile=profile)))["status"] == 202
    wait_until_applied(server_url)
    made = wait_for(server_url, "again")
    assert made["traits"] == {"likes": ["a", "b"]}
    assert "big-spenders" not in made["audiences"]


def test_single(send: Send, server_url: str) -> None:
    """One event makes a profile too."""
    profile = person(anonymous_id="visitor-1", phone_number="+4912345678", title="CTO")
    answer = send(single(profile, name="purchase"), method="single")
    assert (answer["error"], answer["status"]) == (None, 202)
    made = wait_for(server_url, "phone:+4912345678")
    assert made["traits"] == {"phone": "+4912345678", "title": "CTO"}
    assert wait_for(server_url, "visitor-1")["id"] == made["id"]


def test_refusal(send: Send, server_url: str) -> None:
    """One wrong event refuses the whole request, and its block and place are told."""
    body = bulk(
        block(event("purchase"), profile=person(external_id="refused")),
        block(event("purchase", time="1980-01-01T00:00:00Z")),
    )
    answer = send(body, retries=3)
    assert (answer["error"], answer["status"]) == ("BadRequestException", 400)
    (error,) = errors_of(answer)
    assert error["code"] == "invalid"
    assert error["source"]["pointer"] == f"{BLOCKS}/1/attributes/events/data/0/attributes/time"
    assert answer["attempts"] == 1
    wait_until_applied(server_url)
    assert read(server_url, "refused") is None


@pytest.mark.parametrize(
    ("key", "error", "status", "code"),
    [
        pytest.param("pk_wrong", "UnauthorizedException", 401, "not_authenticated", id="wrong"),
        pytest.param("pk_read", "ForbiddenException", 403, "permission_denied", id="no-scope"),
    ],
)
def test_key(send: Send, key: str, error: str, status: int, code: str) -> None:
    """A key that is not known, or not for events, is refused at once."""
    answer = send(bulk(block(event())), key=key, retries=3)
    assert (answer["error"], answer["status"], answer["attempts"]) == (error, status, 1)
    assert [one["code"] for one in errors_of(answer)] == [code]


def test_unavailable(send: Send) -> None:
    """What cannot be kept now is sent again by the client."""
    answer = send(bulk(block(event())), key="pk_lost", retries=2)
    assert (answer["error"], answer["status"]) == ("ServiceException", 503)
    assert answer["attempts"] == 2


def test_throttled(send_limited: Send) -> None:
    """Over the limit of a minute the client is told, in whole seconds, when to come again."""
    # Three requests lie in at most two minutes, of which each takes one.
    answers = [send_limited(single(), method="single", retries=1) for _ in range(3)]
    taken = [answer for answer in answers if not answer["error"]]
    refused = [answer for answer in answers if answer["error"]]
    assert taken
    assert taken[0]["headers"]["ratelimit-limit"] == "1"
    assert refused
    assert refused[0]["status"] == 429
    assert 1 <= int(refused[0]["headers"]["retry-after"]) <= 60
    assert [error["code"] for error in errors_of(refused[0])] == ["throttled"]


def test_client_waits(send_limited: Send) -> None:
    """A client that is throttled comes again when it was told to, and is taken then."""
    answers = [send_limited(bulk(block(event())), method="bulk", retries=5) for _ in range(3)]
    assert [answer["status"] for answer in answers] == [202, 202, 202]
    # After the time that it was told, the very next attempt is taken.
    assert all(answer["attempts"] <= 2 for answer in answers)
    assert any(answer["attempts"] == 2 for answer in answers)
