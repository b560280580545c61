"""Which messages a profile has already counted: the record's first line of deduplication."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgewise.merging import KEPT_MESSAGE_KEYS, MESSAGE_KEY_BYTES
from edgewise.model.event import ReceivedEvent
from edgewise.model.profile import Profile

_FULL_BYTES = KEPT_MESSAGE_KEYS * MESSAGE_KEY_BYTES


def unseen(profile: Profile, received: Sequence[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the events whose messages the record does not remember, in the same order."""
    kept = profile.message_ids
    if not kept:
        return list(received)
    return [event for event in received if not _holds(kept, event.message_key)]


def may_be_forgotten(profile: Profile, event: ReceivedEvent, arrival_ms: int) -> bool:
    """Return whether an unseen event could be a message that the record has had to forget.

    Only a record that is full has forgotten any, and what it forgot is no later than the last
    event of its session. An event without a time of its own gives no such hint.
    """
    if len(profile.message_ids) < _FULL_BYTES:
        return False
    return event.time_ms <= profile.session.last_ms or event.time_ms >= arrival_ms


def remember(profile: Profile, keys: Iterable[int]) -> None:
    """Add messages to the record, which keeps the newest of them."""
    added = b"".join(key.to_bytes(MESSAGE_KEY_BYTES, "big") for key in keys)
    profile.message_ids = (profile.message_ids + added)[-_FULL_BYTES:]


def _holds(kept: bytes, message_key: int) -> bool:
    key = message_key.to_bytes(MESSAGE_KEY_BYTES, "big")
    place = kept.find(key)
    # A hit that straddles two keys is none.
    while place > 0 and place % MESSAGE_KEY_BYTES:
        place = kept.find(key, place + 1)
    return place >= 0
