"""A server on this machine that answers as the Reveal API of Albacross does, or worse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec

from edgewise.enrich.albacross import PATH, AlbacrossSettings
from edgewise.secret import Secret

KEY = "the-key-of-the-tests"

# Addresses of the public internet; nobody but the server of a test is ever asked about them.
LONDON = "81.2.69.142"
BOXFORD = "2.125.160.216"
LINKOEPING = "89.160.20.112"
JAPAN_IPV6 = "2001:218::1"

COMPANY: dict[str, Any] = {
    "name": "Fjäll & Skog AB",
    "country": "SE",
    "url": "fjall.example",
    "founded_year": 1987,
    "address": {"city": "Östersund", "zip_code": "831 30", "state": None},
    "employees": {"from": 201, "to": 500, "range": "201-500"},
    "nace_code": {"code": "47.64", "category": "Retail sale of sporting equipment"},
}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request gets.

    Args:
        delay_s: how long nothing happens before.
        drip_s: pause after each byte of the body; 0 sends it as one.
        cut: the connection is closed after this many bytes of the body.
        endless: the body goes on for ever, without a length.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    delay_s: float = 0.0
    drip_s: float = 0.0
    cut: int | None = None
    endless: bool = False


FOUND = Answer(body=json.dumps(COMPANY).encode())
NO_MATCH = Answer(status=204)


def refusal(status: int) -> Answer:
    """An error as the API words it; it repeats the key, as no API should."""
    body = json.dumps({"infos": [], "errors": [f"no: Api-Key {KEY}"]}).encode()
    return Answer(status=status, body=body)


class AlbacrossApi:
    """Answers `GET /company/{ipv4}`.

    Attributes:
        answers: what the next requests get, one after the other; then all get `answer`.
        gate: requests are answered once it is set, as it is unless a test clears it.
        requests: the path of every request.
        connections: how many have been opened.
        handlers: the tasks of those that are still open.
    """

    def __init__(self, answer: Answer = FOUND) -> None:
        self.answer = answer
        self.answers: list[Answer] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[str] = []
        self.authorizations: list[str] = []
        self.connections = 0
        self.url = ""
        self._arrival = asyncio.Event()
        self.handlers: set[asyncio.Task[Any]] = set()

    def settings(self, key: str = KEY) -> AlbacrossSettings:
        """How a client gets here."""
        return AlbacrossSettings(key=Secret(key), url=f"{self.url}{PATH}")

    async def arrived(self, count: int) -> None:
        """Return once that many requests have come."""
        while len(self.requests) < count:
            self._arrival.clear()
            await self._arrival.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[AlbacrossApi]:
        """Serve on a free port until the block ends, answered or not."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for handler in self.handlers:
                handler.cancel()
            await asyncio.gather(*self.handlers, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self.handlers.add(handler)
        handler.add_done_callback(self.handlers.discard)
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client has gone.
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request, and tell whether the connection takes another."""
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        self.requests.append(request.split(" ")[1])
        self._arrival.set()
        self.authorizations.append(headers.get("authorization", ""))
        answer = self.answers.pop(0) if self.answers else self.answer
        await self.gate.wait()
        await asyncio.sleep(answer.delay_s)
        writer.write(_head_of(answer))
        if answer.endless:
            while True:
                writer.write(b" " * 4096)
                await writer.drain()
        for position in range(len(answer.body)) if answer.drip_s else ():
            writer.write(answer.body[position : position + 1])
            await asyncio.sleep(answer.drip_s)
        if not answer.drip_s:
            writer.write(answer.body[: answer.cut])
        await writer.drain()
        return answer.cut is None


def _head_of(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if not answer.endless and answer.status != 204:
        lines.append(f"content-length: {len(answer.body)}")
    return "\r\n".join([*lines, "", ""]).encode()
