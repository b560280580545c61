"""One recorded line → one request: who, when, and the events as they were sent.

A line is an event with `receivedAt`, `profileId` and `environment` beside its own members, or the
body of a request with the same three beside its `events`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from edgewise.decoding import (
    MAX_EVENTS,
    Update,
    check_event,
    check_id,
    decode_as,
    decode_checked,
    decode_repairable,
)
from edgewise.errors import InvalidData
from edgewise.model.event import JOINED, Event, Joins, ReceivedEvent
from edgewise.printable import printable, shortened
from edgewise.receiving import CLAIMING_TYPES, parse_time, receive, receive_again
from edgewise.values import text_of

LATEST_ARRIVAL_MS = 4_102_444_800_000
"""The year 2100: whatever is newer was no time in milliseconds, or comes from a broken clock."""

_NO_OBJECT = "body: expected an object"
_KINDS = {"[": "a list", '"': "a text", "t": "a boolean", "f": "a boolean", "n": "null"}
_OWN_TIMES = ("timestamp", "originalTimestamp", "sentAt")


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One recorded request, in the shape in which it is spooled.

    Args:
        environment: "organization/environment".
        name: the id that the request named, as in the URL or in the batch; in the log of a store
            the id of the profile that its events were counted for.
        source, line: the number of the input, from 0, and the line in it, from 1.
        related: the user ids that the visitor was identified by, and the ids of profiles that were
            joined, for finding who belongs together.
        events: the JSON of each event, in array order; checked before anything is replayed.
        logged: the message key and the time of each event, and then these are new to their profile
            and in the order in which they fold; empty for a request as it was sent.
    """

    environment: str
    name: str
    arrival_ms: int
    source: int
    line: int
    related: tuple[str, ...]
    events: list[bytes]
    logged: tuple[tuple[int, int], ...] = ()


MOST_BROKEN_SHOWN = 20
"""How many of the broken lines are told one by one, whoever finds them."""

LONGEST_REASON = 199


class BrokenLine(msgspec.Struct, frozen=True, order=True):
    """A line that cannot be replayed, and why."""

    source: int
    line: int
    reason: str


def broken_line(source: int, line: int, reason: str) -> BrokenLine:
    """Return a line that cannot be replayed; of a reason with a long text in it, the beginning."""
    return BrokenLine(source, line, shortened(printable(reason), LONGEST_REASON))


class _Head(msgspec.Struct, rename="camel", gc=False):
    """The members of an event, or of a request, that tell whose it is and from when."""

    type: str | None = None
    environment: str | None = None
    profile_id: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    received_at: str | float | None = None
    timestamp: str | float | None = None
    original_timestamp: str | float | None = None
    sent_at: str | float | None = None
    events: list[msgspec.Raw] | None = None
    joined: Joins | None = msgspec.field(default=None, name=JOINED)


class _LoneEvent(Event, kw_only=True, rename="camel", gc=False):
    """A line that is one event, as nearly all are, with the members that tell whose it is."""

    environment: str | None = None
    profile_id: str | None = None
    received_at: str | float | None = None
    events: list[msgspec.Raw] | None = None


_HEAD = msgspec.json.Decoder(_Head)
_LONE_EVENT = msgspec.json.Decoder(_LoneEvent)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ADDED = frozenset({"environment", "profileId", "receivedAt"})

_AnyHead = _Head | _LoneEvent

Request = tuple[Record, Update]
"""A request as it is spooled and as it is replayed."""


class LineReader:
    """Reads lines of one input.

    Args:
        environments: what lines may name.
        environment: whose a line is that names none; empty makes such a line broken.
        partial: whether a line may name nobody and tell no time: the name of its record is empty
            then, and its arrival 0.
    """

    def __init__(
        self, environments: Sequence[str], environment: str, source: int, *, partial: bool = False
    ) -> None:
        self._environments = frozenset(environments)
        self._environment = environment
        self._source = source
        self._partial = partial

    def read(self, line: int, data: bytes) -> Request:
        """Return the request of one line, with its events checked.

        Errors: InvalidData for what cannot be replayed.
        """
        lone = decode_as(_LONE_EVENT, data)
        if lone is not None and (lone.events is not None or not lone.message_id):
            lone = None
        head, heads, events = (lone, [lone], [data]) if lone else _read_any(data)
        name = head.profile_id or head.anonymous_id or head.user_id
        if not name:
            name = next(filter(None, map(_name_of, heads)), "")
        if not name and not self._partial:
            raise InvalidData("there is no profileId, anonymousId or userId")
        check_id(name, "profileId")
        environment = head.environment or self._environment
        if environment not in self._environments:
            raise _no_environment(environment)
        arrival_ms = parse_time(head.received_at)
        if arrival_ms is None:
            if head.received_at is not None:
                raise _no_time("receivedAt", head.received_at)
            arrival_ms = _own_arrival(heads)
            if not arrival_ms and not self._partial:
                raise InvalidData("there is no receivedAt and no timestamp")
            if arrival_ms >= LATEST_ARRIVAL_MS and self._partial:
                arrival_ms = 0  # By the clock of a visitor, which an answer would not follow.
        if arrival_ms >= LATEST_ARRIVAL_MS:
            raise InvalidData("the time lies after the year 2099")
        related = _related(heads)
        record = Record(environment, name, arrival_ms, self._source, line, related, events)
        if lone is None:
            return checked(record)
        return record, Update([lone], events)


