"""The profile resource over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from tests.asgi.fakes import BASE, FakeService, header_of, outcome_of, scope_of, serve

EVENTS = {"events": [{"type": "group"}]}
BODY = json.dumps(EVENTS).encode()


def test_create(client: TestClient, service: FakeService) -> None:
    """POST to the collection makes a profile."""
    answer = client.post(f"{BASE}/profiles", content=BODY)
    assert answer.status_code == 200
    assert answer.json()["data"]["profile"]["id"] == "new"
    assert service.calls == [("update", None, 1, False)]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "text/plain;charset=UTF-8", "image/png", ""]
)
def test_update(client: TestClient, service: FakeService, content_type: str) -> None:
    """POST to a profile applies events, whatever the content type says."""
    headers = {"content-type": content_type} if content_type else {}
    answer = client.post(f"{BASE}/profiles/p7", content=BODY, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["data"]["profile"]["id"] == "p7"
    assert service.calls == [("update", "p7", 1, False)]


def test_preflight(client: TestClient, service: FakeService) -> None:
    """`type=preflight` reaches the service."""
    answer = client.post(f"{BASE}/profiles/p?locale=de-DE&type=preflight", content=BODY)
    assert answer.status_code == 200
    assert service.calls == [("update", "p", 1, True)]


def test_read(client: TestClient, service: FakeService) -> None:
    """GET returns what a POST would, without events."""
    answer = client.get(f"{BASE}/profiles/p?locale=en-US")
    assert answer.status_code == 200
    assert set(answer.json()["data"]) == {"profile", "experiences", "changes"}
    assert service.calls == [("read", "p")]


def test_erase(client: TestClient, service: FakeService) -> None:
    """DELETE tells success and nothing else."""
    answer = client.delete(f"{BASE}/profiles/p")
    assert (answer.status_code, answer.json()) == (
        200,
        {"data": {}, "error": None, "message": "ok"},
    )
    assert service.calls == [("erase", "p")]


@pytest.mark.parametrize(
    ("segment", "profile_id"),
    [
        pytest.param("a%2Fb", "a/b", id="slash"),
        pytest.param("me%40example.com", "me@example.com", id="encoded-at"),
        pytest.param("me@example.com", "me@example.com", id="bare-at"),
        pytest.param("a+b%2Bc%20d", "a+b+c d", id="plus-is-no-space"),
        pytest.param("%C3%BC/", "ü", id="trailing-slash"),
        pytest.param("%25zz%zz", "%zz%zz", id="percent"),
    ],
)
def test_id_is_percent_decoded(service: FakeService, segment: str, profile_id: str) -> None:
    """An id reaches the service decoded once."""
    app = build_app(service)
    for method in ("GET", "DELETE"):
        assert serve(app, scope_of(method, f"{BASE}/profiles/{segment}"))[0]["status"] == 200
    assert service.calls == [("read", profile_id), ("erase", profile_id)]


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize("environment", ["other/environments/main", "org/environments/other"])
def test_environment_comes_first(
    client: TestClient, service: FakeService, method: str, environment: str
) -> None:
    """An unknown environment is told before faults of query, id and body."""
    path = f"/v2/organizations/{environment}/profiles/%FF?locale=xx!"
    answer = client.request(method, path, content=b"?")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "ERR_CONFIG_NOT_FOUND"
    assert service.calls == []


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        pytest.param(
            "POST", "/profiles", b"", "body: expected an object, found nothing", id="no-body"
        ),
        pytest.param(
            "POST", "/profiles", b'{"events":[]}', "events: expected 1 to 200 events", id="events"
        ),
        pytest.param("POST", "/profiles?type=x", BODY, "type: expected preflight", id="type"),
        pytest.param(
            "POST",
            "/profiles?locale=xx!",
            BODY,
            "locale: expected a language tag such as en or en-US",
            id="locale",
        ),
        pytest.param(
            "GET",
            "/profiles/p?locale=",
            b"",
            "locale: expected a language tag such as en or en-US",
            id="locale-of-a-read",
        ),
        pytest.param("GET", "/profiles/%FF", b"", "path: not UTF-8", id="id-of-a-read"),
        pytest.param(
            "DELETE",
            "/profiles/" + "x" * 513,
            b"",
            "profileId: expected at most 512 characters",
            id="id-of-an-erasure",
        ),
        pytest.param(
            "POST",
            "/profiles/a%0Ab",
            BODY,
            "profileId: expected no control characters",
            id="id-of-an-update",
        ),
    ],
)
def test_invalid_data_is_refused(
    client: TestClient, service: FakeService, method: str, path: str, body: bytes, detail: str
) -> None:
    """Faults of query, id and body are 400 with their place, and nothing is applied."""
    answer = client.request(method, BASE + path, content=body)
    assert answer.status_code == 400
    assert answer.json() == {
        "message": f"Missing or invalid data. {detail}",
        "data": {},
        "error": {"code": "ERR_INVALID_DATA"},
    }
    assert service.calls == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        pytest.param("GET", "/profiles", "POST, OPTIONS", id="read-all"),
        pytest.param("HEAD", "/profiles/p", "GET, POST, DELETE, OPTIONS", id="head"),
        pytest.param("PUT", "/profiles/p", "GET, POST, DELETE, OPTIONS", id="put"),
    ],
)
def test_other_methods_are_refused(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    """A method that a path does not take is 405 with those that it takes."""
    answer = client.request(method, BASE + path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_large_body_is_refused(service: FakeService) -> None:
    """A body over the limit is 413, and nothing is applied."""
    app = build_app(service, HttpSettings(max_body_bytes=8))
    sent = serve(
        app,
        scope_of("POST", f"{BASE}/profiles"),
        [{"type": "http.request", "body": BODY, "more_body": False}],
    )
    assert (sent[0]["status"], service.calls) == (413, [])


def test_number_of_events_is_a_setting(service: FakeService) -> None:
    """More events than the setting are refused."""
    with TestClient(build_app(service, HttpSettings(max_events=1))) as client:
        answer = client.post(f"{BASE}/profiles", json={"events": EVENTS["events"] * 2})
    assert "expected 1 to 1 events" in answer.json()["message"]


def test_departed_client_gets_no_answer(service: FakeService) -> None:
    """A client that leaves within its body is not answered, and nothing is applied."""
    incoming: list[Message] = [
        {"type": "http.request", "body": BODY, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = serve(build_app(service), scope_of("POST", f"{BASE}/profiles"), incoming)
    assert (sent, service.calls) == ([], [])


def test_answer_names_its_ruleset(service: FakeService) -> None:
    """The digest of the ruleset that decided is in a header."""
    start, _ = serve(build_app(service), scope_of("GET", f"{BASE}/profiles/p"))
    assert header_of(start, "x-edgewise-ruleset") == outcome_of().ruleset


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ANY_EVENTS = st.lists(ANY_JSON, max_size=3).map(lambda events: {"events": events})


@given(
    st.binary() | (ANY_JSON | ANY_EVENTS).map(lambda tree: json.dumps(tree).encode()),
    st.binary(max_size=12),
    st.binary(max_size=12),
    st.sampled_from(["POST", "GET", "DELETE", "PATCH"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_is_a_failure_of_the_server(
    service: FakeService, body: bytes, raw_id: bytes, query: bytes, method: str
) -> None:
    """Whatever a client sends is answered, and never with a 500."""
    scope = scope_of(method, BASE.encode() + b"/profiles/" + raw_id, query_string=query)
    start, end = serve(build_app(service), scope, [{"type": "http.request", "body": body}])
    assert start["status"] in {200, 400, 404, 405}
    answered: dict[str, Any] = json.loads(end["body"])
    assert set(answered) == {"data", "error", "message"}
