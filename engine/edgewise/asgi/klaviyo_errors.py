"""Refusals in the form of JSON:API, as Klaviyo's clients read them, and their statuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import msgspec

from edgewise.asgi.cors import Headers
from edgewise.ingest.klaviyo_model import KlaviyoFault


class Kind(NamedTuple):
    """How one kind of refusal is answered."""

    status: int
    code: str
    title: str


INVALID = Kind(400, "invalid", "Invalid input.")
NOT_AUTHENTICATED = Kind(
    401, "not_authenticated", "Authentication credentials were not provided or are wrong."
)
PERMISSION_DENIED = Kind(
    403, "permission_denied", "You do not have permission to perform this action."
)
NOT_FOUND = Kind(404, "not_found", "Not found.")
METHOD_NOT_ALLOWED = Kind(405, "method_not_allowed", "Method not allowed.")
TOO_LARGE = Kind(413, "payload_too_large", "Payload too large.")
UNSUPPORTED_MEDIA_TYPE = Kind(415, "unsupported_media_type", "Unsupported media type.")
THROTTLED = Kind(429, "throttled", "Request was throttled.")
SERVER_ERROR = Kind(500, "error", "A server error occurred.")
UNAVAILABLE = Kind(503, "service_unavailable", "Service unavailable.")


class Refusal(Exception):
    """A request that is answered with an error; never leaves the HTTP layer.

    Args:
        source: where in the request it is, by default all of it.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        source: dict[str, str] | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(kind.code)
        self.status = kind.status
        self.headers = headers
        self.errors = [_Error(*kind, detail, source or {"pointer": "/data"})]


class InvalidInput(Refusal):
    """A request with one or more places that are wrong."""

    def __init__(self, faults: Sequence[KlaviyoFault]) -> None:
        super().__init__(INVALID, "")
        self.errors = [_Error(*INVALID, one.detail, {"pointer": one.pointer}) for one in faults]


class _Error(msgspec.Struct):
    status: int
    code: str
    title: str
    detail: str
    source: dict[str, str]
    id: str = msgspec.field(default_factory=lambda: str(uuid4()))
    links: dict[str, str] = {}
    meta: dict[str, str] = {}


class _Envelope(msgspec.Struct):
    errors: list[_Error]


def encode_refusal(refusal: Refusal) -> bytes:
    """Return the body that answers a refused request."""
    return msgspec.json.encode(_Envelope(refusal.errors))