def joins_of(event: bytes) -> Joins:
    """Return which profiles were joined before an event was counted.

    Errors: InvalidData for an event that cannot be read.
    """
    return _head_of(event).joined or ()


def checked(record: Record) -> Request:
    """Return a record with its events as a service takes them. Errors: InvalidData."""
    record = msgspec.structs.replace(record, events=[check_event(raw) for raw in record.events])
    return record, update_of(record)


def update_of(record: Record) -> Update:
    """Return the events of a record that is checked."""
    return Update([decode_checked(raw) for raw in record.events], record.events)


def received_of(record: Record, update: Update) -> list[ReceivedEvent]:
    """Return the events of a record as they were received, or as a service would receive them."""
    if record.logged:
        return receive_again(update, record.logged)
    return receive(update, record.name, record.arrival_ms)


def first_broken(broken: Iterable[BrokenLine]) -> list[BrokenLine]:
    """Return the broken lines that are shown of some: the first ones of the input."""
    return sorted(broken)[:MOST_BROKEN_SHOWN]


def line_reason(error: InvalidData, data: bytes) -> str:
    """Return what is wrong with a line that could not be decoded, in the words of lines."""
    if error.message != _NO_OBJECT:
        return error.message.removeprefix("body: ")
    kind = _KINDS.get(data.lstrip()[:1].decode(errors="replace"), "a number")
    return f"a line is one event or one request, not {kind}"


def _read_any(data: bytes) -> tuple[_Head, list[_Head], list[bytes]]:
    try:
        head, data = decode_repairable(_HEAD, data)
    except InvalidData as error:
        raise InvalidData(line_reason(error, data)) from None
    if head.events is None:
        return head, [head], [_bare(data)]
    if not 1 <= len(head.events) <= MAX_EVENTS:
        raise InvalidData(f"events: expected 1 to {MAX_EVENTS} events")
    events = [bytes(part) for part in head.events]
    return head, [_head_of_part(part, place) for place, part in enumerate(events)], events


def _head_of(data: bytes) -> _Head:
    return decode_repairable(_HEAD, data)[0]


def _head_of_part(part: bytes, place: int) -> _Head:
    try:
        return _head_of(part)
    except InvalidData as error:
        raise InvalidData(error.message.replace("body", f"events[{place}]", 1)) from None


def _bare(event: bytes) -> bytes:
    """A line as its event was sent: by that, events without a message id are told apart."""
    members = _MEMBERS.decode(event)
    kept = {name: member for name, member in members.items() if name not in _ADDED}
    return event if len(kept) == len(members) else msgspec.json.encode(kept)


def _name_of(head: _AnyHead) -> str:
    return head.profile_id or head.anonymous_id or head.user_id or ""


def _own_arrival(heads: Sequence[_AnyHead]) -> int:
    """The latest time that the events tell, 0 where they tell none."""
    times = [time_ms for one in heads if (time_ms := _own_time(one)) is not None]
    if times:
        return max(times)
    for one in heads:
        for name, value in zip(_OWN_TIMES, _own_times(one), strict=True):
            if value is not None:
                raise _no_time(name, value)
    return 0


def _own_time(head: _AnyHead) -> int | None:
    for value in _own_times(head):
        time_ms = parse_time(value)
        if time_ms is not None:
            return time_ms
    return None


def _own_times(head: _AnyHead) -> tuple[str | float | None, ...]:
    return head.timestamp, head.original_timestamp, head.sent_at


def _no_environment(environment: str) -> InvalidData:
    if not environment:
        return InvalidData("there is no environment, and the rules have more than one")
    return InvalidData(f'the rules have no environment "{environment}"')


def _no_time(name: str, value: str | float) -> InvalidData:
    shown = f'"{value}"' if isinstance(value, str) else text_of(value)
    return InvalidData(f"{name}: {shown} is no time (write it like 2026-11-01T12:00:00Z)")


def _related(heads: Sequence[_AnyHead]) -> tuple[str, ...]:
    found: list[str] = []
    for head in heads:
        if head.type in CLAIMING_TYPES and head.user_id:
            found.append(head.user_id)
        if head.joined:
            found += chain.from_iterable(head.joined)
    return tuple(found)
