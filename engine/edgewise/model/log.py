"""One line of the event log."""

from __future__ import annotations

import msgspec


class LogEntry(msgspec.Struct, frozen=True):
    """An accepted event of one profile; (profile_id, message_key) occurs once in a log.

    Units: `time_ms` is the event's own time, `arrival_ms` when the request came, both in
    milliseconds since 1970. `environment` is "organization/environment". `event` is its JSON.
    """

    environment: str
    profile_id: str
    message_key: int
    time_ms: int
    arrival_ms: int
    event: bytes
