"""The application: hot routes first, then a Starlette router; every failure becomes an answer."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from edgewise.asgi.answers import Answer, AnswerSend
from edgewise.asgi.batches import batch_routes
from edgewise.asgi.body import header
from edgewise.asgi.cors import PREFLIGHT_HEADERS
from edgewise.asgi.endpoints import Health, no_route
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.lifespan import run_lifespan
from edgewise.asgi.problems import answer_error
from edgewise.asgi.profiles import Profiles
from edgewise.asgi.routing import match_profiles
from edgewise.asgi.trace import continue_trace

_PREFLIGHT = Answer(204, headers=PREFLIGHT_HEADERS)


def build_app(service: Service, settings: HttpSettings | None = None) -> ASGIApp:
    """Return the ASGI application that serves this service.

    A gateway that mounts it starts and stops the service itself: a mounted application gets no
    lifespan.
    """
    settings = settings or HttpSettings()
    routes = [Route("/health", Health(service)), *batch_routes(service, settings)]
    router = Router(routes, redirect_slashes=False, default=no_route)
    return App(service, Profiles(service, settings), router)


class App:
    """Hands each request to the profile resource or to a router of other routes."""

    def __init__(self, service: Service, profiles: Profiles, router: ASGIApp) -> None:
        self._service = service
        self._profiles = profiles
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await run_lifespan(self._service, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = AnswerSend(send, continue_trace(header(scope, b"traceparent")))
        try:
            answer = await self._answer(scope, receive, sender)
        except ClientDisconnect:
            return  # There is nobody to answer, and nothing was applied.
        except Exception as error:
            if sender.begun:
                raise
            answer = answer_error(error)
        if answer:
            await answer(scope, receive, sender)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        # None: the router has sent its answer itself.
        if scope["method"] == "OPTIONS":
            return _PREFLIGHT
        route = match_profiles(scope)
        if route:
            return await self._profiles.answer(route, scope, receive)
        await self._router(scope, receive, send)
        return None
