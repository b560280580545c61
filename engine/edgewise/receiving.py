"""Decoded events → the events to fold, in fold order, each with its time and its message key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from xxhash import xxh3_64_intdigest

from edgewise.decoding import Update
from edgewise.model.event import Event, ReceivedEvent

TOLERANCE_MS = 60_000
"""How far a sender's clock may be ahead."""

CLAIMING_TYPES = frozenset({"identify", "alias"})
"""The types of events by which a visitor is identified with a user id."""

NEWEST_FIRST_LIBRARY = "Ninetailed React Analytics SDK"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 24 * 60 * 60 * 1000
_LATEST_MS = 253_402_387_140_000  # The year 10000 in every time zone, and a number that fits.
_EARLIEST_MS = (
    946_684_800_000  # The year 2000: whatever is older came from a clock without a battery.
)


def receive(update: Update, profile_id: str, arrival_ms: int) -> list[ReceivedEvent]:
    """Return the events of one request in the order in which they fold.

    That is by time; equal times keep the order of the array, or its reverse where the sender
    queues newest first. Of events with one message key only the first remains.

    Args:
        profile_id: the id or name that the request was sent to, empty where it named none; what
            the keys of events without a message id are made from, besides content and time.
    Units: `arrival_ms` is milliseconds since 1970.
    Source: the browser SDK's queue, which is newest first; the optimization SDK's is oldest first.
    """
    if len(update.events) == 1 and not update.places:
        return [_receive(update.events[0], update.raws[0], profile_id, arrival_ms, 0)]
    places = update.places or range(len(update.events))
    return in_fold_order(
        _receive(event, raw, profile_id, arrival_ms, place)
        for event, raw, place in zip(update.events, update.raws, places, strict=True)
    )


def in_fold_order(items: Iterable[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the events of one visitor in one request as `receive` orders them, each key once."""
    ordered = sorted(items, key=lambda item: item.place)
    if _is_newest_first(ordered):
        ordered.reverse()
    # A clock that is ahead makes believed times equal; what it claimed still tells the order.
    ordered.sort(key=lambda item: (item.time_ms, _claimed_ms(item)))
    received: dict[int, ReceivedEvent] = {}
    for item in ordered:
        received.setdefault(item.message_key, item)
    return list(received.values())


def receive_again(update: Update, logged: Sequence[tuple[int, int]]) -> list[ReceivedEvent]:
    """Return the events of one request as they were when they went to the log.

    Args:
        update: the events in the order of the log, which is that in which they were folded.
        logged: the message key and the time of each.
    """
    received = []
    for event, raw, (key, time_ms) in zip(update.events, update.raws, logged, strict=True):
        own_ms = parse_time(event.timestamp) or parse_time(event.original_timestamp) or 0
        received.append(ReceivedEvent(event, time_ms, key, raw, own_ms))
    return received


def _receive(
    event: Event, raw: bytes, profile_id: str, arrival_ms: int, place: int
) -> ReceivedEvent:
    # The time that it was given when it happened, so that every resend repeats it.
    own_ms = parse_time(event.timestamp)
    if own_ms is None:
        own_ms = parse_time(event.original_timestamp)
    claimed_ms = _sent_ms(event, arrival_ms) if own_ms is None else own_ms
    time_ms = claimed_ms if claimed_ms <= arrival_ms + TOLERANCE_MS else arrival_ms
    if event.message_id:
        key = xxh3_64_intdigest(event.message_id.encode())
    else:
        # What was claimed and not what was believed, which is another time when the same comes
        # again.
        parts = (profile_id.encode(), raw, str(claimed_ms).encode())
        key = xxh3_64_intdigest(b"\0".join(parts))
    return ReceivedEvent(event, time_ms, key, raw, own_ms or 0, place)


def claimed_ids(received: Sequence[ReceivedEvent]) -> list[str]:
    """Return the user ids that a visitor was identified by, in fold order, each once."""
    found = []
    for item in received:
        event = item.event
        if event.user_id and event.type in CLAIMING_TYPES:
            found.append(event.user_id)
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def parse_time(value: str | float | None) -> int | None:
    """Return a time stamp in milliseconds since 1970, or None where it makes no sense.

    Shape: ISO 8601 text, UTC where it names no offset, or a number of milliseconds.
    Errors: none; times before the year 2000 make no sense either, and later than that of the year
        10000 is none.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        since = moment - _EPOCH
        time_ms = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    elif value is not None:
        time_ms = min(int(value), _LATEST_MS)
    else:
        return None
    return time_ms if time_ms >= _EARLIEST_MS else None


def _sent_ms(event: Event, arrival_ms: int) -> int:
    time_ms = parse_time(event.sent_at)
    return arrival_ms if time_ms is None else time_ms


def _is_newest_first(items: list[ReceivedEvent]) -> bool:
    if not items:
        return False
    context = items[0].event.context
    if context and context.library and context.library.name == NEWEST_FIRST_LIBRARY:
        return True
    claimed = [_claimed_ms(item) for item in items]
    return claimed[0] > claimed[-1] and all(newer >= older for newer, older in pairwise(claimed))


def _claimed_ms(item: ReceivedEvent) -> int:
    """When an event says that it happened, believed or not; where it does not, its own time."""
    return item.claimed_ms or item.time_ms
