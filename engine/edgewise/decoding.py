"""Bytes of a request → events: lenient in what may be absent, exact about what is present.

One fast pass of msgspec serves nearly all bodies. What msgspec refuses or the store cannot hold is
repaired by a slow pass (`edgewise.json_text`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import msgspec

from edgewise.errors import InvalidData
from edgewise.json_text import BOM, check_text, repair
from edgewise.model.event import (
    JOINED,
    OWN_MEMBERS,
    RESOLVED,
    TYPE_NAMES,
    Context,
    Event,
    Page,
)

MAX_EVENTS = 200
MAX_ID_LENGTH = 512

_E = TypeVar("_E", bound=Event)
_T = TypeVar("_T")

NO_FEATURES: frozenset[str] = frozenset()


class Update(msgspec.Struct, frozen=True, gc=False):
    """The events of one request, in array order.

    Shape: `raws[i]` is the JSON of `events[i]`, as sent or as repaired; `features` are the names
    of what the sender asks to be resolved; `places[i]` is where `events[i]` stood, if others that
    stood between them are in an update of their own.
    """

    events: list[Event]
    raws: list[bytes]
    features: frozenset[str] = NO_FEATURES
    places: Sequence[int] = ()


class _Options(msgspec.Struct, gc=False):
    features: list[str] | None = None


class _Envelope(msgspec.Struct, gc=False):
    events: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    options: _Options | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT = msgspec.json.Decoder(Event)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STORED = msgspec.msgpack.Encoder()
# Written by whatever thread decodes, and read by none: only whether encoding works is asked.
_SCRATCH = bytearray()
_REPAIRED = (msgspec.DecodeError, OverflowError)

# A body with none of them has no member of such a name: what can be written with an escape in the
# place of a character of a name begins like the last.
_RESOLVED = RESOLVED.encode()
_JOINED = JOINED.encode()
_ESCAPED = b"\\u00"
_EVENTS = b'{"events":[{'
_OPTIONS = b'}],"options":{'

# A site sends the same options again and again.
_LONGEST_REPEATED = 256

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_EXPECTED = re.compile(r"Expected `([^`]*)`")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_NOUNS = {
    "array": "an array",
    "bool": "a boolean",
    "float": "a number",
    "object": "an object",
    "str": "a string",
}


def decode_update(body: bytes, max_events: int = MAX_EVENTS) -> Update:
    """Return the events of a request body, whatever content type it came with.

    What only the engine itself adds to an event is left out: nobody may send it.

    Errors: InvalidData that names the place, such as `events[3].traits: expected an object`.
    Cost: about 5 µs for an event of a kilobyte; the slow pass costs tenfold.
    """
    body = body.removeprefix(BOM)
    check_text(body)
    may_have_own = _may_have_own(body)
    if not may_have_own:
        found = _decode_lone(body)
        if found is not None:
            return found
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.DecodeError:
        if not body.strip():
            raise InvalidData("body: expected an object, found nothing") from None
        envelope = _decode_repaired(_ENVELOPE, body, "")[0]
    parts = envelope.events
    if parts is msgspec.UNSET:
        raise InvalidData("events: required")
    if parts is None:
        raise InvalidData("events: expected an array")
    if not 1 <= len(parts) <= max_events:
        raise InvalidData(f"events: expected 1 to {max_events} events")
    events: list[Event] = []
    raws: list[bytes] = []
    for part in parts:
        data = _without_own(bytes(part)) if may_have_own else bytes(part)
        event, raw = _decode_event(data, len(events))
        events.append(event)
        raws.append(raw)
    return Update(events, raws, _features(envelope))


def _decode_lone(body: bytes) -> Update | None:
    """The update of a body that holds one event and then the options, as SDKs write it.

    The event need not be skipped over to find its end first. Whatever is unusual about the body
    gives None: then it is another's to read, or to refuse.
    """
    end = body.rfind(_OPTIONS)
    if end < 0 or not body.startswith(_EVENTS):
        return None
    features = _options_again(body[end + 3 :])
    if features is None:
        return None
    raw = body[len(_EVENTS) - 1 : end + 1]
    try:
        event = _EVENT.decode(raw)
        _require_storable(event)
    except _REPAIRED:
        return None
    _complete(event, 0)
    return Update([event], [raw], features)


def _options_again(text: bytes) -> frozenset[str] | None:
    """The features in the end of a body, from `"options"` on; None where it holds events too."""
    return _parse_options_again(text) if len(text) <= _LONGEST_REPEATED else _parse_options(text)


def _parse_options(text: bytes) -> frozenset[str] | None:
    # A name with an escape in it was not let through to here.
    if b'"events"' in text:
        return None
    try:
        return _features(_ENVELOPE.decode(b"{" + text))
    except msgspec.DecodeError:
        return None


_parse_options_again = lru_cache(maxsize=256)(_parse_options)


def _features(envelope: _Envelope) -> frozenset[str]:
    features = envelope.options.features if envelope.options else None
    return frozenset(features) if features else NO_FEATURES


def decode_event(raw: bytes) -> Event:
    """Return one event from its JSON, such as the log holds.

    Errors: InvalidData that names the place.
    """
    return _decode_logged(raw)[0]


def check_event(raw: bytes) -> bytes:
    """Return the JSON of an event that `decode_event` takes, repaired where it has to be.

    Errors: as `decode_event`.
    """
    return _decode_logged(raw)[1]


def decode_checked(raw: bytes) -> Event:
    """Return the event of what `check_event` has returned, or what `decode_as` has taken.

    Cost: half of `decode_event`.
    """
    event = _EVENT.decode(raw)
    _fill(event)
    return event


def decode_repairable(decoder: msgspec.json.Decoder[_T], raw: bytes) -> tuple[_T, bytes]:
    """Return what a decoder reads of some JSON, and that JSON, both as repaired.

    Errors: InvalidData for what is wrong in itself.
    """
    check_text(raw)
    try:
        return decoder.decode(raw), raw
    except msgspec.DecodeError:
        return _decode_repaired(decoder, raw, "")


def decode_as(decoder: msgspec.json.Decoder[_E], raw: bytes) -> _E | None:
    """Return an event with what else a decoder reads of its JSON.

    None where nothing short of `check_event` can tell what is wrong with it, or repair it.
    """
    try:
        check_text(raw)
        event = decoder.decode(raw)
        _require_storable(event)
        _check_resolved(event)
        _complete(event, None)
    except (*_REPAIRED, UnicodeDecodeError, RecursionError, InvalidData):
        return None
    return event


def decode_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object of any members, repaired where the store could not hold it.

    Errors: InvalidData for what is no JSON, no object or nested too deep.
    """
    body = body.removeprefix(BOM)
    check_text(body)
    try:
        tree = _OBJECT.decode(body)
        _STORED.encode(tree)
    except _REPAIRED:
        tree = _decode_repaired(_OBJECT, body, "")[0]
    return tree


