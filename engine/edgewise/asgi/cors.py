"""Cross-origin headers: any page may call, and may read what clients put into their messages."""

from __future__ import annotations

from starlette.types import Message, Scope, Send

from edgewise.asgi.body import header

Headers = tuple[tuple[bytes, bytes], ...]

CORS_HEADERS: Headers = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"traceparent, retry-after, x-edgewise-ruleset, x-edgewise-preview",
    ),
)
"""On every answer: without them a browser reports a network error in place of the status."""

PREFLIGHT_HEADERS: Headers = (
    (b"access-control-allow-methods", b"GET,POST,DELETE,OPTIONS"),
    (
        b"access-control-allow-headers",
        b"content-type,x-force-ip,authorization,traceparent,x-edgewise-preview",
    ),
    (b"access-control-max-age", b"86400"),
)
"""On the answer to OPTIONS, in addition."""

_ALLOW_ORIGIN = b"access-control-allow-origin"


def answering_origin(scope: Scope, send: Send) -> Send:
    """Return a `send` that names the caller's origin where the request is a report.

    Source: beacons are sent with credentials, and browsers then take no `*` for an answer.
    """
    origin = header(scope, b"origin")
    if not origin or not _is_report(scope["path"]):
        return send
    own = (
        (_ALLOW_ORIGIN, origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"origin"),
    )

    async def send_own(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [pair for pair in message["headers"] if pair[0] != _ALLOW_ORIGIN]
            message["headers"] = [*others, *own]
        await send(message)

    return send_own


def _is_report(path: str) -> bool:
    match path.rstrip("/").split("/")[-6:]:
        case ["v1", "organizations", _, "environments", _, "events"]:
            return True
    return False
