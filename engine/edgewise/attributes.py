"""Where a test finds its value: in the profile or in one event.

Readers return None for what is missing and never raise. Members of `location` are the only
attributes with a fixed set of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edgewise.model.audience import Attribute
from edgewise.model.event import Campaign, Context, Event, Page
from edgewise.model.profiles import Profile

NO_CONTEXT = Context()
NO_PAGE = Page()
NO_CAMPAIGN = Campaign()
NOTHING: dict[str, Any] = {}

LOCATION_MEMBERS: dict[str, str] = {
    "continent": "continent",
    "country": "country",
    "countryCode": "country_code",
    "city": "city",
    "postalCode": "postal_code",
    "region": "region",
    "regionCode": "region_code",
    "timezone": "timezone",
}
CAMPAIGN_MEMBERS = ("name", "source", "medium", "term", "content")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of attribute.

    Args:
        read: value of an attribute of this kind, from a Profile or an Event.
        kind: "text" where values are texts only, "number", or "json" for anything.
        numeric: whether texts that are numbers compare as numbers for equality.
    """

    read: Callable[[Any, str], Any]
    kind: str
    numeric: bool = False


def look_up(mapping: Mapping[str, Any], key: str) -> Any:
    """Return the value under a key, or else along the dotted path that the key spells."""
    value = mapping.get(key)
    if value is not None or "." not in key:
        return value
    current: Any = mapping
    for part in key.split("."):
        if current.__class__ is not dict and not isinstance(current, Mapping):
            return None
        current = current.get(part)
    return current


def _trait(profile: Profile, key: str) -> Any:
    return look_up(profile.traits, key)


def _location(profile: Profile, key: str) -> str | None:
    member: str | None = getattr(profile.location, LOCATION_MEMBERS[key])
    return member


def _device(profile: Profile, key: str) -> str:
    return profile.device


def _session_count(profile: Profile, key: str) -> int:
    return profile.session.count


def _event_type(event: Event, key: str) -> str:
    return event.type


def _event_name(event: Event, key: str) -> str | None:
    return event.event


def page_of(event: Event) -> Page:
    """Return the page of an event, an empty one where it has none."""
    return (event.context or NO_CONTEXT).page or NO_PAGE


def _page_url(event: Event, key: str) -> str | None:
    return page_of(event).url


def _page_path(event: Event, key: str) -> str | None:
    return page_of(event).path


def _page_referrer(event: Event, key: str) -> str | None:
    return page_of(event).referrer


def _query(event: Event, key: str) -> Any:
    return (page_of(event).query or NOTHING).get(key)


def _campaign(event: Event, key: str) -> str | None:
    campaign = (event.context or NO_CONTEXT).campaign or NO_CAMPAIGN
    member: str | None = getattr(campaign, key)
    return member


def _property(event: Event, key: str) -> Any:
    return look_up(event.properties or NOTHING, key)


PROFILE_SOURCES: dict[str, Source] = {
    "trait": Source(read=_trait, kind="json", numeric=True),
    "location": Source(read=_location, kind="text"),
    "device": Source(read=_device, kind="text"),
    "session_count": Source(read=_session_count, kind="number", numeric=True),
}
EVENT_SOURCES: dict[str, Source] = {
    "event_type": Source(read=_event_type, kind="text"),
    "event_name": Source(read=_event_name, kind="text"),
    "page_url": Source(read=_page_url, kind="text"),
    "page_path": Source(read=_page_path, kind="text"),
    "page_referrer": Source(read=_page_referrer, kind="text"),
    "query": Source(read=_query, kind="json"),
    "campaign": Source(read=_campaign, kind="text"),
    "property": Source(read=_property, kind="json", numeric=True),
}
SOURCES: dict[str, Source] = PROFILE_SOURCES | EVENT_SOURCES


def read(attribute: Attribute, subject: Profile | Event) -> Any:
    """Return the value of an attribute of a profile or an event, None where it is missing."""
    return SOURCES[attribute.source].read(subject, attribute.key)
