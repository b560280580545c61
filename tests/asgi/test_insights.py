"""Reports about components are answered with nothing, metrics only to those with the token."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.errors import ServiceUnavailable
from edgewise.secret import Secret
from tests.asgi.fakes import BASE, FakeService

INSIGHTS = "/v1/organizations/org/environments/main"
REPORTS = f"{INSIGHTS}/events"
METRICS = f"{INSIGHTS}/experiences/hero%20banner/metrics"
TOKEN = "the-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
ORIGIN = "https://shop.example"
BODY = json.dumps(
    [{"profile": {"id": "p", "traits": {}}, "events": [{"type": "component", "componentId": "c"}]}]
)


@pytest.fixture
def admin(service: FakeService) -> Iterator[TestClient]:
    """A client of an application with an admin token."""
    app = build_app(service, HttpSettings(admin_token=Secret(TOKEN)))
    with TestClient(app, raise_server_exceptions=False) as running:
        yield running


@pytest.mark.parametrize("path", [REPORTS, f"{REPORTS}/"])
@pytest.mark.parametrize(
    "content_type",
    [
        pytest.param("application/json", id="fetch"),
        pytest.param("text/plain", id="beacon"),
        pytest.param("text/plain;charset=UTF-8", id="beacon of a text"),
        pytest.param("", id="none"),
    ],
)
def test_reports_reach_the_service(
    client: TestClient, service: FakeService, path: str, content_type: str
) -> None:
    """A report is taken whatever its content type says, and is answered with an empty 204."""
    headers = {"content-type": content_type} if content_type else {}
    answer = client.post(path, content=BODY, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert service.calls == [("interactions", "org", "main", [("p", 1)])]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        pytest.param("POST", BODY, 204, id="report"),
        pytest.param("POST", "{}", 400, id="refused"),
        pytest.param("OPTIONS", "", 204, id="preflight"),
        pytest.param("GET", "", 405, id="other method"),
    ],
)
def test_the_origin_is_named(client: TestClient, method: str, body: str, status: int) -> None:
    """Every answer about reports names the caller's origin once and allows its credentials."""
    answer = client.request(method, REPORTS, content=body, headers={"origin": ORIGIN})
    assert answer.status_code == status
    assert answer.headers.get_list("access-control-allow-origin") == [ORIGIN]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["vary"] == "origin"
    assert "traceparent" in answer.headers


@pytest.mark.parametrize("path", [f"{BASE}/events", "/health", METRICS])
def test_other_paths_name_no_origin(client: TestClient, path: str) -> None:
    """Elsewhere any origin may call, without credentials."""
    answer = client.get(path, headers={"origin": ORIGIN})
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_refusal_names_the_place(client: TestClient, service: FakeService) -> None:
    """A report with a wrong member is refused whole, and the message names the member."""
    body = json.dumps([{"profile": {"id": "p"}, "events": [{"type": "component"}]}])
    answer = client.post(REPORTS, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "ERR_INVALID_DATA"}
    assert "[0].events[0].componentId: " in answer.json()["message"]
    assert service.calls == []


def test_an_unknown_environment_is_told_first(client: TestClient) -> None:
    """Nothing else about a report to an unknown environment matters."""
    answer = client.post(REPORTS.replace("main", "nowhere"), content="{")
    assert answer.json()["error"] == {"code": "ERR_CONFIG_NOT_FOUND"}


def test_a_busy_store_asks_for_a_resend(client: TestClient, service: FakeService) -> None:
    """503 says that nothing was kept; the browser's package then sends the same again."""
    service.error = ServiceUnavailable()
    assert client.post(REPORTS, content=BODY).status_code == 503


def test_metrics_are_answered(admin: TestClient, service: FakeService) -> None:
    """The metrics are those of the experience that the path names."""
    answer = admin.get(METRICS, headers=BEARER)
    assert answer.status_code == 200
    assert service.calls == [("metrics", "org", "main", "hero banner")]
    variant = {
        "variantIndex": 0,
        "views": 3,
        "uniqueViewers": 2,
        "clicks": 1,
        "hovers": 0,
        "viewDurationMs": 1500,
        "hoverDurationMs": 0,
    }
    data = {"experienceId": "hero banner", "sinceMs": 1, "variants": [variant]}
    assert answer.json() == {"data": data, "error": None, "message": "ok"}


def test_metrics_need_the_token(admin: TestClient, client: TestClient) -> None:
    """Without its token nobody learns of them, and without a configured one there are none."""
    assert admin.get(METRICS).status_code == 401
    assert admin.post(METRICS, headers=BEARER).status_code == 405
    assert client.get(METRICS, headers=BEARER).status_code == 404
