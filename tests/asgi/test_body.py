"""Bodies and headers from ASGI messages."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from edgewise.asgi.body import LARGE_BYTES, header, parse_body, read_body
from edgewise.errors import BodyTooLarge

LIMIT_BYTES = 8


def read(*messages: Message, announced: bytes = b"") -> bytes:
    """Return the body that these messages carry."""
    waiting = iter(messages)
    scope: dict[str, Any] = {"headers": [(b"content-length", announced)] if announced else []}

    async def receive() -> Message:
        return next(waiting)

    return asyncio.run(read_body(scope, receive, LIMIT_BYTES))


def part(body: bytes, *, more: bool = True) -> Message:
    """Return a message with a part of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        pytest.param([{"type": "http.request"}], b"", id="nothing"),
        pytest.param([part(b"12345678", more=False)], b"12345678", id="one-part-at-the-limit"),
        pytest.param(
            [part(b"12"), part(b""), part(b"345678", more=False)], b"12345678", id="parts"
        ),
        pytest.param([part(b"12"), {"type": "http.request"}], b"12", id="empty-end"),
    ],
)
def test_parts_are_joined(messages: list[Message], body: bytes) -> None:
    """A body is the sum of its parts."""
    assert read(*messages) == body


@pytest.mark.parametrize("announced", [b"9", b"9" * 5000, b"0009"])
def test_announced_size_is_refused_unread(announced: bytes) -> None:
    """A length over the limit is refused before anything is read."""
    with pytest.raises(BodyTooLarge) as caught:
        read(announced=announced)
    assert caught.value.limit_bytes == LIMIT_BYTES


@pytest.mark.parametrize("announced", [b"", b"2", b"-9", b"many"])
def test_received_size_is_refused(announced: bytes) -> None:
    """More bytes than the limit are refused, whatever was announced."""
    with pytest.raises(BodyTooLarge):
        read(part(b"12345"), part(b"6789"), announced=announced)


def test_departure_is_told() -> None:
    """A client that leaves before the end is no body."""
    with pytest.raises(ClientDisconnect):
        read(part(b"12"), {"type": "http.disconnect"})


def test_first_header_counts() -> None:
    """The first header of a name is found, a missing one is empty."""
    scope: dict[str, Any] = {"headers": [(b"a", b"1"), (b"b", b"2"), (b"b", b"3")]}
    assert (header(scope, b"b"), header(scope, b"c")) == (b"2", b"")


@pytest.mark.parametrize(
    ("size_bytes", "is_beside"),
    [
        pytest.param(LARGE_BYTES - 1, False, id="small"),
        pytest.param(LARGE_BYTES, True, id="large"),
    ],
)
def test_large_bodies_are_parsed_beside_the_loop(size_bytes: int, *, is_beside: bool) -> None:
    """Only a large body is parsed in another thread than the event loop's."""
    parsed = asyncio.run(
        parse_body(bytes(size_bytes), lambda body: (len(body), threading.get_ident()))
    )
    assert parsed[0] == size_bytes
    assert (parsed[1] != threading.get_ident()) is is_beside


@pytest.mark.parametrize("size_bytes", [1, LARGE_BYTES])
def test_what_parsing_raises_is_raised(size_bytes: int) -> None:
    """A refusal comes through, wherever the body was parsed."""

    def refuse(body: bytes) -> None:
        raise BodyTooLarge(len(body))

    with pytest.raises(BodyTooLarge):
        asyncio.run(parse_body(bytes(size_bytes), refuse))
