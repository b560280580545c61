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


class AdminToken:
    """Tells which requests bear the admin token; it is false where none is configured."""

    def __init__(self, token: Secret) -> None:
        self._digest = sha256(token.reveal().encode()).digest() if token else b""

    def __bool__(self) -> bool:
        return bool(self._digest)

    def is_borne_by(self, scope: Scope) -> bool:
        """Return whether a request bears the token."""
        given = header(scope, b"authorization")
        is_bearer = given[: len(_SCHEME)].lower() == _SCHEME
        # Digests, so that the time tells not even how long the token is.
        digest = sha256(given[len(_SCHEME) :].strip()).digest()
        return compare_digest(digest, self._digest) and is_bearer


class AdminOnly:
    """Lets those requests through to an application that bear the admin token.

    Args:
        token: empty where none is configured; then the route is not found.
    """

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app = app
        self._token = AdminToken(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Errors: RouteNotFound, Unauthorized."""
        if not self._token:
            raise RouteNotFound
        if not self._token.is_borne_by(scope):
            raise Unauthorized("This needs the header Authorization: Bearer and the admin token.")
        await self._app(scope, receive, send)
