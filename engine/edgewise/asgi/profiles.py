"""The profile resource: create, update, read and erase, from ASGI messages to answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import Receive, Scope

from edgewise.asgi.answers import Answer
from edgewise.asgi.body import read_body
from edgewise.asgi.cors import Headers
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.localized import localized
from edgewise.asgi.previews import NO_PREVIEW, FoundPreview, Previews, preview_headers
from edgewise.asgi.query import parse_query
from edgewise.asgi.routing import ProfileRoute, parse_profile_id
from edgewise.asgi.senders import HttpSender
from edgewise.asgi.wire import EMPTY_BODY, encode_outcome
from edgewise.decoding import decode_update
from edgewise.errors import MethodNotAllowed
from edgewise.model.decision import Outcome

_ERASED = Answer(body=EMPTY_BODY)


class Profiles:
    """Answers requests to `…/profiles` and `…/profiles/{id}`.

    Args:
        encode: writes the body of an answer.
    """

    def __init__(
        self,
        service: Service,
        settings: HttpSettings,
        encode: Callable[[Outcome], bytes] = encode_outcome,
    ) -> None:
        self._service = service
        self._settings = settings
        self._encode = encode
        self._previews = Previews(settings.preview_secret) if settings.preview_secret else None

    def answer(self, route: ProfileRoute, scope: Scope, receive: Receive) -> Awaitable[Answer]:
        """Return what gives the answer to one request.

        Errors: whatever `problems` has rows for. An unknown environment is told before anything
        else about the request; nothing was applied where the body failed.
        """
        method = scope["method"]
        if method == "POST":
            return self._update(route, scope, receive)
        if route.raw_id is None:
            raise MethodNotAllowed(("POST", "OPTIONS"))
        if method == "GET":
            return self._read(route, route.raw_id, scope)
        if method == "DELETE":
            return self._erase(route, route.raw_id)
        raise MethodNotAllowed(("GET", "POST", "DELETE", "OPTIONS"))

    async def _update(self, route: ProfileRoute, scope: Scope, receive: Receive) -> Answer:
        organization, environment, raw_id = route
        self._service.environment_exists(organization, environment)
        query = parse_query(scope.get("query_string", b""))
        profile_id = None if raw_id is None else parse_profile_id(raw_id)
        body = await read_body(scope, receive, self._settings.max_body_bytes)
        update = decode_update(body, self._settings.max_events)
        preview = NO_PREVIEW
        if self._previews:
            preview = self._previews.find(organization, environment, scope, update.events)
        outcome = await self._service.update(
            organization,
            environment,
            profile_id,
            update,
            preflight=query.preflight,
            forced=preview.forced,
            sender=HttpSender(scope, self._settings.addresses),
        )
        return self._decided(localized(outcome, query.locale), preview)

    async def _read(self, route: ProfileRoute, raw_id: bytes, scope: Scope) -> Answer:
        organization, environment = route.organization, route.environment
        self._service.environment_exists(organization, environment)
        query = parse_query(scope.get("query_string", b""))
        profile_id = parse_profile_id(raw_id)
        preview = NO_PREVIEW
        if self._previews:
            preview = self._previews.find(organization, environment, scope)
        outcome = await self._service.read(
            organization, environment, profile_id, forced=preview.forced
        )
        return self._decided(localized(outcome, query.locale), preview)

    async def _erase(self, route: ProfileRoute, raw_id: bytes) -> Answer:
        self._service.environment_exists(route.organization, route.environment)
        profile_id = parse_profile_id(raw_id)
        await self._service.erase(route.organization, route.environment, profile_id)
        return _ERASED

    def _decided(self, outcome: Outcome, preview: FoundPreview) -> Answer:
        headers: Headers = ((b"x-edgewise-ruleset", outcome.ruleset.encode()),)
        if preview is not NO_PREVIEW:
            headers += preview_headers(preview, outcome.decision)
        return Answer(200, self._encode(outcome), headers)
