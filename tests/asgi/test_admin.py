"""Routes that need the admin token."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.types import Receive, Scope, Send

from edgewise.asgi.admin import AdminOnly
from edgewise.asgi.answers import Answer
from edgewise.errors import RouteNotFound, Unauthorized
from edgewise.secret import Secret
from tests.asgi.fakes import scope_of, serve


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    await Answer(200, b"{}")(scope, receive, send)


def status_of(token: str, headers: Mapping[str, str]) -> int:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    sent = serve(AdminOnly(inner, Secret(token)), scope_of("GET", "/", headers=raw))
    status: int = sent[0]["status"]
    return status


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("Bearer s3cret", id="usual"),
        pytest.param("bearer s3cret", id="lower-case"),
        pytest.param("Bearer  s3cret ", id="spaces"),
    ],
)
def test_token(value: str) -> None:
    """Whoever bears the token is let through."""
    assert status_of("s3cret", {"authorization": value}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"authorization": ""}, id="empty"),
        pytest.param({"authorization": "Bearer"}, id="no-token"),
        pytest.param({"authorization": "Bearer s3cre"}, id="part"),
        pytest.param({"authorization": "Bearer s3crets"}, id="more"),
        pytest.param({"authorization": "Basic s3cret"}, id="other-scheme"),
        pytest.param({"authorization": "s3cret"}, id="no-scheme"),
        pytest.param({"authorization": "Bearer s\xe9cret"}, id="beyond-ascii"),
    ],
)
def test_wrong_token(headers: Mapping[str, str]) -> None:
    """Anything but the token is refused, without telling what is right."""
    with pytest.raises(Unauthorized) as caught:
        status_of("s3cret", headers)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", ["Bearer ", "Bearer s3cret"], ids=["empty", "any"])
def test_no_token_configured(value: str) -> None:
    """Without a configured token the route does not exist, whatever a request bears."""
    with pytest.raises(RouteNotFound):
        status_of("", {"authorization": value})
