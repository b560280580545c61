"""Refusals in the form of JSON:API, as Klaviyo's clients read them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec

from edgewise.asgi.cors import Headers
from edgewise.ingest.klaviyo_model import Problem

_INVALID = ("invalid", "Invalid input.")


class Refusal(Exception):
    """A request that is answered with an error; never leaves the HTTP layer.

    Args:
        source: where in the request it is, by default all of it.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        source: dict[str, str] | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = headers
        self.errors = [_Error(status, code, title, detail, source or {"pointer": "/data"})]


class InvalidInput(Refusal):
    """A request with one or more places that are wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(400, *_INVALID, "")
        self.errors = [
            _Error(400, *_INVALID, problem.detail, {"pointer": problem.pointer})
            for problem in problems
        ]


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
