"""What holds for every answer, and what is answered off the hot routes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from edgewise.asgi.app import App, build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.profiles import Profiles
from edgewise.errors import StoreBusy
from edgewise.secret import Secret
from tests.asgi.fakes import BASE, FakeService, header_of, scope_of, serve

BODY = b'{"events":[{"type":"group"}]}'
TRACEPARENT = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@pytest.mark.parametrize(
    ("method", "path", "error", "status"),
    [
        pytest.param("POST", f"{BASE}/profiles", None, 200, id="create"),
        pytest.param("GET", f"{BASE}/profiles/p", None, 200, id="read"),
        pytest.param("DELETE", f"{BASE}/profiles/p", None, 200, id="erase"),
        pytest.param("GET", "/health", None, 200, id="health"),
        pytest.param("OPTIONS", f"{BASE}/profiles/p", None, 204, id="preflight"),
        pytest.param("POST", f"{BASE}/profiles?type=x", None, 400, id="invalid"),
        pytest.param("GET", "/nowhere", None, 404, id="no-route"),
        pytest.param("PUT", f"{BASE}/profiles/p", None, 405, id="method"),
        pytest.param("GET", f"{BASE}/profiles/p", StoreBusy("x"), 503, id="busy"),
        pytest.param("GET", f"{BASE}/profiles/p", KeyError("x"), 500, id="failure"),
        pytest.param("GET", "/health", KeyError("x"), 500, id="failure-off-the-hot-route"),
    ],
)
def test_every_answer_has_the_common_headers(
    client: TestClient,
    service: FakeService,
    method: str,
    path: str,
    error: Exception | None,
    status: int,
) -> None:
    """A browser may read any answer, nothing stores it, and it belongs to a trace."""
    service.error = error
    answer = client.request(method, path, content=BODY if method == "POST" else b"")
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"]
    assert exposed == "traceparent, retry-after, x-edgewise-ruleset, x-edgewise-preview"
    assert answer.headers["cache-control"] == "no-store"
    assert TRACEPARENT.fullmatch(answer.headers["traceparent"])
    if status != 204:
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("path", ["/", f"{BASE}/profiles", f"{BASE}/profiles/%FF", "/nowhere", "*"])
def test_cross_origin_preflight(service: FakeService, path: str) -> None:
    """OPTIONS on any path allows what clients send, without a body or a look at the rest."""
    start, end = serve(build_app(service), scope_of("OPTIONS", path))
    assert (start["status"], end["body"]) == (204, b"")
    assert header_of(start, "access-control-allow-methods") == "GET,POST,DELETE,OPTIONS"
    allowed = header_of(start, "access-control-allow-headers")
    assert allowed == "content-type,x-force-ip,authorization,traceparent,x-edgewise-preview"
    assert header_of(start, "access-control-max-age") == "86400"
    assert header_of(start, "content-length") == ""


def test_callers_trace_goes_on(client: TestClient) -> None:
    """An answer belongs to the trace that its request came with."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = client.get("/health", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    assert answer.headers["traceparent"].split("-")[1] == trace


def test_health(client: TestClient) -> None:
    """What the service tells about itself is answered as it is."""
    assert client.get("/health").json() == {"status": "ok"}


def test_health_of_ones_own(client: TestClient, service: FakeService) -> None:
    """A service may tell what it likes; without a status it is taken to be well."""

    async def health() -> dict[str, object]:
        return {"mine": 1}

    service.health = health  # type: ignore[method-assign]
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"mine": 1})


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        pytest.param({}, {"status", "reason"}, id="everybody"),
        pytest.param({"authorization": "Bearer guess"}, {"status", "reason"}, id="wrong-token"),
        pytest.param({"authorization": "Bearer s3cret"}, {"status", "reason", "rules"}, id="admin"),
    ],
)
def test_health_in_full_is_for_who_runs_the_server(
    service: FakeService, headers: dict[str, str], told: set[str]
) -> None:
    """With a token only who bears it learns more than how it goes; the status is the same."""

    async def health() -> dict[str, object]:
        return {"status": "not_started", "reason": "why", "rules": {}}

    service.health = health  # type: ignore[method-assign]
    app = build_app(service, HttpSettings(admin_token=Secret("s3cret")))
    with TestClient(app) as client:
        answer = client.get("/health", headers=headers)
    assert answer.status_code == 503
    assert answer.json().keys() == told


def test_health_that_is_not_well(client: TestClient, service: FakeService) -> None:
    """What asks only for the status of the answer learns of it too."""
    service.status = "not_started"
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "not_started"})


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
def test_health_is_only_read(client: TestClient, method: str) -> None:
    """The health route takes GET alone."""
    answer = client.request(method, "/health")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/health/", f"{BASE}/profiles//", f"{BASE}/profiles/p/x", BASE]
)
def test_unknown_path(client: TestClient, path: str) -> None:
    """A path without a route is answered in the documented envelope, never redirected."""
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Not found",
        "data": {},
        "error": {"code": "ERR_NOT_FOUND"},
    }


def test_mounted_in_a_gateway(service: FakeService) -> None:
    """A gateway may mount the application below a prefix beside its own routes."""
    gateway = Starlette(routes=[Mount("/edge", build_app(service))])
    with TestClient(gateway) as client:
        assert client.get(f"/edge{BASE}/profiles/a%2Fb").status_code == 200
        assert client.get("/edge/health").status_code == 200
    assert service.calls == [("read", "a/b"), ("health",)]


def test_failure_within_an_answer_is_the_servers(service: FakeService) -> None:
    """When an answer has begun, a failure goes to the server instead of into the answer."""

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        raise KeyError("late")

    app = App(service, Profiles(service, HttpSettings()), failing)
    with pytest.raises(KeyError, match="late"):
        serve(app, scope_of("GET", "/other"))


def test_web_sockets_are_refused(service: FakeService) -> None:
    """A web socket is closed at once."""
    scope: dict[str, Any] = {"type": "websocket", "path": "/"}
    sent = serve(build_app(service), scope, [{"type": "websocket.connect"}])
    assert sent == [{"type": "websocket.close", "code": 1000}]
