"""Routes that are not hot: small ASGI applications for a Starlette router."""

from __future__ import annotations

import msgspec
from starlette.types import Receive, Scope, Send

from edgewise.asgi.admin import AdminToken
from edgewise.asgi.answers import Answer
from edgewise.asgi.interface import Service
from edgewise.errors import MethodNotAllowed, RouteNotFound
from edgewise.secret import NO_SECRET, Secret

_FOR_EVERYONE = ("status", "reason")


class Health:
    """Answers `GET /health`, with 503 where the service does not say that it is well.

    Args:
        token: who bears it is told everything; the others only how it goes. Without one there is
            no difference.
    """

    def __init__(self, service: Service, token: Secret = NO_SECRET) -> None:
        self._service = service
        self._token = AdminToken(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "GET":
            raise MethodNotAllowed(("GET", "OPTIONS"))
        health = await self._service.health()
        status = 200 if health.get("status", "ok") == "ok" else 503
        if self._token and not self._token.is_borne_by(scope):
            health = {name: health[name] for name in _FOR_EVERYONE if name in health}
        await Answer(status, msgspec.json.encode(health))(scope, receive, send)


async def no_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a path that no route has."""
    raise RouteNotFound
