"""What the engine knows of a request, as part of its events: so it reaches the fold and the log."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgewise.model.event import JOINED, RESOLVED, Joins, ReceivedEvent, Resolved

_SPACE = b" \t\r\n"


def carrying(received: Sequence[ReceivedEvent], resolved: Resolved) -> list[ReceivedEvent]:
    """Return the events of a request with what was found out for it; nothing is changed in place.

    The first carries the location, so that what any of them says of it comes on top. The last
    carries all else, which comes on top of what they say.

    Args:
        received: those that are new, in fold order.
    """
    items = list(received)
    if not items:
        return items
    if len(items) == 1:
        return [_with(items[0], resolved)]
    if resolved.location is not None:
        place = Resolved(location=resolved.location, city_names=resolved.city_names)
        items[0] = _with(items[0], place)
    if resolved.device is not None or resolved.traits:
        rest = Resolved(device=resolved.device, traits=resolved.traits)
        items[-1] = _with(items[-1], rest)
    return items


def telling(received: Sequence[ReceivedEvent], joined: Joins) -> list[ReceivedEvent]:
    """Return some events of which the first tells which profiles were joined before it.

    Args:
        received: those that are new, in fold order; at least one.
    """
    first, *others = received
    event = msgspec.structs.replace(first.event, joined=joined)
    raw = _spliced(first.raw, JOINED, joined)
    return [msgspec.structs.replace(first, event=event, raw=raw), *others]


def _with(item: ReceivedEvent, resolved: Resolved) -> ReceivedEvent:
    event = msgspec.structs.replace(item.event, resolved=resolved)
    return msgspec.structs.replace(item, event=event, raw=_spliced(item.raw, RESOLVED, resolved))


def _spliced(raw: bytes, name: str, value: object) -> bytes:
    """A JSON object with one more member at its end."""
    body = raw.rstrip(_SPACE)[:-1].rstrip(_SPACE)
    comma = "" if body.endswith(b"{") else ","
    return b"".join((body, f'{comma}"{name}":'.encode(), msgspec.json.encode(value), b"}"))
