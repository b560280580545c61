"""Routes that are not for visitors: they need the admin token, and without one do not exist."""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest

from starlette.types import ASGIApp, Receive, Scope, Send

from edgewise.asgi.body import header
from edgewise.errors import RouteNotFound, Unauthorized
from edgewise.secret import Secret

ADMIN_TOKEN_VARIABLE = "EDGEWISE_ADMIN_TOKEN"

_SCHEME = b"bearer "


class AdminOnly:
    """Lets those requests through to an application that bear the admin token.

    Args:
        token: empty where none is configured; then the route is not found.
    """

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._digest = sha256(token.reveal().encode()).digest() if token else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Errors: RouteNotFound, Unauthorized."""
        if not self._digest:
            raise RouteNotFound
        given = header(scope, b"authorization")
        is_bearer = given[: len(_SCHEME)].lower() == _SCHEME
        # Digests, so that the time tells not even how long the token is.
        digest = sha256(given[len(_SCHEME) :].strip()).digest()
        if not compare_digest(digest, self._digest) or not is_bearer:
            raise Unauthorized("This needs the header Authorization: Bearer and the admin token.")
        await self._app(scope, receive, send)
