"""What a request to Klaviyo's event endpoints says, once it is known to be well formed.

Source: the union of all revisions of "Bulk Create Events" and "Create Event". Absent and null are
the same.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edgewise.model.event import TraitPatch


class KlaviyoFault(msgspec.Struct, frozen=True):
    """One place of a request that is wrong; `pointer` is a JSON Pointer to it."""

    pointer: str
    detail: str


class KlaviyoLocation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person lives; degrees may be texts.

    Args:
        ip: the address that the person was last seen at; nothing keeps it.
    """

    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    country: str | None = None
    region: str | None = None
    zip: str | None = None
    timezone: str | None = None
    latitude: str | float | None = None
    longitude: str | float | None = None
    ip: str | None = None


class KlaviyoProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A person, by at least one identifier.

    Args:
        kx: the encrypted identifier that Klaviyo puts into links.
        further_emails: secondary addresses.
    """

    id: str | None = None
    external_id: str | None = None
    email: str | None = None
    phone_number: str | None = None
    anonymous_id: str | None = None
    kx: str | None = None
    further_emails: tuple[str, ...] = ()
    first_name: str | None = None
    last_name: str | None = None
    organization: str | None = None
    title: str | None = None
    image: str | None = None
    locale: str | None = None
    location: KlaviyoLocation | None = None
    properties: dict[str, Any] = {}
    patch: TraitPatch | None = None


class KlaviyoEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person did.

    Units: `time_ms` is in milliseconds since 1970, a whole second; None stands for the time at
        which the request came.
    """

    metric: str
    service: str | None = None
    properties: dict[str, Any] = {}
    time_ms: int | None = None
    value: float | None = None
    value_currency: str | None = None
    unique_id: str | None = None
    backfill: bool = False


class KlaviyoBlock(msgspec.Struct, frozen=True):
    """One person and what they did, in the order of the request."""

    profile: KlaviyoProfile
    events: tuple[KlaviyoEvent, ...]


class ParsedRequest(msgspec.Struct, frozen=True):
    """The blocks of a request, and everything that is wrong with it; with a problem none counts."""

    blocks: tuple[KlaviyoBlock, ...]
    problems: tuple[KlaviyoFault, ...]
