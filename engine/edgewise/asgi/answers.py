"""An answer, and how it is sent: fixed headers are built once."""

from __future__ import annotations

import msgspec
from starlette.types import Message, Receive, Scope, Send

from edgewise.asgi.cors import CORS_HEADERS, Headers

_COMMON: Headers = ((b"cache-control", b"no-store"), *CORS_HEADERS)
_JSON = (b"content-type", b"application/json")


class Answer(msgspec.Struct, frozen=True):
    """A status, a JSON body, and the headers that only this answer has."""

    status: int = 200
    body: bytes = b""
    headers: Headers = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send this answer, as ASGI applications do."""
        headers = [*self._own_headers()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    async def send_in(self, traceparent: bytes, send: Send) -> None:
        """Send this answer with the headers that every answer has."""
        headers = [*self._own_headers(), *_COMMON, (b"traceparent", traceparent)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    def _own_headers(self) -> Headers:
        if self.status == 204:
            return self.headers
        return (*self.headers, _JSON, (b"content-length", b"%d" % len(self.body)))


class AnswerSend:
    """A `send` that gives every answer its common headers, and knows whether one has begun."""

    __slots__ = ("_send", "_traceparent", "begun")

    def __init__(self, send: Send, traceparent: bytes) -> None:
        self._send = send
        self._traceparent = traceparent
        self.begun = False

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message."""
        if message["type"] == "http.response.start":
            self.begun = True
            message["headers"] = [
                *message.get("headers", ()),
                *_COMMON,
                (b"traceparent", self._traceparent),
            ]
        await self._send(message)
