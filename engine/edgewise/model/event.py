"""Events as clients send them: only the fields the engine reads; all others are skipped.

Source: events as built by the browser, node and optimization SDKs. Absent and null are the same.
Every field is optional here, because real senders leave out almost anything; what an event type
requires is checked in `edgewise.decoding`.

What was decoded from JSON holds no cycle, so the garbage collector need not look at it: `gc=False`.
"""

from __future__ import annotations

from typing import Any

import msgspec

TYPE_NAMES = frozenset(
    {
        "page",
        "track",
        "identify",
        "screen",
        "component",
        "component_click",
        "component_hover",
        "alias",
        "group",
    }
)


class Page(msgspec.Struct, kw_only=True, gc=False):
    """Where the visitor is; `query` maps names to strings, or to lists from some senders."""

    path: str | None = None
    query: dict[str, Any] | None = None
    referrer: str | None = None
    search: str | None = None
    url: str | None = None


class Campaign(msgspec.Struct, kw_only=True, gc=False):
    """The five UTM parameters without their prefix."""

    name: str | None = None
    source: str | None = None
    medium: str | None = None
    term: str | None = None
    content: str | None = None


class Library(msgspec.Struct, kw_only=True, gc=False):
    """The client library that built the event."""

    name: str | None = None
    version: str | None = None


class Coordinates(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A position in degrees as sent; some senders put empty strings."""

    latitude: float | str | None = None
    longitude: float | str | None = None


class EventLocation(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """A location that the sender supplies; empty strings mean "not given"."""

    coordinates: Coordinates | str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    region_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    continent: str | None = None
    timezone: str | None = None


class Consent(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """What the visitor consented to."""

    is_consent_given: Any = None


class Context(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """The circumstances of an event.

    Shape: `app` is what the sender calls itself, by its custom an object with a `name`.
    """

    library: Library | None = None
    user_agent: str | None = None
    campaign: Campaign | None = None
    locale: str | None = None
    page: Page | None = None
    location: EventLocation | None = None
    gdpr: Consent | None = None
    app: Any = None


class TraitPatch(msgspec.Struct, kw_only=True, gc=False):
    """Changes of traits that are no new values, made in this order.

    Args:
        append: values that a trait is given beside those it has; a list stands for its members.
        unappend: values that are taken out of a trait that is a list.
        unset: traits that are removed.
    """

    append: dict[str, Any] = {}
    unappend: dict[str, Any] = {}
    unset: list[str] = []


class Resolved(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """What was found out for the request that an event came with; None is what was not.

    It is part of the event in the log, so that folding the log anew gives the same profile.

    Args:
        location: where the visitor's address is.
        city_names: of the city of that location, by language tag.
        device: the class of device, where the request told another one than the user agent does.
        traits: what is known of whoever has the address.
        fills: whether the location is only for a visitor of whom no place is known.
    """

    location: EventLocation | None = None
    city_names: dict[str, str] | None = None
    device: str | None = None
    traits: dict[str, Any] | None = None
    fills: bool = False


RESOLVED = "$resolved"
"""The member of an event that says what was found out for its request."""

JOINED = "$joined"
"""The member of an event that says which profiles were joined before it was counted."""

OWN_MEMBERS = (RESOLVED, JOINED)
"""The members of an event that only the engine itself writes; nobody may send them."""

Joins = tuple[tuple[str, str], ...]
"""Profiles that were joined, in the order in which they were: ids of (loser, survivor)."""


class Event(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """One visitor event.

    Units: time stamps are ISO 8601 texts or numbers of milliseconds since 1970, as sent.
    """

    type: str
    message_id: str | None = None
    timestamp: str | float | None = None
    original_timestamp: str | float | None = None
    sent_at: str | float | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    context: Context | None = None
    event: str | None = None
    name: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    trait_patch: TraitPatch | None = None
    component_id: str | None = None
    component_type: str | None = None
    experience_id: str | None = None
    variant_index: float | None = None
    resolved: Resolved | None = msgspec.field(default=None, name=RESOLVED)
    joined: Joins | None = msgspec.field(default=None, name=JOINED)


class ReceivedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that was accepted: what the engine folds and what the log keeps.

    Args:
        event: the decoded event; `context.page` is filled from `properties` for a page event
            that came without one.
        time_ms: its own time, never later than the arrival by more than the tolerance.
        message_key: 64-bit hash of the message id, or of the content where there was none.
        raw: the event as JSON, as it goes to the log.
        claimed_ms: the time that its sender gave it when it happened, believed or not, and the
            same whenever it is sent again; 0 where the sender gave none.
        place: where it stood among all that came with it.
    """

    event: Event
    time_ms: int
    message_key: int
    raw: bytes
    claimed_ms: int = 0
    place: int = 0


TimedEvent = tuple[Event, int]
"""An event and its own time, as the log of a profile has them."""
