"""Many profiles in one request: applied at once, or kept and applied later."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise.asgi.answers import Answer
from edgewise.asgi.body import parse_body, read_body
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.localized import localized
from edgewise.asgi.query import parse_query
from edgewise.asgi.wire import EMPTY_BODY, encode_profiles
from edgewise.decoding import Update, decode_update
from edgewise.errors import MethodNotAllowed
from edgewise.grouping import group_events
from edgewise.model.decision import Outcome
from edgewise.model.imports import ImportedProfile

_BASE = "/v2/organizations/{organization}/environments/{environment}"
_DONE = Answer(body=EMPTY_BODY)


def batch_routes(service: Service, settings: HttpSettings) -> list[Route]:
    """Return the routes of batches and imports."""
    batches, imports = Batches(service, settings), Imports(service, settings)
    return [
        Route(f"{_BASE}/events", batches),
        Route(f"{_BASE}/events/", batches),
        Route(f"{_BASE}/import/events", imports),
        Route(f"{_BASE}/import/events/", imports),
    ]


class Batches:
    """Answers `POST …/events` with the profiles as they are afterwards.

    Args:
        encode: writes the body of an answer.
    """

    def __init__(
        self,
        service: Service,
        settings: HttpSettings,
        encode: Callable[[Sequence[Outcome]], bytes] = encode_profiles,
    ) -> None:
        self._service = service
        self._settings = settings
        self._encode = encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        _require_post(scope)
        organization, environment = _names(scope)
        self._service.environment_exists(organization, environment)
        query = parse_query(scope.get("query_string", b""))
        groups = await _read_groups(scope, receive, self._settings)
        outcomes = await self._service.apply_batch(
            organization, environment, groups, preflight=query.preflight
        )
        outcomes = [localized(outcome, query.locale) for outcome in outcomes]
        headers = ((b"x-edgewise-ruleset", outcomes[0].ruleset.encode()),)
        await Answer(200, self._encode(outcomes), headers)(scope, receive, send)


class Imports:
    """Answers `POST …/import/events` as soon as the events are kept.

    An environment that is not served is no error here: its events are counted and dropped.
    """

    def __init__(self, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        _require_post(scope)
        query = parse_query(scope.get("query_string", b""))
        groups = await _read_groups(scope, receive, self._settings)
        if not query.preflight:
            profiles = [
                ImportedProfile((name,), tuple(update.raws)) for name, update in groups.items()
            ]
            await self._service.enqueue_import(*_names(scope), profiles)
        await _DONE(scope, receive, send)


def _require_post(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise MethodNotAllowed(("POST", "OPTIONS"))


def _names(scope: Scope) -> tuple[str, str]:
    names = scope["path_params"]
    return names["organization"], names["environment"]


async def _read_groups(scope: Scope, receive: Receive, settings: HttpSettings) -> dict[str, Update]:
    body = await read_body(scope, receive, settings.max_batch_bytes)
    return await parse_body(
        body, lambda body: group_events(decode_update(body, settings.max_events))
    )
