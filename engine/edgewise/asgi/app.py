"""The application: hot routes first, then a Starlette router; every failure becomes an answer."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from edgewise.asgi.answers import Answer, AnswerSend
from edgewise.asgi.batches import batch_routes
from edgewise.asgi.body import header
from edgewise.asgi.cors import PREFLIGHT_HEADERS, answering_origin
from edgewise.asgi.endpoints import Health, no_route
from edgewise.asgi.explanations import explanation_routes
from edgewise.asgi.insights import insights_routes
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.klaviyo import klaviyo_routes
from edgewise.asgi.lifespan import run_lifespan
from edgewise.asgi.problems import answer_error
from edgewise.asgi.profiles import Profiles
from edgewise.asgi.routing import match_profiles
from edgewise.asgi.short import short_routes
from edgewise.asgi.trace import continue_trace
from edgewise.asgi.webhooks import WebhookTarget, webhook_routes

_PREFLIGHT = Answer(204, headers=PREFLIGHT_HEADERS)


def build_app(
    service: Service, settings: HttpSettings | None = None, webhooks: WebhookTarget | None = None
) -> ASGIApp:
    """Return the ASGI application that serves this service.

    A gateway that mounts it starts and stops the service itself: a mounted application gets no
    lifespan.

    Args:
        webhooks: what acts on them; without it they are not found.
    """
    settings = settings or HttpSettings()
    routes = [
        Route("/health", Health(service, settings.admin_token)),
        *batch_routes(service, settings),
    ]
    routes += explanation_routes(service, settings)
    routes += insights_routes(service, settings)
    routes += klaviyo_routes(service, settings)
    routes += short_routes(service, settings)
    routes += webhook_routes(webhooks, settings) if webhooks else []
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
        if scope["type"] != "http":
            await self._serve_no_http(scope, receive, send)
            return
        traceparent = continue_trace(header(scope, b"traceparent"))
        answer = None
        try:
            if scope["method"] == "OPTIONS":
                answer, send = _PREFLIGHT, answering_origin(scope, send)
            elif route := match_profiles(scope):
                answer = await self._profiles.answer(route, scope, receive)
        except ClientDisconnect:
            return  # There is nobody to answer, and nothing was applied.
        except Exception as error:  # noqa: BLE001 - every failure is answered
            answer = answer_error(error)
        if answer is None:
            send = answering_origin(scope, send)
            await self._serve_other(scope, receive, AnswerSend(send, traceparent))
        else:
            await answer.send_in(traceparent, send)

    async def _serve_no_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(self._service, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve_other(self, scope: Scope, receive: Receive, send: AnswerSend) -> None:
        try:
            await self._router(scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            if send.begun:
                raise
            await answer_error(error)(scope, receive, send)
