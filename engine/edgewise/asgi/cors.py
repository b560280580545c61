"""Cross-origin headers: any page may call, and may read what clients put into their messages."""

from __future__ import annotations

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
