"""An ASGI callable that reads a body and answers as many bytes as the engine does."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.types import Receive, Scope, Send

_ANSWER = Path(os.environ.get("EDGEWISE_BENCH_ANSWER", os.devnull)).read_bytes()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"x-edgewise-ruleset", b"00000000"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(_ANSWER)),
        (b"cache-control", b"no-store"),
        (b"access-control-allow-origin", b"*"),
        (
            b"access-control-expose-headers",
            b"traceparent, retry-after, x-edgewise-ruleset, x-edgewise-preview",
        ),
        (b"traceparent", b"00-00000000000000000000000000000001-0000000000000001-00"),
    ],
}
BODY = {"type": "http.response.body", "body": _ANSWER}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body", False):
        pass
    await send(START)
    await send(BODY)
