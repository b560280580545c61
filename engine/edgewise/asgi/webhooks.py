"""Calls by which the places where rules are written tell that something changed there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise.asgi.answers import Answer
from edgewise.asgi.body import read_body
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.wire import EMPTY_BODY
from edgewise.errors import MethodNotAllowed

_TAKEN = Answer(202, EMPTY_BODY)


class WebhookTarget(Protocol):
    """What acts on webhooks."""

    def take_webhook(self, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Begin to refresh what a webhook concerns. Errors: Unauthorized."""


def webhook_routes(target: WebhookTarget, settings: HttpSettings) -> list[Route]:
    """Return the routes of webhooks."""
    return [Route("/webhooks/contentful", ContentfulWebhook(target, settings))]


class ContentfulWebhook:
    """Answers `POST /webhooks/contentful` with 202: the refresh follows."""

    def __init__(self, target: WebhookTarget, settings: HttpSettings) -> None:
        self._target = target
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: Unauthorized."""
        if scope["method"] != "POST":
            raise MethodNotAllowed(("POST", "OPTIONS"))
        body = await read_body(scope, receive, self._settings.max_body_bytes)
        self._target.take_webhook(scope["headers"], body)
        await _TAKEN(scope, receive, send)
