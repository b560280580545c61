"""Why a profile gets what it gets, for those who run the server."""

from __future__ import annotations

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise.asgi.admin import AdminOnly
from edgewise.asgi.answers import Answer
from edgewise.asgi.body import read_body
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.decoding import check_id
from edgewise.errors import InvalidData, MethodNotAllowed
from edgewise.explaining import Explanation

_PATH = "/v2/organizations/{organization}/environments/{environment}/profiles/{id}/explain"


class _Question(msgspec.Struct, forbid_unknown_fields=True):
    audience: str | None = None


class _Envelope(msgspec.Struct):
    data: Explanation
    error: None = None
    message: str = "ok"


def explanation_routes(service: Service, settings: HttpSettings) -> list[Route]:
    """Return the routes of explanations; without an admin token they are not found."""
    return [Route(_PATH, AdminOnly(Explanations(service, settings), settings.admin_token))]


class Explanations:
    """Answers `POST …/profiles/{id}/explain`.

    Shape: the body is empty, or an object in which `audience` names the only one to explain.
    """

    def __init__(self, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: InvalidData, ConfigNotFound, ProfileNotFound."""
        if scope["method"] != "POST":
            raise MethodNotAllowed(("POST", "OPTIONS"))
        names = scope["path_params"]
        check_id(names["id"], "profileId")
        question = _decode(await read_body(scope, receive, self._settings.max_body_bytes))
        explanation = await self._service.explain(
            names["organization"], names["environment"], names["id"], question.audience
        )
        headers = ((b"x-edgewise-ruleset", explanation.ruleset.encode()),)
        body = msgspec.json.encode(_Envelope(explanation))
        await Answer(200, body, headers)(scope, receive, send)


def _decode(body: bytes) -> _Question:
    try:
        return msgspec.json.decode(body, type=_Question) if body.strip() else _Question()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidData(f"body: {error}") from None
