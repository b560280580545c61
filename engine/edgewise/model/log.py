"""One line of the event log."""

from __future__ import annotations

import msgspec


class LogEntry(msgspec.Struct, frozen=True, gc=False):
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


_INTERACTIONS = ":interactions"


def interaction_log(profile_id: str) -> str:
    """Return under which id a log has what a visitor did with what was shown.

    It is a log of its own: what fills it counts for no audience, opens no session, and takes no
    place from the visits in the profile's log.
    """
    return profile_id + _INTERACTIONS


def is_interaction_log(profile_id: str) -> bool:
    """Return whether the entries under an id of the log are interactions and no visits."""
    return profile_id.endswith(_INTERACTIONS)
