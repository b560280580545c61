"""Reports of what visitors did with components, and the metrics that are counted from them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise.asgi.admin import AdminOnly
from edgewise.asgi.answers import Answer
from edgewise.asgi.body import read_body
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.previews import Previews
from edgewise.decoding import check_id
from edgewise.errors import MethodNotAllowed
from edgewise.ingest.insights import Visit, decode_visits
from edgewise.model.interaction import ExperienceMetrics

_BASE = "/v1/organizations/{organization}/environments/{environment}"
_METRICS = _BASE + "/experiences/{id}/metrics"
_DONE = Answer(204)


class _Envelope(msgspec.Struct):
    data: ExperienceMetrics
    error: None = None
    message: str = "ok"


def insights_routes(service: Service, settings: HttpSettings) -> list[Route]:
    """Return the routes of reports and metrics; without an admin token there are no metrics."""
    reports = Reports(service, settings)
    return [
        Route(f"{_BASE}/events", reports),
        Route(f"{_BASE}/events/", reports),
        Route(_METRICS, AdminOnly(Metrics(service), settings.admin_token)),
    ]


class Reports:
    """Answers `POST /v1/…/events` with nothing, for no client reads it."""

    def __init__(self, service: Service, settings: HttpSettings) -> None:
        self._service = service
        self._settings = settings
        self._previews = Previews(settings.preview_secret) if settings.preview_secret else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: InvalidData, ConfigNotFound, ServiceUnavailable."""
        if scope["method"] != "POST":
            raise MethodNotAllowed(("POST", "OPTIONS"))
        names = scope["path_params"]
        organization, environment = names["organization"], names["environment"]
        self._service.environment_exists(organization, environment)
        body = await read_body(scope, receive, self._settings.max_body_bytes)
        visits = decode_visits(body)
        if self._previews:
            visits = _counted(self._previews, organization, environment, visits)
        await self._service.keep_interactions(organization, environment, visits)
        await _DONE(scope, receive, send)


class Metrics:
    """Answers `GET /v1/…/experiences/{id}/metrics`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: InvalidData, ConfigNotFound, ServiceUnavailable."""
        if scope["method"] != "GET":
            raise MethodNotAllowed(("GET", "OPTIONS"))
        names = scope["path_params"]
        check_id(names["id"], "experienceId")
        metrics = await self._service.metrics(
            names["organization"], names["environment"], names["id"]
        )
        await Answer(body=msgspec.json.encode(_Envelope(metrics)))(scope, receive, send)


def _counted(
    previews: Previews, organization: str, environment: str, visits: Sequence[Visit]
) -> list[Visit]:
    """The visits without what was looked at on purpose."""
    counted = []
    for visit in visits:
        update = previews.without_forced(organization, environment, visit.update)
        if update.events:
            counted.append(Visit(visit.name, update))
    return counted
