"""W3C trace context: the caller's trace goes on, with a span of our own."""

from __future__ import annotations

import random
import re

# A later version may append fields, and what version 00 has stays where it is.
_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})"
    rb"-(?P<trace>(?!0{32})[0-9a-f]{32})"
    rb"-(?!0{16})[0-9a-f]{16}"
    rb"-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)

# Neither the id of a trace nor that of a span may be all zeros: their last bits are ones.
_NO_ZEROS = 1 << 64 | 1


def continue_trace(incoming: bytes) -> bytes:
    """Return the `traceparent` of an answer: the caller's trace if it sent one, else a new one.

    Source: W3C Trace Context, section 3.2; a malformed header counts as none.
    """
    parts = _TRACEPARENT.fullmatch(incoming) if incoming else None
    if parts is None or (parts["version"] == b"00" and parts["rest"]):
        digits = (random.getrandbits(192) | _NO_ZEROS).to_bytes(24, "big").hex()
        return f"00-{digits[:32]}-{digits[32:]}-00".encode()
    span = random.getrandbits(64) or 1
    return b"00-%b-%016x-%b" % (parts["trace"], span, parts["flags"])
