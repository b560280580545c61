"""The trace that an answer belongs to."""

from __future__ import annotations

import random
import re

import pytest

from edgewise.asgi.trace import continue_trace

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("incoming", "flags"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", "01", id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", "00", id="not-sampled"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01", "01", id="later-version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-more", "01", id="later-version-with-more"),
    ],
)
def test_trace_goes_on(incoming: str, flags: str) -> None:
    """The answer keeps the trace and its flags, in a span of its own."""
    version, trace, span, answered = continue_trace(incoming.encode()).decode().split("-")
    assert (version, trace, answered) == ("00", TRACE, flags)
    assert re.fullmatch("[0-9a-f]{16}", span)
    assert span != SPAN


@pytest.mark.parametrize(
    "incoming",
    [
        pytest.param("", id="none"),
        pytest.param(f"00-{TRACE}-{SPAN}", id="without-flags"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="version-0-with-more"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01more", id="more-without-hyphen"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="forbidden-version"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="zero-trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="zero-span"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="upper-case"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\n", id="line-end"),
    ],
)
def test_malformed_trace_counts_as_none(incoming: str) -> None:
    """Without a valid trace the answer begins one that nobody asked to sample."""
    answered = continue_trace(incoming.encode()).decode()
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", answered)
    assert TRACE not in answered
    assert answered != continue_trace(incoming.encode()).decode()


def test_no_id_is_all_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance may give nothing but zeros, which neither a trace nor a span may be called."""
    monkeypatch.setattr(random, "getrandbits", lambda bits: 0)
    _, trace, span, _ = continue_trace(b"").split(b"-")
    assert int(trace, 16) > 0
    assert int(span, 16) > 0
