"""Requests to Klaviyo's event endpoints → people and what they did, or everything that is wrong.

One schema serves all revisions: whatever any of them allows is taken. A request with a problem is
refused whole.

Source: "Bulk Create Events" and "Create Event" of Klaviyo's published API description, and the
published sample of the former, which leaves out `properties` and has placeholders for values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from edgewise.ingest.klaviyo_model import (
    KlaviyoBlock,
    KlaviyoEvent,
    KlaviyoFault,
    KlaviyoLocation,
    KlaviyoProfile,
    ParsedRequest,
)
from edgewise.ingest.klaviyo_reading import BodyPlace, Tree
from edgewise.model.event import TraitPatch
from edgewise.values import time_of

MAX_EVENTS = 1000
MAX_PROPERTIES = 400
MAX_METRIC_LENGTH = 127
EARLIEST_MS = int(datetime(1991, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""The first moment after the year 1990."""
LONGEST_AHEAD_MS = 366 * 86_400_000
"""A year, whichever one it is."""

_IDENTIFIERS = ("external_id", "email", "phone_number", "anonymous_id")
_TEXTS = ("first_name", "last_name", "organization", "title", "image", "locale")
_LOCATION_TEXTS = ("address1", "address2", "city", "country", "region", "zip", "timezone")

_Placed = tuple[BodyPlace, KlaviyoEvent]


def parse_bulk(body: Tree, now_ms: int) -> ParsedRequest:
    """Return the blocks of a request to create events in bulk."""
    problems: list[KlaviyoFault] = []
    root = BodyPlace(body, "", problems)
    blocks: list[KlaviyoBlock] = []
    data = root.object_at("data")
    if data is not None:
        data.require_type("event-bulk-create-job")
        inner = data.object_at("attributes", "events-bulk-create")
        if inner is not None and _is_within_limit(inner):
            blocks = _blocks(inner.items_at("data"), now_ms)
    return ParsedRequest(tuple(blocks), tuple(problems))


def parse_single(body: Tree, now_ms: int) -> ParsedRequest:
    """Return the one block of a request to create one event."""
    problems: list[KlaviyoFault] = []
    data = BodyPlace(body, "", problems).object_at("data")
    if data is None:
        return ParsedRequest((), tuple(problems))
    data.require_type("event")
    attributes = data.object_at("attributes")
    if attributes is None:
        return ParsedRequest((), tuple(problems))
    event = _event(attributes, now_ms)
    profile = _profile(attributes)
    if problems or event is None or profile is None:
        return ParsedRequest((), tuple(problems))
    return ParsedRequest((KlaviyoBlock(profile, (event,)),), ())


def names_of(profile: KlaviyoProfile) -> tuple[str, ...]:
    """Return the names that a person has here, the one that says most about who is meant first."""
    email, phone = profile.email, profile.phone_number
    names = [
        profile.id and f"klaviyo:{profile.id}",
        profile.external_id,
        email and email_name(email),
        phone and f"phone:{phone.strip()}",
        profile.anonymous_id,
        profile.kx and f"kx:{profile.kx}",
        *map(email_name, profile.further_emails),
    ]
    return tuple(dict.fromkeys(name for name in names if name))


def email_name(email: str) -> str:
    """Return the name that an email address gives a person."""
    return f"email:{email.strip().lower()}"


def _is_within_limit(inner: BodyPlace) -> bool:
    """Whether there are not too many events; counted before anything else is looked at."""
    blocks = inner.value.get("data")
    count = 0
    for block in blocks if isinstance(blocks, list) else ():
        events = BodyPlace(block, "", []).at("attributes").at("events").at("data").value
        count += len(events) if isinstance(events, list) else 0
    if count > MAX_EVENTS:
        inner.at("data").refuse(f"A request cannot have more than {MAX_EVENTS} events.")
    return count <= MAX_EVENTS


def _blocks(places: Iterable[BodyPlace], now_ms: int) -> list[KlaviyoBlock]:
    blocks = []
    recorded: set[tuple[str, str, str]] = set()
    for place in places:
        if not isinstance(place.value, dict):
            place.refuse("This must be an object.")
            continue
        place.require_type("event-bulk-create")
        attributes = place.object_at("attributes")
        if attributes is None:
            continue
        profile = _profile(attributes)
        events = _events(attributes, now_ms)
        if profile is not None:
            _refuse_repeats(names_of(profile), events, recorded)
            blocks.append(KlaviyoBlock(profile, tuple(event for _, event in events)))
    return blocks


def _refuse_repeats(
    names: Sequence[str], events: Iterable[_Placed], recorded: set[tuple[str, str, str]]
) -> None:
    """Refuse a `unique_id` that the same person has for the same metric in this request already."""
    for place, event in events:
        if event.unique_id is None:
            continue
        keys = {(name, event.metric, event.unique_id) for name in names}
        if keys & recorded:
            place.at("unique_id").refuse(
                "The unique_id is repeated for the same profile and metric."
            )
        recorded |= keys


