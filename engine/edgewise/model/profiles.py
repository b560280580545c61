"""What is stored about a visitor: one record per profile, plus what leads to it.

Stored as msgpack with named fields and defaults left out, so that a field can be added without a
migration; `format` is raised when a field changes its meaning. Records hold no cycle, so the
garbage collector need not look at them: `gc=False`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edgewise.model.event import Joins


class Coordinates(msgspec.Struct, frozen=True, gc=False):
    """A position in degrees, north and east positive."""

    latitude: float
    longitude: float


class Location(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True, gc=False):
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


class ByAddress(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """What of a profile was found by the visitor's address, as far as nobody has said otherwise.

    Args:
        location: the members of the location.
        city_names: by language tag, of the city among these members.
        traits: the names of the traits.
    """

    location: list[str] = []
    city_names: dict[str, str] = {}
    traits: list[str] = []


class LandingPage(msgspec.Struct, omit_defaults=False, gc=False):
    """The page of the first event of a session; all empty where that event had no page."""

    path: str = ""
    query: dict[str, str] = {}
    referrer: str = ""
    search: str = ""
    url: str = ""


class Session(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
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


class Profile(
    msgspec.Struct, kw_only=True, omit_defaults=True, gc=False, tag="profile", tag_field="kind"
):
    """One visitor of one environment.

    Shape: `message_ids` holds the newest message ids as 8-byte hashes, oldest first; `counts` maps
    a matcher's id to the number of events it has matched; `recent` maps the id of a matcher with a
    window to the times of its newest matches, oldest first; `trait_times` maps a trait's name to
    the arrival time of its last write; `assignments` maps a sticky experience to the variant index
    that was seen, `assignment_times` to when it was; `aliases` are names and ids that redirects may
    lead from; `absorbed` are the ids of profiles whose state is in this one and whose logs belong
    to it, and `joined` says of which of them the log does not tell yet. `by_address` says what was
    found and not sent, None for nothing; `consent_given` is the visitor's last word on it, kept
    where rules respect that, and `consent_ms` the time of the event that said so.
    `newest_claim_ms` is the latest time that any counted event claimed for itself, believed or not.
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
    joined: Joins = ()
    merging_into: str = ""
    traits: dict[str, Any] = {}
    trait_times: dict[str, int] = {}
    location: Location = msgspec.field(default_factory=Location)
    by_address: ByAddress | None = None
    consent_given: bool | None = None
    consent_ms: int = 0
    device: str = "unknown"
    session: Session = msgspec.field(default_factory=Session)
    assignments: dict[str, int] = {}
    assignment_times: dict[str, int] = {}
    message_ids: bytes = b""
    newest_claim_ms: int = 0
    counts: dict[int, int] = {}
    recent: dict[int, list[int]] = {}
    matchers_digest: bytes = b""


class Redirect(msgspec.Struct, frozen=True, tag="redirect", tag_field="kind"):
    """A key that stands for a profile elsewhere: a name for it, or an id it was merged from."""

    organization: str
    environment: str
    profile_id: str


class Erasure(msgspec.Struct, frozen=True, tag="erasure", tag_field="kind"):
    """What stands in the place of a profile while all that belongs to it is being removed.

    Shape: `keys` are those of the redirects and logs that have to go before this record does.
    What was queued for any of them until `queued_until_ms` has to go too.
    """

    organization: str
    environment: str
    keys: list[str]
    queued_until_ms: int = 0


Record = Profile | Redirect | Erasure
