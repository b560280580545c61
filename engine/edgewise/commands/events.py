"""What one visitor did, from a file: a request's body, a list of events, or one event per line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from edgewise.decoding import check_event
from edgewise.errors import InputError, InvalidData
from edgewise.json_text import BOM

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Any])
_NAMES = ("profileId", "anonymousId")
_MOST_NAMED = 2
# How the place of a fault begins where an event stands alone.
_ALONE = re.compile(r"(?:event|body)(?:\.|: )")


def read_events(path: Path) -> list[bytes]:
    """Return the JSON of each event of a file, checked as the service does.

    Errors: InputError that names the file, and the line or the number of an event in it; also where
        there are no events, or those of several visitors.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: no events can be read: {error.strerror}") from error
    events = [_checked(place, raw) for place, raw in _placed(path, data)]
    if not events:
        raise InputError(f"{path}: there are no events in it")
    _require_one_visitor(path, events)
    return events


def _placed(path: Path, data: bytes) -> Iterable[tuple[str, bytes]]:
    """Each event with its place."""
    text = data.removeprefix(BOM).strip()
    if text.startswith(b"["):
        return _numbered(path, text)
    try:
        members = _OBJECT.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _lines(path, data.removeprefix(BOM))
    if "events" not in members:
        return [(str(path), text)]
    return _numbered(path, bytes(members["events"]))


def _numbered(path: Path, text: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        parts = _LIST.decode(text)
    except msgspec.ValidationError:
        return
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"{path}: no events can be read: {error}") from error
    for number, part in enumerate(parts, 1):
        yield f"{path}, event {number}", bytes(part)


def _lines(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if text := line.strip():
            yield f"{path}, line {number}", text


def _checked(place: str, raw: bytes) -> bytes:
    try:
        return check_event(raw)
    except InvalidData as error:
        raise InputError(f"{place}: {_ALONE.sub('', error.message, count=1)}") from error


def _require_one_visitor(path: Path, events: Iterable[bytes]) -> None:
    found: dict[str, dict[str, None]] = {name: {} for name in _NAMES}
    for event in events:
        members = _MEMBERS.decode(event)
        for name in _NAMES:
            if isinstance(value := members.get(name), str):
                found[name][value] = None
    for name, values in found.items():
        if len(values) > 1:
            shown = ", ".join(f'"{value}"' for value in [*values][:_MOST_NAMED])
            rest = len(values) - _MOST_NAMED
            more = f" and {rest:,} more" if rest > 0 else ""
            raise InputError(
                f"{path}: these are the events of several visitors ({name} {shown}{more});"
                " leave those of one"
            )