def check_id(text: str, place: str) -> None:
    """Refuse an id that a caller made up too freely to be a key.

    Errors: InvalidData for more than 512 characters or a control character.
    """
    if len(text) > MAX_ID_LENGTH:
        raise InvalidData(f"{place}: expected at most {MAX_ID_LENGTH} characters")
    if _has_control(text):
        raise InvalidData(f"{place}: expected no control characters")


def _has_control(text: str) -> bool:
    return not text.isprintable() and _CONTROL.search(text) is not None


def _decode_event(raw: bytes, index: int | None) -> tuple[Event, bytes]:
    """An event and its JSON; `index` is its place in the request, if it came with one."""
    try:
        event = _EVENT.decode(raw)
        _require_storable(event)
    except _REPAIRED:
        event, raw = _decode_repaired(_EVENT, raw, _place_of(index))
    _complete(event, index)
    return event, raw


def _decode_logged(raw: bytes) -> tuple[Event, bytes]:
    check_text(raw)
    event, raw = _decode_event(raw, None)
    _check_resolved(event)
    return event, raw


def _may_have_own(body: bytes) -> bool:
    # A single byte is found many times as fast as several, and most bodies have neither. `find`
    # looks at many bytes at once, `in` at one after the other.
    start = body.find(b"$")
    if start >= 0 and (body.find(_RESOLVED, start) >= 0 or body.find(_JOINED, start) >= 0):
        return True
    return body.find(b"\\") >= 0 and _ESCAPED in body


