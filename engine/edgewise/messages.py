"""Which messages a profile has already counted: the record's first line of deduplication."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.merging import KEPT_MESSAGE_KEYS, MESSAGE_KEY_BYTES
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Profile

_FULL_BYTES = KEPT_MESSAGE_KEYS * MESSAGE_KEY_BYTES


def unseen(profile: Profile, received: Sequence[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the events whose messages the record does not remember, in the same order."""
    kept = profile.message_ids
    if not kept:
        return list(received)
    return [event for event in received if not _holds(kept, event.message_key)]


def has_forgotten(profile: Profile) -> bool:
    """Return whether the record is full, so that it may have had to forget a message."""
    return len(profile.message_ids) >= _FULL_BYTES


def may_be_forgotten(profile: Profile, event: ReceivedEvent) -> bool:
    """Return whether an unseen event could be a message that the record has had to forget.

    Only a record that is full has forgotten any. A message claims the same time whenever it is
    sent, and no message that was counted claimed a later one than `newest_claim_ms`; so an event
    that does is new. One that claims no time gives no such hint.
    """
    return has_forgotten(profile) and (
        not event.claimed_ms or event.claimed_ms <= profile.newest_claim_ms
    )


def remember(profile: Profile, counted: Sequence[ReceivedEvent]) -> bytes:
    """Add the messages of events to the record, which keeps the newest of them.

    Returns the keys for which there is no room any more, the oldest first.
    """
    kept, newest_claim_ms = profile.message_ids, profile.newest_claim_ms
    for event in counted:
        kept += event.message_key.to_bytes(MESSAGE_KEY_BYTES, "big")
        newest_claim_ms = max(newest_claim_ms, event.claimed_ms)
    profile.message_ids = kept[-_FULL_BYTES:]
    profile.newest_claim_ms = newest_claim_ms
    return kept[:-_FULL_BYTES]


def _holds(kept: bytes, message_key: int) -> bool:
    key = message_key.to_bytes(MESSAGE_KEY_BYTES, "big")
    place = kept.find(key)
    # A hit that straddles two keys is none.
    while place > 0 and place % MESSAGE_KEY_BYTES:
        place = kept.find(key, place + 1)
    return place >= 0
