"""Recorded events in a file → the requests they came with.

A file has a line per event or per request, as `edgewise simulate` reads them, or it is one JSON
text: the body of a request, or a list of events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import msgspec

from edgewise.decoding import MAX_EVENTS, check_event
from edgewise.errors import InputError, InvalidData
from edgewise.printable import shortened
from edgewise.simulate.files import read_lines
from edgewise.simulate.requests import LONGEST_REASON, LineReader, Record

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_JSON_ERRORS = (msgspec.DecodeError, RecursionError)
_EMPTY = (b"null", b'""')
# What a request says of all of its events, and what only a recorded line says of an event.
_SHARED = ("environment", "receivedAt")
_RECORDED = ("profileId", *_SHARED)
# How the place of a fault begins where an event stands alone.
_ALONE = re.compile(r"(?:event|body)(?:\.|: )")

_Line = tuple[int, bytes]
_Members = Mapping[str, msgspec.Raw]


class Part(msgspec.Struct, frozen=True):
    """One event or request of a file, where it stands, and its number, from 1."""

    place: str
    number: int
    data: bytes


class Recording(msgspec.Struct):
    """What a file holds.

    Args:
        parts: how many events or requests there are, broken ones included.
        records: the requests in the order of the file. The name of one that names nobody is empty,
            and the arrival of one that tells no time is 0.
        broken: how many parts cannot be read.
        first_broken: where the first of them stands, and what is wrong with it.
    """

    parts: int = 0
    records: list[Record] = []
    broken: int = 0
    first_broken: str = ""


def read_recording(path: str, environments: Sequence[str], environment: str) -> Recording:
    """Return the requests of a file; "-" is standard input.

    Args:
        environments: what lines may name, as "organization/environment".
        environment: whose a line is that names none.
    Errors: InputError for a file that cannot be read or that holds no events, and for the body of
        a request with a broken event.
    Cost: the whole file is held in memory.
    """
    reader = LineReader(environments, environment, 0, partial=True)
    found = Recording()
    for part in _parts(path):
        found.parts += 1
        try:
            found.records.append(reader.read(part.number, part.data)[0])
        except InvalidData as error:
            found.broken += 1
            found.first_broken = found.first_broken or _fault(part.place, error)
    if not found.parts:
        raise InputError(f"{path}: there are no events in it")
    return found


def _parts(path: str) -> Iterator[Part]:
    lines = read_lines(path)
    first, second = next(lines, None), next(lines, None)
    if first is None:
        return
    if second is not None and _members(first[1]) is not None:
        yield from _lines(path, chain((first, second), lines))
        return
    held = [first, *([second] if second else ()), *lines]
    text = b"\n".join(data for _, data in held)
    if text.startswith(b"["):
        yield from _requests(path, {}, text)
        return
    members = _members(text)
    if members is None:
        yield from _lines(path, held)
    elif "events" in members:
        yield from _requests(path, members, bytes(members["events"]))
    else:
        yield Part(path, 1, text)


def _lines(path: str, lines: Iterable[_Line]) -> Iterator[Part]:
    for number, data in lines:
        yield Part(f"{path}, line {number}", number, data)


def _requests(path: str, request: _Members, text: bytes) -> Iterator[Part]:
    """The requests that a list of events is, with what stands beside it."""
    try:
        events = [bytes(event) for event in _LIST.decode(text)]
    except msgspec.ValidationError:
        return
    except _JSON_ERRORS as error:
        raise InputError(f"{path}: no events can be read: {error}") from error
    places = [f"{path}, event {number}" for number in range(1, len(events) + 1)]
    if _stand_alone(request, events):
        shared = {name: request[name] for name in _SHARED if name in request}
        for number, (place, event) in enumerate(zip(places, events, strict=True), 1):
            yield Part(place, number, _with(shared, event))
        return
    checked = [_checked(place, event) for place, event in zip(places, events, strict=True)]
    for start in range(0, len(checked), MAX_EVENTS):
        some = b"[" + b",".join(checked[start : start + MAX_EVENTS]) + b"]"
        body = msgspec.json.encode({**request, "events": msgspec.Raw(some)})
        yield Part(path, start + 1, body)


def _stand_alone(request: _Members, events: Iterable[bytes]) -> bool:
    """Whether events have not come in one request: they were recorded, or are of several."""
    if "profileId" in request:
        return False
    found = [members for event in events if (members := _members(event)) is not None]
    names = {bytes(one["anonymousId"]) for one in found if "anonymousId" in one}
    return len(names.difference(_EMPTY)) > 1 or any(
        name in members for members in found for name in _RECORDED
    )


def _with(shared: _Members, event: bytes) -> bytes:
    members = _members(event) if shared else None
    return event if members is None else msgspec.json.encode({**shared, **members})


def _members(text: bytes) -> _Members | None:
    """The members of a JSON object; None for what is none."""
    try:
        return _OBJECT.decode(text)
    except _JSON_ERRORS:
        return None


def _checked(place: str, event: bytes) -> bytes:
    try:
        return check_event(event)
    except InvalidData as error:
        raise InputError(_fault(place, error)) from error


def _fault(place: str, error: InvalidData) -> str:
    reason = shortened(_ALONE.sub("", error.message, count=1), LONGEST_REASON)
    return f"{place}: {reason}"