def _profile(attributes: BodyPlace) -> KlaviyoProfile | None:
    data = attributes.object_at("profile", "data")
    if data is None:
        return None
    data.require_type("profile")
    members = data.object_at("attributes")
    if members is None:
        return None
    meta = data if data.at("meta").value is not None else members
    properties = members.free_object("properties")
    profile = KlaviyoProfile(
        id=data.identifier("id"),
        kx=members.identifier("_kx"),
        location=_location(members),
        properties=properties,
        patch=_patch(meta),
        further_emails=_further_emails(meta),
        **{name: members.identifier(name) for name in _IDENTIFIERS},
        **{name: members.text(name) for name in _TEXTS},
    )
    if not names_of(profile):
        members.refuse(
            "At least one identifier is required: id, email, phone_number, external_id,"
            " anonymous_id or _kx."
        )
        return None
    return profile


def _location(members: BodyPlace) -> KlaviyoLocation | None:
    place = members.at("location")
    if place.value is None:
        return None
    if not isinstance(place.value, dict):
        place.refuse("This field must be an object or null.")
        return None
    return KlaviyoLocation(
        latitude=_degrees(place, "latitude"),
        longitude=_degrees(place, "longitude"),
        ip=place.text("ip"),
        **{name: place.text(name) for name in _LOCATION_TEXTS},
    )


def _degrees(place: BodyPlace, key: str) -> str | int | float | None:
    return place.text(key) if isinstance(place.at(key).value, str) else place.number(key)


def _optional_object(place: BodyPlace, *keys: str) -> BodyPlace | None:
    """The object down a path of which every part may be absent."""
    for key in keys:
        place = place.at(key)
        if place.value is None:
            return None
        if not isinstance(place.value, dict):
            place.refuse("This field must be an object.")
            return None
    return place


def _patch(meta: BodyPlace) -> TraitPatch | None:
    place = _optional_object(meta, "meta", "patch_properties")
    if place is None:
        return None
    return TraitPatch(
        append=place.free_object("append"),
        unappend=place.free_object("unappend"),
        unset=_texts(place.at("unset")),
    )


def _further_emails(meta: BodyPlace) -> tuple[str, ...]:
    place = _optional_object(meta, "meta", "patch_identifiers", "append")
    if place is None:
        return ()
    emails = place.at("email")
    return tuple(text for text in _texts(emails) if emails.is_identifier(text))


def _texts(place: BodyPlace) -> list[str]:
    """One text, or several, or none."""
    value = place.value
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    place.refuse("This field must be a string or an array of strings.")
    return []


def _events(attributes: BodyPlace, now_ms: int) -> list[_Placed]:
    data = attributes.object_at("events")
    if data is None:
        return []
    events = []
    for place in data.items_at("data"):
        if not isinstance(place.value, dict):
            place.refuse("This must be an object.")
            continue
        place.require_type("event")
        members = place.object_at("attributes")
        event = None if members is None else _event(members, now_ms)
        if members is not None and event is not None:
            events.append((members, event))
    return events


def _event(members: BodyPlace, now_ms: int) -> KlaviyoEvent | None:
    metric = _metric(members)
    properties = members.free_object("properties")
    if len(properties) > MAX_PROPERTIES:
        members.at("properties").refuse(
            f"An event cannot have more than {MAX_PROPERTIES} properties."
        )
    unique = members.filled("unique_id")
    event = KlaviyoEvent(
        metric="",
        properties=properties,
        time_ms=_time(members, now_ms),
        value=members.number("value"),
        value_currency=members.text("value_currency"),
        unique_id=None if unique is None else members.text("unique_id"),
        backfill=members.flag("backfill"),
    )
    if metric is None:
        return None
    name, service = metric
    return msgspec.structs.replace(event, metric=name, service=service)


def _metric(members: BodyPlace) -> tuple[str, str | None] | None:
    data = members.object_at("metric", "data")
    if data is None:
        return None
    data.require_type("metric")
    attributes = data.object_at("attributes")
    if attributes is None:
        return None
    place = attributes.at("name")
    name = place.value
    if not isinstance(name, str) or not name.strip():
        place.refuse("This field is required and must be a string that is not empty.")
        return None
    if len(name) > MAX_METRIC_LENGTH:
        place.refuse(f"The name of a metric cannot have more than {MAX_METRIC_LENGTH} characters.")
        return None
    return name, attributes.text("service")


def _time(members: BodyPlace, now_ms: int) -> int | None:
    place = members.filled("time")
    if place is None:
        return None
    time_ms = time_of(place.value)
    if time_ms is None:
        place.refuse("This field must be an ISO 8601 date and time.")
        return None
    if not EARLIEST_MS <= time_ms <= now_ms + LONGEST_AHEAD_MS:
        place.refuse("The time must be after the year 1990 and at most a year from now.")
        return None
    return time_ms // 1000 * 1000
