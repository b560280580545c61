"""People and what they did, as Klaviyo has them → events for the import queue.

A person's attributes become one identify event, each of their events a track event with the name
of its metric. Nothing of a request that is sent twice counts twice: see `_message_id`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from edgewise.country_names import find_country
from edgewise.ingest.klaviyo import names_of
from edgewise.ingest.klaviyo_model import (
    KlaviyoBlock,
    KlaviyoEvent,
    KlaviyoLocation,
    KlaviyoProfile,
)
from edgewise.model.event import RESOLVED, Resolved, TraitPatch
from edgewise.model.imports import ImportedProfile
from edgewise.sessions import REPORTING_APP
from edgewise.values import iso_time, number_of

LIBRARY = "klaviyo-bulk"

_MESSAGES = UUID("6f0a5b0e-3f0c-5c56-9d0b-0c1f7a3f8f5e")
_REGION_CODE = re.compile("[A-Z0-9]{1,3}")
_EARLIEST_MS = 946_684_800_000  # The year 2000: the engine believes no time before it.
_TRAITS = ("first_name", "last_name", "organization", "title", "image", "locale")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What all blocks of a request share.

    Args:
        id: no other request has it.
        revision: of the API that the sender speaks.
        arrival_ms: when it came, in milliseconds since 1970.
        merges: whether two profiles become one where a person's identifiers lead to both.
        locate: finds where an address is.
    """

    id: str
    revision: str
    arrival_ms: int
    merges: bool = False
    locate: Callable[[str], Resolved | None] | None = None


def translate(blocks: Sequence[KlaviyoBlock], job: Job) -> list[ImportedProfile]:
    """Return what the import queue takes; blocks that say nothing are left out."""
    alike: Counter[str] = Counter()
    imported = []
    for index, block in enumerate(blocks):
        events = _BlockEvents(block, job, index, alike).encode()
        if events:
            imported.append(ImportedProfile(names_of(block.profile), events, job.merges))
    return imported


