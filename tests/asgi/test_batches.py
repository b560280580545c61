"""Batches and imports over HTTP."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.model.imports import ImportedProfile
from tests.asgi.fakes import BASE, FakeService

EVENTS: list[dict[str, Any]] = [
    {"type": "track", "event": "buy", "anonymousId": "b"},
    {"type": "identify", "userId": "a", "traits": {"plan": "pro"}},
    {"type": "track", "event": "look", "anonymousId": "b"},
]
PATHS = ["events", "events/", "import/events", "import/events/"]


def body_of(*events: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"events": events, **members}).encode()


def raw(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


@pytest.mark.parametrize("path", ["events", "events/", "events?locale=en-US"])
def test_batch(client: TestClient, service: FakeService, path: str) -> None:
    """A batch is answered with its profiles alone, in order, and names its ruleset."""
    answer = client.post(f"{BASE}/{path}", content=body_of(*EVENTS, options={}))
    assert answer.status_code == 200
    assert answer.headers["x-edgewise-ruleset"] == "digest"
    assert answer.headers["content-type"] == "application/json"
    envelope = answer.json()
    assert (envelope["error"], envelope["message"]) == (None, "ok")
    assert list(envelope["data"]) == ["profiles"]
    assert [profile["id"] for profile in envelope["data"]["profiles"]] == ["b", "a"]
    assert service.calls == [("batch", {"b": 2, "a": 1}, False)]


def test_batch_profile_is_that_of_an_update(client: TestClient) -> None:
    """A profile in the answer to a batch has the form that it has in every other answer."""
    (profile,) = client.post(f"{BASE}/events", content=body_of(EVENTS[0])).json()["data"][
        "profiles"
    ]
    single = client.post(f"{BASE}/profiles/b", content=body_of(EVENTS[0])).json()
    assert profile == single["data"]["profile"]


def test_batch_preflight(client: TestClient, service: FakeService) -> None:
    """A batch may be a preflight."""
    client.post(f"{BASE}/events?type=preflight", content=body_of(EVENTS[0]))
    assert service.calls == [("batch", {"b": 1}, True)]


@pytest.mark.parametrize("path", ["import/events", "import/events/"])
def test_import(client: TestClient, service: FakeService, path: str) -> None:
    """An import hands the events of each profile over as they came, and says only that it did."""
    answer = client.post(f"{BASE}/{path}", content=body_of(*EVENTS))
    assert answer.json() == {"data": {}, "error": None, "message": "ok"}
    ((_, organization, environment, profiles),) = service.calls
    assert (organization, environment) == ("org", "main")
    assert profiles == [
        ImportedProfile(("b",), (raw(EVENTS[0]), raw(EVENTS[2]))),
        ImportedProfile(("a",), (raw(EVENTS[1]),)),
    ]


def test_import_preflight(client: TestClient, service: FakeService) -> None:
    """An import that is a preflight is checked and not kept."""
    answer = client.post(f"{BASE}/import/events?type=preflight", content=body_of(EVENTS[0]))
    assert answer.status_code == 200
    assert service.calls == []


def test_unknown_environment(client: TestClient) -> None:
    """A batch for an unknown environment is a 404 whatever its body; an import is a 200."""
    other = BASE.replace("main", "nowhere")
    answer = client.post(f"{other}/events", content=b"{")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ERR_CONFIG_NOT_FOUND")
    assert client.post(f"{other}/import/events", content=body_of(*EVENTS)).status_code == 200
    assert client.post(f"{other}/import/events", content=b"{").status_code == 400


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"", "body", id="no-body"),
        pytest.param(b'{"events":{}}', "events", id="no-list"),
        pytest.param(b'{"events":[]}', "events", id="no-events"),
        pytest.param(body_of(*EVENTS * 67), "events", id="201-events"),
        pytest.param(body_of(*EVENTS, {"type": "track", "event": "x"}), "events[3].", id="nobody"),
        pytest.param(
            body_of(*EVENTS, {"type": "identify", "userId": "u", "traits": 1}),
            "events[3].traits",
            id="invalid-event",
        ),
    ],
)
def test_refused_whole(
    client: TestClient, service: FakeService, path: str, body: bytes, place: str
) -> None:
    """One fault refuses the whole request and names the place; nothing reaches the service."""
    answer = client.post(f"{BASE}/{path}", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "ERR_INVALID_DATA"
    assert place in answer.json()["message"]
    assert service.calls == []


@pytest.mark.parametrize("path", PATHS)
def test_invalid_query(client: TestClient, service: FakeService, path: str) -> None:
    """A locale that is no language tag is a 400."""
    answer = client.post(f"{BASE}/{path}?locale=%21", content=body_of(*EVENTS))
    assert answer.status_code == 400
    assert service.calls == []


@pytest.mark.parametrize("path", PATHS)
def test_size(service: FakeService, path: str) -> None:
    """A batch may be larger than an update, up to a limit of its own."""
    body = body_of(*EVENTS)
    settings = HttpSettings(max_body_bytes=1, max_batch_bytes=len(body))
    client = TestClient(build_app(service, settings), raise_server_exceptions=False)
    assert client.post(f"{BASE}/{path}", content=body).status_code == 200
    assert client.post(f"{BASE}/{path}", content=body + b" ").status_code == 413


def test_default_size() -> None:
    """A batch may have 5 MiB."""
    assert HttpSettings().max_batch_bytes == 5 * 2**20


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(client: TestClient, path: str, method: str) -> None:
    """Batches and imports are only posted."""
    answer = client.request(method, f"{BASE}/{path}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
def test_content_type(client: TestClient, content_type: str) -> None:
    """The content type does not decide how a body is read; any page may read the answer."""
    headers = {"content-type": content_type, "origin": "https://shop.example"}
    answer = client.post(f"{BASE}/events", content=body_of(*EVENTS), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


def test_deep_event_of_an_import(client: TestClient, service: FakeService) -> None:
    """What an event holds beside what the engine reads is kept in an import."""
    event = {**EVENTS[0], "properties": {"sizes": [38.5, None, {"eu": "\N{SNOWMAN}"}]}}
    client.post(f"{BASE}/import/events", content=body_of(event))
    imported: Any = service.calls[0][3]
    assert msgspec.json.decode(imported[0].events[0]) == event
