"""What is stored about a visitor: one record per profile, plus aliases and redirects.

Stored as msgpack with named fields and defaults left out, so that a field can be added without a
migration; `format` is raised when a field changes its meaning.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Coordinates(msgspec.Struct, frozen=True):
    """A position in degrees, north and east positive."""

    latitude: float
    longitude: float


class Location(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Where the visitor is; what is not known is None and is left out on the wire.

    Shape: `continent` is a two-letter code, `country_code` an upper-case ISO 3166 code, `region`
    a name and `region_code` the part of the ISO 3166-2 code behind the hyphen.
    """

    coordinates: Coordinates | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    region_code: str | None = None
    country: str | None = None
    country_code: str | None = None
    continent: str | None = None
    timezone: str | None = None


class LandingPage(msgspec.Struct, omit_defaults=False):
    """The page of the first event of a session; all empty where that event had no page."""

    path: str = ""
    query: dict[str, str] = {}
    referrer: str = ""
    search: str = ""
    url: str = ""


class Session(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The active session and the sum of the earlier ones.

    Units: `started_ms` and `last_ms` are event times in milliseconds since 1970; `closed_ms` is
    the summed length of all earlier sessions in milliseconds. `count` is 0 before the first event.
    """

    id: str = ""
    count: int = 0
    started_ms: int = 0
    last_ms: int = 0
    closed_ms: int = 0
    landing_page: LandingPage = msgspec.field(default_factory=LandingPage)


class Profile(msgspec.Struct, kw_only=True, omit_defaults=True, tag="profile", tag_field="kind"):
    """One visitor of one environment.

    Shape: `message_ids` holds the newest message ids as 8-byte hashes, oldest first; `counts` maps
    a matcher's id to the number of events it has matched; `recent` maps the id of a matcher with a
    window to the times of its newest matches, oldest first; `trait_times` maps a trait's name to
    the arrival time of its last write; `assignments` maps a sticky experience to the variant index
    that was seen.
    """

    organization: str
    environment: str
    id: str
    stable_id: str
    created_ms: int
    format: int = 1
    updated_ms: int = 0
    aliases: list[str] = []
    absorbed: list[str] = []
    merging_into: str = ""
    traits: dict[str, Any] = {}
    trait_times: dict[str, int] = {}
    location: Location = msgspec.field(default_factory=Location)
    device: str = "unknown"
    session: Session = msgspec.field(default_factory=Session)
    assignments: dict[str, int] = {}
    message_ids: bytes = b""
    counts: dict[int, int] = {}
    recent: dict[int, list[int]] = {}
    matchers_digest: bytes = b""


class Alias(msgspec.Struct, frozen=True, tag="alias", tag_field="kind"):
    """A name that a caller chose for a profile: an id of its own making or a user id."""

    profile_id: str


class Redirect(msgspec.Struct, frozen=True, tag="redirect", tag_field="kind"):
    """What is left of a profile that was merged into another."""

    organization: str
    environment: str
    profile_id: str


Record = Profile | Alias | Redirect