class _BlockEvents:
    """The events of one block.

    Args:
        index: the block's place in its request.
        alike: how many events of the request were alike so far; counted on.
    """

    def __init__(self, block: KlaviyoBlock, job: Job, index: int, alike: Counter[str]) -> None:
        self._block = block
        self._job = job
        self._index = index
        self._alike = alike

    def encode(self) -> tuple[bytes, ...]:
        """Return their JSON: what is known of the person first, then what they did in time."""
        profile, arrival_ms = self._block.profile, self._job.arrival_ms
        location = _location(profile.location) if profile.location else {}
        resolved = self._located(profile.location) if profile.location else None
        placed = list(enumerate(self._block.events))
        placed.sort(key=lambda pair: _time_ms(pair[1], arrival_ms))
        tracks = [self._track(event, place) for place, event in placed]
        traits = traits_of(profile)
        events = tracks
        if traits or profile.patch is not None or ((location or resolved) and not tracks):
            events = [self._identify(traits, profile.patch), *tracks]
        if location and events:
            events[0]["context"] = {**events[0]["context"], "location": location}
        if resolved and events:
            events[0][RESOLVED] = msgspec.to_builtins(resolved)
        return tuple(map(msgspec.json.encode, events))

    def _located(self, location: KlaviyoLocation) -> Resolved | None:
        """Where the person's address is, if nothing else says where the person lives."""
        if location.ip is None or location.city or location.country or not self._job.locate:
            return None
        return self._job.locate(location.ip)

    def _identify(self, traits: Mapping[str, Any], patch: TraitPatch | None) -> dict[str, Any]:
        profile = self._block.profile
        event = self._common("identify", f"{self._job.id} {self._index}", self._job.arrival_ms)
        event["traits"] = traits
        # An identify event makes its user id and the visitor one, which must not join two people
        # whose names say otherwise. As one of the names it leads to the visitor all the same.
        if profile.external_id and (self._job.merges or not profile.id):
            event["userId"] = profile.external_id
        if patch is not None:
            event["traitPatch"] = msgspec.to_builtins(patch)
        return event

    def _track(self, event: KlaviyoEvent, place: int) -> dict[str, Any]:
        time_ms = _time_ms(event, self._job.arrival_ms)
        translated = self._common("track", self._message_name(event, place), time_ms)
        translated["event"] = event.metric
        translated["properties"] = properties_of(event)
        if event.backfill:
            translated["context"] = {**translated["context"], "backfill": True}
        return translated

    def _common(self, kind: str, message: str, time_ms: int) -> dict[str, Any]:
        profile, job = self._block.profile, self._job
        context: dict[str, Any] = {
            "app": {"name": REPORTING_APP},
            "library": {"name": LIBRARY, "version": job.revision},
        }
        if profile.locale:
            context["locale"] = profile.locale
        event = {
            "type": kind,
            "channel": "server",
            "messageId": str(uuid5(_MESSAGES, message)),
            "timestamp": iso_time(max(time_ms, _EARLIEST_MS)),
            "context": context,
        }
        if time_ms < _EARLIEST_MS:
            event["originalTimestamp"] = iso_time(time_ms)
        if profile.anonymous_id:
            event["anonymousId"] = profile.anonymous_id
        return event

    def _message_name(self, event: KlaviyoEvent, place: int) -> str:
        """What the message id of an event is made from; its profile is not part of it.

        A profile counts each message once, so that the unique id of a metric is enough. Without
        one an event that tells its time is recognized by all that it says, and by how many like it
        stand before it in the request; one without a time is always another one.
        """
        if event.unique_id is not None:
            return f"unique {_digestible(event.metric, event.unique_id)}"
        if event.time_ms is None:
            return f"{self._job.id} {self._index} {place}"
        name = self._block.profile
        content = _digestible(event.metric, event.time_ms, properties_of(event))
        ordinal = self._alike[key := f"{names_of(name)[0]} {content}"]
        self._alike[key] += 1
        return f"alike {ordinal} {content}"


def traits_of(profile: KlaviyoProfile) -> dict[str, Any]:
    """Return the traits that a person's attributes set; an attribute beats a property."""
    location = profile.location
    named = {name: getattr(profile, name) for name in _TRAITS}
    named["email"] = profile.email
    named["phone"] = profile.phone_number
    if location is not None:
        named["address1"] = location.address1
        named["address2"] = location.address2
    given = {name: value for name, value in named.items() if value is not None}
    return {**profile.properties, **given}


def properties_of(event: KlaviyoEvent) -> dict[str, Any]:
    """Return an event's properties, with its value and service beside them."""
    named = {
        "$value": event.value,
        "$value_currency": event.value_currency,
        "$service": event.service,
    }
    given = {name: value for name, value in named.items() if value is not None}
    return {**event.properties, **given}


def _location(sent: KlaviyoLocation) -> dict[str, Any]:
    """The members of a location that are known; a country is told by code and name."""
    country = find_country(sent.country) if sent.country else None
    region = sent.region or ""
    members = {
        "city": sent.city,
        "postalCode": sent.zip,
        "region": sent.region,
        "regionCode": region if _REGION_CODE.fullmatch(region) else None,
        "country": country.name if country else sent.country,
        "countryCode": country.code if country else None,
        "continent": country.continent if country else None,
        "timezone": sent.timezone,
        "coordinates": _coordinates(sent),
    }
    return {name: value for name, value in members.items() if value is not None}


def _coordinates(sent: KlaviyoLocation) -> dict[str, float] | None:
    latitude, longitude = number_of(sent.latitude), number_of(sent.longitude)
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}


def _time_ms(event: KlaviyoEvent, arrival_ms: int) -> int:
    return arrival_ms if event.time_ms is None else event.time_ms


def _digestible(*parts: Any) -> str:
    return msgspec.json.encode(parts, order="deterministic").decode()