def _without_own(raw: bytes) -> bytes:
    """An event as it was sent, but for the members that nobody may send."""
    try:
        members = _MEMBERS.decode(raw)
    except msgspec.ValidationError:
        return raw  # It is no object, and refused as such.
    except msgspec.DecodeError:
        raw = repair(raw)
        try:
            members = _MEMBERS.decode(raw)
        except msgspec.ValidationError:
            return raw
    kept = {name: member for name, member in members.items() if name not in OWN_MEMBERS}
    return raw if len(kept) == len(members) else msgspec.json.encode(kept)


def _check_resolved(event: Event) -> None:
    if event.resolved is None:
        return
    try:
        _STORED.encode(event.resolved.traits)
    except OverflowError:
        raise InvalidData(f"event.{RESOLVED}.traits: number out of range") from None


def _require_storable(event: Event) -> None:
    """Raise OverflowError where an event has a number that a record could not hold.

    Only these members may hold any; everything else has a type that bounds its numbers.
    """
    context = event.context
    page = context.page if context else None
    query = page.query if page else None
    _STORED.encode_into((event.properties, event.traits, event.trait_patch, query), _SCRATCH)


def _place_of(index: int | None) -> str:
    return "event" if index is None else f"events[{index}]"


def _decode_repaired(
    decoder: msgspec.json.Decoder[_T], data: bytes, place: str
) -> tuple[_T, bytes]:
    """What the fast pass could not decode, or the store not hold, and its JSON as repaired.

    Errors: InvalidData for what is wrong in itself.
    """
    try:
        decoder.decode(data)
    except msgspec.ValidationError as error:
        _refuse(error, place)
    except msgspec.DecodeError:
        pass
    data = repair(data)
    try:
        return decoder.decode(data), data
    except msgspec.ValidationError as error:
        _refuse(error, place)


def _refuse(error: msgspec.ValidationError, place: str) -> NoReturn:
    text, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    if missing := _MISSING.match(text):
        path = f"{path}.{missing[1]}"
        text = "required"
    elif expected := _EXPECTED.match(text):
        kinds = expected[1].split(" | ")
        text = "expected " + " or ".join(_NOUNS[kind] for kind in kinds if kind in _NOUNS)
    else:
        text = text[0].lower() + text[1:]
    where = f"{place}{path}".lstrip(".") or "body"
    raise InvalidData(f"{where}: {text}") from None


def _complete(event: Event, index: int | None) -> None:
    """Check what a type of event requires, and fill in what it may leave out."""
    kind = event.type
    if kind == "page":
        _fill_page(event)
    elif kind == "track":
        _require(event.event, index, "event")
    elif kind == "identify":
        _fill_traits(event)
    elif kind == "component":
        _require(event.component_id, index, "componentId")
    elif kind not in TYPE_NAMES:
        raise InvalidData(f"{_place_of(index)}.type: unknown event type")
    if event.user_id:
        _check_member_id(event.user_id, index, "userId")
    if event.anonymous_id:
        _check_member_id(event.anonymous_id, index, "anonymousId")


def _check_member_id(text: str, index: int | None, member: str) -> None:
    # The place is made up only where it is told.
    if len(text) > MAX_ID_LENGTH or _has_control(text):
        check_id(text, f"{_place_of(index)}.{member}")


def _fill(event: Event) -> None:
    """Fill in what an event may leave out, as `_complete` does."""
    kind = event.type
    if kind == "page":
        _fill_page(event)
    elif kind == "identify":
        _fill_traits(event)


def _fill_traits(event: Event) -> None:
    if event.traits is None:
        event.traits = {}


def _require(text: str | None, index: int | None, member: str) -> None:
    if not text:
        place = f"{_place_of(index)}.{member}"
        raise InvalidData(f"{place}: expected a string that is not empty")


def _fill_page(event: Event) -> None:
    if event.context is None:
        event.context = Context()
    if event.context.page is None and event.properties:
        event.context.page = _page_of(event.properties)


def _page_of(properties: dict[str, Any]) -> Page | None:
    found = {
        name: properties[name]
        for name in ("path", "referrer", "search", "url")
        if isinstance(properties.get(name), str)
    }
    if isinstance(properties.get("query"), dict):
        found["query"] = properties["query"]
    return Page(**found) if found else None
