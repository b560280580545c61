"""Klaviyo's event endpoints: what is sent to them goes into the import queue.

Source: "Bulk Create Events" and "Create Event" of Klaviyo's published API description. The clients
take the path without a slash or with one, and follow no redirect.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise import errors
from edgewise.asgi.body import header, parse_body, read_body
from edgewise.asgi.cors import Headers
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.klaviyo_errors import (
    INVALID,
    METHOD_NOT_ALLOWED,
    NOT_AUTHENTICATED,
    NOT_FOUND,
    PERMISSION_DENIED,
    SERVER_ERROR,
    THROTTLED,
    TOO_LARGE,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    InvalidInput,
    Refusal,
    encode_refusal,
)
from edgewise.asgi.klaviyo_settings import WRITING_SCOPE, KlaviyoKey, find_key
from edgewise.asgi.problems import log_failure, problem_of
from edgewise.asgi.rate_limits import RateLimit, RateLimiter
from edgewise.decoding import decode_object
from edgewise.ingest.klaviyo import parse_bulk, parse_single
from edgewise.ingest.klaviyo_model import KlaviyoFault, ParsedRequest
from edgewise.ingest.klaviyo_reading import Tree
from edgewise.ingest.klaviyo_translation import Job, translate
from edgewise.model.imports import ImportedProfile

_LOG = logging.getLogger("edgewise.asgi")

_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_SCHEMES = (b"klaviyo-api-key", b"bearer")
_MEDIA_TYPES = (b"", b"application/json", b"application/vnd.api+json")

Parse = Callable[[Tree, int], ParsedRequest]


def klaviyo_routes(
    service: Service, settings: HttpSettings, clock_s: Callable[[], float] = time.time
) -> list[Route]:
    """Return the routes of the event endpoints, and of all else that may lie below `/api`.

    Args:
        clock_s: the time in seconds since 1970.
    """
    limits = settings.klaviyo
    bulk = KlaviyoEvents(service, settings, parse_bulk, limits.bulk_limit, clock_s)
    single = KlaviyoEvents(service, settings, parse_single, limits.event_limit, clock_s)
    return [
        Route("/api/event-bulk-create-jobs", bulk),
        Route("/api/event-bulk-create-jobs/", bulk),
        Route("/api/events", single),
        Route("/api/events/", single),
        Route("/api/{rest:path}", NoSuchResource()),
    ]


class NoSuchResource:
    """Refuses a path that is none of Klaviyo's here."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refusal = Refusal(NOT_FOUND, "There is no such resource here.")
        await _send_refusal(send, refusal)


class KlaviyoEvents:
    """Answers `POST` with 202 and no body as soon as the events are kept.

    Args:
        parse: reads the body of this endpoint.
        limit: of requests per key.
        clock_s: the time in seconds since 1970.
    """

    def __init__(
        self,
        service: Service,
        settings: HttpSettings,
        parse: Parse,
        limit: RateLimit | None,
        clock_s: Callable[[], float],
    ) -> None:
        self._service = service
        self._settings = settings
        self._parse = parse
        self._clock_s = clock_s
        self._limiters = (
            {key.digest: RateLimiter(limit, clock_s) for key in settings.klaviyo.keys}
            if limit
            else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        standing: Headers = ()
        try:
            if scope["method"] != "POST":
                raise errors.MethodNotAllowed(("POST", "OPTIONS"))
            key = self._authorized(scope)
            standing = self._throttled(key)
            await self._take(key, scope, receive)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - every failure is answered in this form
            await _send_refusal(send, _refusal_of(error), standing)
        else:
            await _send(send, 202, b"", standing)

    def _authorized(self, scope: Scope) -> KlaviyoKey:
        scheme, _, given = header(scope, b"authorization").partition(b" ")
        key = find_key(self._settings.klaviyo.keys, given.strip())
        if key is None or scheme.lower() not in _SCHEMES:
            raise Refusal(
                NOT_AUTHENTICATED,
                "Send the header Authorization: Klaviyo-API-Key and a private key.",
            )
        if WRITING_SCOPE not in key.scopes:
            raise Refusal(PERMISSION_DENIED, f"The key lacks the scope {WRITING_SCOPE}.")
        return key

    def _throttled(self, key: KlaviyoKey) -> Headers:
        limiter = self._limiters.get(key.digest)
        if limiter is None:
            return ()
        verdict = limiter.take()
        if verdict.retry_s:
            unit = "second" if verdict.retry_s == 1 else "seconds"
            raise Refusal(
                THROTTLED,
                f"Request was throttled. Expected available in {verdict.retry_s} {unit}.",
                headers=verdict.headers,
            )
        return verdict.headers

    async def _take(self, key: KlaviyoKey, scope: Scope, receive: Receive) -> None:
        revision = _revision(scope)
        _check_media_type(scope)
        body = await read_body(scope, receive, self._settings.max_batch_bytes)
        job = Job(
            id=str(uuid4()),
            revision=revision,
            arrival_ms=int(self._clock_s() * 1000),
            merges=self._settings.klaviyo.merges,
            locate=self._service.locate,
        )
        imported = await parse_body(body, partial(self._translated, job))
        self._service.environment_exists(key.organization, key.environment)
        if imported:
            await self._service.enqueue_import(key.organization, key.environment, imported)

    def _translated(self, job: Job, body: bytes) -> list[ImportedProfile]:
        parsed = self._parse(decode_object(body), job.arrival_ms)
        if parsed.problems:
            raise InvalidInput(parsed.problems)
        return translate(parsed.blocks, job)


def _revision(scope: Scope) -> str:
    revision = header(scope, b"revision").decode("latin-1").strip()
    if not _REVISION.fullmatch(revision):
        raise Refusal(
            INVALID,
            "The header revision is required, in the form YYYY-MM-DD[.suffix].",
            source={"parameter": "revision"},
        )
    return revision


def _check_media_type(scope: Scope) -> None:
    media_type = header(scope, b"content-type").partition(b";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, "Send application/vnd.api+json or application/json.")


def _refusal_of(error: Exception) -> Refusal:
    """An error in the form that Klaviyo's clients read."""
    match error:
        case Refusal():
            return error
        case errors.InvalidData():
            return InvalidInput([KlaviyoFault("/data", _tellable(error))])
        case errors.MethodNotAllowed():
            allow = ", ".join(error.allowed).encode()
            return Refusal(METHOD_NOT_ALLOWED, str(error), headers=((b"allow", allow),))
        case errors.BodyTooLarge():
            return Refusal(TOO_LARGE, str(error))
        case errors.ConfigNotFound():
            # Its rules may come any moment, and until then nothing may be lost.
            error = errors.ServiceUnavailable()
    problem = problem_of(error)
    if problem.status < 500 or not problem.headers:
        _LOG.error("A request failed.", exc_info=error)
        return Refusal(SERVER_ERROR, "Nothing was kept.")
    log_failure(error)
    return Refusal(UNAVAILABLE, problem.message, headers=problem.headers)


def _tellable(error: Exception) -> str:
    # A text from elsewhere may hold half surrogate pairs, which UTF-8 cannot.
    return str(error).encode(errors="replace").decode()


async def _send_refusal(send: Send, refusal: Refusal, standing: Headers = ()) -> None:
    headers: Headers = (
        (b"content-type", b"application/vnd.api+json"),
        *standing,
        *refusal.headers,
    )
    await _send(send, refusal.status, encode_refusal(refusal), headers)


async def _send(send: Send, status: int, body: bytes, headers: Headers) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
