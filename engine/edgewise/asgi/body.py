"""Reading a request's body and headers straight from ASGI messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from edgewise.errors import BodyTooLarge

LARGE_BYTES = 64 * 1024
"""From here on a body is parsed beside the event loop, so that visitors do not wait for it."""

_LONGEST_LENGTH = 18  # More digits than any limit has, and fewer than int() refuses.

_T = TypeVar("_T")


def header(scope: Scope, name: bytes) -> bytes:
    """Return the first header of this lower-case name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return b""


async def read_body(scope: Scope, receive: Receive, limit_bytes: int) -> bytes:
    """Return the whole body.

    Errors: BodyTooLarge as soon as the announced or received size is over the limit;
        ClientDisconnect where the client leaves before the end.
    """
    if _is_too_long(header(scope, b"content-length"), limit_bytes):
        raise BodyTooLarge(limit_bytes)
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size_bytes += len(part)
        if size_bytes > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


async def parse_body(body: bytes, parse: Callable[[bytes], _T]) -> _T:
    """Return what a function makes of a body; with a large one it runs in a thread.

    Errors: those of the function.
    """
    if len(body) < LARGE_BYTES:
        return parse(body)
    return await asyncio.to_thread(parse, body)


def _is_too_long(announced: bytes, limit_bytes: int) -> bool:
    # Servers refuse a length that is no number; a bare ASGI caller is taken by what it sends.
    if not announced.isdigit():
        return False
    return len(announced) > _LONGEST_LENGTH or int(announced) > limit_bytes
