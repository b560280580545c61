"""Explanations are for those who have the admin token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.errors import ProfileNotFound
from edgewise.secret import Secret
from tests.asgi.fakes import BASE, FakeService

TOKEN = "the-token"
PATH = f"{BASE}/profiles/a%20b/explain"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def admin(service: FakeService) -> Iterator[TestClient]:
    """A client of an application with an admin token."""
    app = build_app(service, HttpSettings(admin_token=Secret(TOKEN)))
    with TestClient(app, raise_server_exceptions=False) as running:
        yield running


@pytest.mark.parametrize(
    ("body", "audience"),
    [
        pytest.param("", None, id="no body"),
        pytest.param("{}", None, id="no audience"),
        pytest.param('{"audience": "vip"}', "vip", id="an audience"),
    ],
)
def test_the_question_reaches_the_service(
    admin: TestClient, service: FakeService, body: str, audience: str | None
) -> None:
    """The profile and the audience are those that were named, and the answer is the service's."""
    answer = admin.post(PATH, content=body, headers=BEARER)
    assert answer.status_code == 200
    assert service.calls == [("explain", "org", "main", "a b", audience)]
    assert answer.headers["x-edgewise-ruleset"] == "digest"
    content = answer.json()
    assert (content["error"], content["message"]) == (None, "ok")
    assert content["data"]["profile_id"] == "a b"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param("{", 400, id="no JSON"),
        pytest.param("[]", 400, id="no object"),
        pytest.param('{"audience": 1}', 400, id="no text"),
        pytest.param('{"audiense": "vip"}', 400, id="mistyped"),
        pytest.param(b"\xff", 400, id="no UTF-8"),
    ],
)
def test_a_senseless_question_is_refused(
    admin: TestClient, service: FakeService, body: str | bytes, status: int
) -> None:
    """What is no question does not reach the service."""
    assert admin.post(PATH, content=body, headers=BEARER).status_code == status
    assert service.calls == []


def test_failures_are_answered_like_everywhere(admin: TestClient, service: FakeService) -> None:
    """An unknown profile is not found here either."""
    service.error = ProfileNotFound("Profile not found")
    answer = admin.post(PATH, headers=BEARER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ERR_PROFILE_NOT_FOUND")


def test_only_post_explains(admin: TestClient) -> None:
    """Another method is told which one is right."""
    answer = admin.get(PATH, headers=BEARER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_nobody_else_is_told(admin: TestClient, client: TestClient, service: FakeService) -> None:
    """With a wrong token it is refused, and where no token is configured there is no such route."""
    assert admin.post(PATH, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert admin.post(PATH).status_code == 401
    assert client.post(PATH, headers=BEARER).status_code == 404
    assert service.calls == []
