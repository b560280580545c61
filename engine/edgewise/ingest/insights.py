"""Views, clicks and hovers of components, as browsers report them → checked events by profile.

Source: the Insights API, to which clients send an array of `{profile, events}`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from edgewise.decoding import Update, check_id, decode_update
from edgewise.errors import InvalidData
from edgewise.json_text import BOM

INTERACTION_TYPES = frozenset({"component", "component_click", "component_hover"})
COMPONENT_TYPES = frozenset({"Entry", "Variable"})
MAX_INTERACTIONS = 1_000
"""How many events one request may hold."""

MAX_VISITS = 200
"""How many items the array of one request may hold."""

_T = TypeVar("_T")


class Visit(msgspec.Struct, frozen=True):
    """What one visitor did with components; `name` is the id that the sender knows it by."""

    name: str
    update: Update


class _Profile(msgspec.Struct):
    id: Any = None


class _Item(msgspec.Struct):
    profile: msgspec.Raw = msgspec.Raw()
    events: msgspec.Raw = msgspec.Raw()


class _Event(msgspec.Struct, rename="camel"):
    """The members that are checked here; those of every event are checked by the decoding."""

    component_id: Any = None
    component_type: Any = None
    experience_id: Any = None
    variant_index: Any = None
    view_id: Any = None
    view_duration_ms: Any = None
    hover_id: Any = None
    hover_duration_ms: Any = None


_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_ITEM = msgspec.json.Decoder(_Item)
_PROFILE = msgspec.json.Decoder(_Profile)
_EVENT = msgspec.json.Decoder(_Event)

_LARGEST = 2**53  # Sums of what lies beyond are not exact.


def decode_visits(body: bytes) -> list[Visit]:
    """Return what the visitors of a request did, whatever content type it came with.

    Items without events are left out.

    Errors: InvalidData that names the place, such as `[0].events[3].variantIndex: expected a
        whole number from 0`.
    """
    items = _decode(_ITEMS, body.removeprefix(BOM), "body: expected an array")
    if len(items) > MAX_VISITS:
        raise InvalidData(f"body: expected at most {MAX_VISITS} items")
    visits = []
    left = MAX_INTERACTIONS
    for index, raw in enumerate(items):
        visit = _decode_visit(bytes(raw), f"[{index}]", left)
        if visit is not None:
            visits.append(visit)
            left -= len(visit.update.events)
    return visits


def _decode_visit(raw: bytes, place: str, left: int) -> Visit | None:
    item = _decode(_ITEM, raw, f"{place}: expected an object")
    expected = f"{place}.profile: expected an object"
    name = _decode(_PROFILE, bytes(item.profile), expected).id
    _require_text(name, f"{place}.profile.id")
    events = bytes(item.events)
    count = len(_decode(_ITEMS, events, f"{place}.events: expected an array"))
    if count > left:
        raise InvalidData(f"{place}.events: expected at most {MAX_INTERACTIONS} events in all")
    return Visit(name, _decode_events(events, place, count)) if count else None


def _decode_events(events: bytes, place: str, count: int) -> Update:
    try:
        update = decode_update(b'{"events":' + events + b"}", count)
    except InvalidData as error:
        is_placed = error.message.startswith("events")
        raise InvalidData(f"{place}.{error}" if is_placed else f"{place}: {error}") from None
    for index, (event, raw) in enumerate(zip(update.events, update.raws, strict=True)):
        where = f"{place}.events[{index}]"
        _check(event.type, _decode(_EVENT, raw, f"{where}: cannot be read"), where)
    return update


def _check(kind: str, event: _Event, place: str) -> None:
    if kind not in INTERACTION_TYPES:
        raise InvalidData(f"{place}.type: expected component, component_click or component_hover")
    _require_text(event.component_id, f"{place}.componentId")
    if event.component_type is not None and event.component_type not in COMPONENT_TYPES:
        raise InvalidData(f"{place}.componentType: expected Entry or Variable")
    if event.experience_id is not None:
        _require_text(event.experience_id, f"{place}.experienceId")
    if event.variant_index is not None:
        _require_index(event.variant_index, f"{place}.variantIndex")
    if event.view_id is not None:
        _require_text(event.view_id, f"{place}.viewId")
    if event.view_duration_ms is not None:
        _require_duration(event.view_duration_ms, f"{place}.viewDurationMs")
    if kind == "component_hover":
        _require_text(event.hover_id, f"{place}.hoverId")
        _require_duration(event.hover_duration_ms, f"{place}.hoverDurationMs")


def _require_text(value: Any, place: str) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidData(f"{place}: expected a string that is not empty")
    check_id(value, place)


def _require_index(value: Any, place: str) -> None:
    if not _is_number(value) or value != int(value):
        raise InvalidData(f"{place}: expected a whole number from 0")


def _require_duration(value: Any, place: str) -> None:
    if not _is_number(value):
        raise InvalidData(f"{place}: expected a number of milliseconds")


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= _LARGEST


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes, expected: str) -> _T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError:
        raise InvalidData(expected) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A member that is absent decodes no better than what is no JSON.
        message = expected if not data else "body: not JSON"
        raise InvalidData(message) from None
