"""The short paths `/profiles` and `/events`: one environment, answered in the documents' form.

A view over the same resources, without logic of its own: only the answers are written otherwise.

Source: the documents that show the API relative to its base, in a form that the SDKs' schemas
refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edgewise.asgi.batches import Batches
from edgewise.asgi.interface import HttpSettings, Service
from edgewise.asgi.profiles import Profiles
from edgewise.asgi.routing import ProfileRoute, raw_path
from edgewise.asgi.wire import random_of, wire_session
from edgewise.country_names import find_country
from edgewise.errors import RouteNotFound
from edgewise.jurisdiction import jurisdiction_of
from edgewise.model.decision import Outcome, SelectedVariant
from edgewise.model.profiles import Location, Profile, Session

DEFAULT_ENVIRONMENT_VARIABLE = "EDGEWISE_DEFAULT_ENVIRONMENT"

_ENCODER = msgspec.json.Encoder()


class ShortLocation(msgspec.Struct, omit_defaults=True):
    """Where the visitor is; `region` and `country` are codes wherever one is known."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    timezone: str | None = None


class ShortSession(msgspec.Struct, rename="camel"):
    """The active session; `landing_page` is an address, `session_length` is in seconds."""

    id: str
    is_returning_visitor: bool
    landing_page: str
    count: int
    session_length: int


class ShortProfile(msgspec.Struct, rename="camel", omit_defaults=True):
    """A visitor; the session is an empty object in the answer to a batch.

    Args:
        sticky_variants: by experience, the index of the variant that was seen.
        jurisdiction: left out where none is known to hold.
    """

    id: str
    stable_id: str
    random: float
    audiences: list[str]
    traits: dict[str, Any]
    location: ShortLocation
    session: ShortSession | dict[str, object]
    sticky_variants: dict[str, int]
    jurisdiction: str | None = None


class _Experience(msgspec.Struct, rename="camel"):
    experience_id: str
    variant_index: int
    variants: dict[str, str]
    sticky: bool = False


class _Data(msgspec.Struct):
    profile: ShortProfile
    experiences: list[_Experience]
    changes: list[msgspec.Raw]


class _Envelope(msgspec.Struct):
    data: _Data | list[ShortProfile]
    error: None = None
    message: str = "ok"


_EXPERIENCE = msgspec.json.Decoder(_Experience)


def short_routes(service: Service, settings: HttpSettings) -> list[Route]:
    """Return the short paths of the default environment; none where there is no such."""
    if settings.default_environment is None:
        return []
    profiles = ShortProfiles(service, settings, settings.default_environment)
    events = ShortEvents(service, settings, settings.default_environment)
    return [
        Route("/profiles", profiles),
        Route("/profiles/{rest:path}", profiles),
        Route("/events", events),
        Route("/events/", events),
    ]


class ShortProfiles:
    """Answers requests to `/profiles` and `/profiles/{id}`."""

    def __init__(
        self, service: Service, settings: HttpSettings, environment: tuple[str, str]
    ) -> None:
        self._profiles = Profiles(service, settings, encode_short_outcome)
        self._environment = environment

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: as the long path."""
        route = ProfileRoute(*self._environment, _raw_id(scope))
        answer = await self._profiles.answer(route, scope, receive)
        await answer(scope, receive, send)


class ShortEvents:
    """Answers `POST /events`."""

    def __init__(
        self, service: Service, settings: HttpSettings, environment: tuple[str, str]
    ) -> None:
        self._batches = Batches(service, settings, encode_short_profiles)
        organization, name = environment
        self._names = {"organization": organization, "environment": name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors: as the long path."""
        await self._batches({**scope, "path_params": self._names}, receive, send)


def encode_short_outcome(outcome: Outcome) -> bytes:
    """Return the body that answers an update or a read."""
    decision = outcome.decision
    data = _Data(
        _short_profile(outcome.profile, decision.audiences, _session(outcome.profile.session)),
        [_experience(variant) for variant in decision.variants],
        [msgspec.Raw(one) for variant in decision.variants for one in variant.changes_json],
    )
    return _ENCODER.encode(_Envelope(data))


def encode_short_profiles(outcomes: Sequence[Outcome]) -> bytes:
    """Return the body that answers a batch: an array of profiles, without their sessions."""
    profiles = [_short_profile(item.profile, item.decision.audiences, {}) for item in outcomes]
    return _ENCODER.encode(_Envelope(profiles))


def _short_profile(
    profile: Profile, audiences: list[str], session: ShortSession | dict[str, object]
) -> ShortProfile:
    location = _location(profile.location)
    return ShortProfile(
        profile.id,
        profile.stable_id,
        random_of(profile.stable_id),
        audiences,
        profile.traits,
        location,
        session,
        profile.assignments,
        jurisdiction_of(location.country, location.region),
    )


def _session(session: Session) -> ShortSession:
    wire = wire_session(session)
    return ShortSession(
        wire.id,
        wire.is_returning_visitor,
        wire.landing_page.url,
        wire.count,
        wire.active_session_length,
    )


def _location(location: Location) -> ShortLocation:
    country = location.country_code
    if country is None and location.country:
        named = find_country(location.country)
        country = named.code if named else location.country
    region = location.region_code or location.region
    if region and country:
        region = region.removeprefix(f"{country}-")
    return ShortLocation(location.city, region, country, location.timezone)


def _experience(variant: SelectedVariant) -> _Experience:
    return _EXPERIENCE.decode(variant.experience_json)


def _raw_id(scope: Scope) -> bytes | None:
    parts = raw_path(scope).removesuffix(b"/").split(b"/")
    match parts:
        case [b"", b"profiles"]:
            return None
        case [b"", b"profiles", raw_id] if raw_id:
            return raw_id
    raise RouteNotFound
