"""What a profile's events come nearest with to a matcher that has counted too few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from edgewise.amounts import count
from edgewise.attributes import read
from edgewise.audiences.describing import (
    describe_attribute,
    describe_kind,
    describe_time,
    describe_window,
    parts_of,
)
from edgewise.audiences.interpret import matches_event
from edgewise.model.audience import (
    All,
    Any,
    Attribute,
    Constant,
    Leaf,
    Matcher,
    Node,
    Not,
    Reference,
    Test,
)
from edgewise.model.event import Event, TimedEvent
from edgewise.parsing import closest
from edgewise.printable import printable, shortened

_LONGEST_SHOWN = 200


def describe_nearest(matcher: Matcher, events: Sequence[TimedEvent], now_ms: int) -> str:
    """Return which events a matcher does not count that it nearly would, and why not.

    Shape: empty where there are events of the type and name, and all of them count.
    Cost: the matcher is tried on each event.
    """
    kind, asked = parts_of(matcher)
    what = describe_kind(kind)
    wanted = All(tuple(Leaf(test) for test in kind))
    alike = [one for one in events if matches_event(wanted, one[0])]
    if not alike:
        return f"there are no {what}{_like_named(kind, events)}"
    found = []
    others = [
        (failed, event)
        for event, _ in sorted(alike, key=lambda one: -one[1])
        if (failed := [part for part in asked if not matches_event(part, event)])
    ]
    if others:
        # The newest of those that fail the fewest conditions.
        failed, event = min(others, key=lambda one: len(one[0]))
        values = " and ".join(dict.fromkeys(_value_of(one, event) for one in _attributes(failed)))
        found.append(f"{what} that do not match: {count(len(others))}, the nearest with {values}")
    cutoff_ms = now_ms - matcher.window_ms
    old = [
        time_ms
        for event, time_ms in alike
        if matcher.window_ms and time_ms < cutoff_ms and matches_event(matcher.tree, event)
    ]
    if old:
        found.append(
            f"older than {describe_window(matcher)}: {count(len(old))},"
            f" the newest of {describe_time(max(old))}"
        )
    return "; ".join(found)


def _like_named(kind: Sequence[Test], events: Sequence[TimedEvent]) -> str:
    """The name of an event that is written much like the one that is asked for, as a hint."""
    names = {event.event for event, _ in events if event.event}
    for test in kind:
        if test.attribute.source == "event_name" and (hint := closest(str(test.operand), names)):
            return f" ({_shown(hint)})"
    return ""


def _value_of(attribute: Attribute, event: Event) -> str:
    name, value = describe_attribute(attribute), read(attribute, event)
    return (
        f"no {name}" if value is None else f"{name} {_shown(msgspec.json.encode(value).decode())}"
    )


def _shown(text: str) -> str:
    """A visitor's own text, which may be long, and may hold what steers a terminal."""
    return shortened(printable(text), _LONGEST_SHOWN)


def _attributes(nodes: Sequence[Node]) -> Iterator[Attribute]:
    """What some parts of a matcher read."""
    for node in nodes:
        match node:
            case Leaf(test=Test(attribute=attribute)):
                yield attribute
            case Not():
                yield from _attributes((node.child,))
            case All() | Any():
                yield from _attributes(node.children)
            case Leaf() | Constant() | Reference():
                pass
