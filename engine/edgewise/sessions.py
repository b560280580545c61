"""Sessions: periods of interaction without a break of more than 30 minutes."""

from __future__ import annotations

from typing import Any

import xxhash

from edgewise.model.event import Page
from edgewise.model.profiles import LandingPage, Profile, Session
from edgewise.values import text_of

LONGEST_BREAK_MS = 30 * 60 * 1000
"""The longest break inside a session; a break of exactly this length still belongs to it."""

# The first digit of a UUID's fourth part begins with the bits 10.
_VARIANT_DIGITS = {f"{digit:x}": f"{0b1000 | digit & 0b11:x}" for digit in range(16)}

REPORTING_APP = "klaviyo"
"""The application that reports what visitors did elsewhere."""


def is_visit(app: Any) -> bool:
    """Return whether a visitor was there, by the `context.app` of an event."""
    return not (isinstance(app, dict) and app.get("name") == REPORTING_APP)


def fold_session(profile: Profile, time_ms: int, page: Page | None) -> None:
    """Continue the active session, or start a new one after a long break.

    The very first event starts a session. A late event, one that is older than the last of the
    active session, changes nothing.

    Args:
        time_ms: the event's own time.
        page: where the event happened; it becomes the landing page if a session starts.
    Source: the session rule of the vendor's audience documents, in its newest form: a change of
        campaign does not start a session.
    """
    session = profile.session
    last_ms = session.last_ms
    if session.count and time_ms - last_ms <= LONGEST_BREAK_MS:
        if time_ms > last_ms:
            session.last_ms = time_ms
        return
    session.closed_ms += last_ms - session.started_ms
    session.count += 1
    session.started_ms = session.last_ms = time_ms
    session.landing_page = LandingPage() if page is None else _landing_page(page)
    session.id = _session_id(profile.id, session)


def _session_id(profile_id: str, session: Session) -> str:
    """A UUID of version 4 that folding the same events again gives again."""
    name = f"{profile_id} {session.count} {session.started_ms}"
    digits = xxhash.xxh3_128_hexdigest(name.encode())
    variant = _VARIANT_DIGITS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _landing_page(page: Page) -> LandingPage:
    return LandingPage(
        path=page.path or "",
        query={name: _query_text(value) for name, value in (page.query or {}).items()},
        referrer=page.referrer or "",
        search=page.search or "",
        url=page.url or "",
    )


def _query_text(value: Any) -> str:
    """The one text that clients accept in an answer; of a repeated parameter the first value."""
    while isinstance(value, list):
        value = value[0] if value else None
    return text_of(value)
