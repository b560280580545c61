"""Requests that ask for a variant get it while their token is good, and are told when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.clock import now_ms
from edgewise.previews import PARAMETER, Preview, add_token, sign_preview
from edgewise.secret import Secret
from tests.asgi.fakes import BASE, FakeService

SECRET = "the-secret"
PATH = f"{BASE}/profiles/p"
FAR_S = now_ms() // 1000 + 3600


def token(variant: int = 2, environment: str = "main", expires_s: int = FAR_S) -> str:
    """A token for a variant of the experience that the fake service has."""
    return sign_preview(Preview("org", environment, "e1", variant, expires_s), SECRET)


def page(**members: Any) -> dict[str, Any]:
    """The body of a request with one page event."""
    return {"events": [{"type": "page", "context": {"page": members}}]}


@pytest.fixture
def shop(service: FakeService) -> Iterator[TestClient]:
    """A client of an application with a secret for previews."""
    app = build_app(service, HttpSettings(preview_secret=Secret(SECRET)))
    with TestClient(app, raise_server_exceptions=False) as running:
        yield running


def url_of(value: str) -> str:
    """The address of a page with a token."""
    return add_token("https://shop.example/p?x=1", value)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param({"x-edgewise-preview": token()}, page(), id="header"),
        pytest.param({}, page(url=url_of(token())), id="address"),
        pytest.param({}, page(query={PARAMETER: token()}), id="query"),
        pytest.param(
            {},
            {"events": [*page(url=url_of(token()))["events"], {"type": "group"}]},
            id="one of several events",
        ),
        pytest.param(
            {"x-edgewise-preview": token()}, page(url=url_of("forged")), id="header first"
        ),
    ],
)
def test_an_update_shows_the_variant(
    shop: TestClient, headers: dict[str, str], body: dict[str, Any]
) -> None:
    """The token is found in the header, or in the address or query of a page."""
    answer = shop.post(PATH, json=body, headers=headers)
    assert (answer.status_code, answer.headers["x-edgewise-preview"]) == (200, "forced")


def test_a_read_shows_the_variant(shop: TestClient) -> None:
    """A server that renders pages hands the token on in the header."""
    answer = shop.get(PATH, headers={"x-edgewise-preview": token()})
    assert (answer.status_code, answer.headers["x-edgewise-preview"]) == (200, "forced")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param("forged", "forged", id="forged"),
        pytest.param("é", "forged", id="no ASCII"),
        pytest.param(token(expires_s=1), "expired", id="expired"),
        pytest.param(token(environment="dev"), "other environment", id="other environment"),
        pytest.param(token(variant=7), "unknown variant", id="unknown variant"),
    ],
)
def test_a_bad_token_is_told_and_changes_nothing(shop: TestClient, value: str, reason: str) -> None:
    """The visitor gets the usual answer, and a header says why."""
    usual = shop.get(PATH)
    answer = shop.get(PATH, headers={b"x-edgewise-preview": value.encode()})
    assert answer.headers["x-edgewise-preview"] == f"refused; {reason}"
    assert (answer.status_code, answer.content) == (200, usual.content)
    posted = shop.post(PATH, json=page(url=url_of(value)))
    assert posted.headers["x-edgewise-preview"] == f"refused; {reason}"


def test_reports_from_a_page_with_a_preview_are_not_counted(
    shop: TestClient, service: FakeService
) -> None:
    """What was looked at on purpose is left out of a report, and nothing else is."""

    def view(message: str, experience: str, url: str) -> dict[str, Any]:
        context = {"page": {"url": url}}
        event = {"type": "component", "messageId": message, "componentId": "c"}
        return {**event, "experienceId": experience, "variantIndex": 2, "context": context}

    forced = view("forced", "e1", url_of(token()))
    others = [
        view("other experience", "e2", url_of(token())),
        view("other page", "e1", "https://shop.example/p"),
        view("refused", "e1", url_of("forged")),
    ]
    report = [
        {"profile": {"id": "editor"}, "events": [forced]},
        {"profile": {"id": "both"}, "events": [others[0], forced, *others[1:]]},
    ]
    path = "/v1/organizations/org/environments/main/events"
    assert shop.post(path, json=report).status_code == 204
    assert service.calls == [("interactions", "org", "main", [("both", 3)])]


def test_an_answer_without_preview_says_nothing_of_it(shop: TestClient) -> None:
    """Who asks for nothing is told nothing."""
    assert "x-edgewise-preview" not in shop.post(PATH, json=page(url="https://a.example")).headers
    assert "x-edgewise-preview" not in shop.get(PATH).headers


def test_without_a_secret_there_are_no_previews(client: TestClient) -> None:
    """A server that has no secret does not look at tokens at all."""
    answer = client.get(PATH, headers={"x-edgewise-preview": token()})
    assert (answer.status_code, "x-edgewise-preview" in answer.headers) == (200, False)
