"""A profile and its decision as clients read them.

The Structs are the contract: every member is always there and none is null, for the clients'
schemas refuse the whole answer otherwise. Only a location leaves out what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.model.decision import Outcome
from edgewise.model.profiles import LandingPage, Location, Profile, Session

_RANDOM_SEED = 1
_ENCODER = msgspec.json.Encoder()


class WireSession(msgspec.Struct, rename="camel", gc=False):
    """The active session.

    Units: lengths are in seconds; the average includes the active session.
    """

    id: str
    is_returning_visitor: bool
    landing_page: LandingPage
    count: int
    active_session_length: int
    average_session_length: float


class WireProfile(msgspec.Struct, rename="camel", gc=False):
    """A visitor; `random` lies in 0..1 and stays with the `stable_id`."""

    id: str
    stable_id: str
    random: float
    audiences: list[str]
    traits: dict[str, Any]
    location: Location
    session: WireSession


class _Profiles(msgspec.Struct):
    profiles: list[WireProfile]


class _Envelope(msgspec.Struct):
    data: _Profiles | dict[str, object]
    error: None = None
    message: str = "ok"


def wire_session(session: Session) -> WireSession:
    """Return a session as clients read it; before the first event it is the first, and empty."""
    count = session.count or 1
    active_ms = session.last_ms - session.started_ms
    active_s = active_ms // 1000
    average_s = (session.closed_ms + active_ms) / 1000 / count if count > 1 else active_s
    return WireSession(session.id, count > 1, session.landing_page, count, active_s, average_s)


def wire_profile(profile: Profile, audiences: list[str]) -> WireProfile:
    """Return a profile as clients read it."""
    return WireProfile(
        profile.id,
        profile.stable_id,
        random_of(profile.stable_id),
        audiences,
        profile.traits,
        profile.location,
        wire_session(profile.session),
    )


def random_of(stable_id: str) -> float:
    """Return the number in 0..1 that a profile carries for life; nothing is allocated by it."""
    return xxh3_64_intdigest(stable_id.encode(), _RANDOM_SEED) * 2.0**-64


def encode_outcome(outcome: Outcome) -> bytes:
    """Return the body that answers an update or a read.

    Cost: experiences and changes were encoded at load and are copied.
    """
    decision = outcome.decision
    experiences = [variant.experience_json for variant in decision.variants]
    changes = [
        change
        for variant in decision.variants
        if variant.changes_json
        for change in variant.changes_json
    ]
    profile = _ENCODER.encode(wire_profile(outcome.profile, decision.audiences))
    return b"".join(
        (
            b'{"data":{"profile":',
            profile,
            b',"experiences":[',
            b",".join(experiences),
            b'],"changes":[',
            b",".join(changes),
            b']},"error":null,"message":"ok"}',
        )
    )


def encode_profiles(outcomes: Sequence[Outcome]) -> bytes:
    """Return the body that answers a batch: the profiles alone, without experiences or changes."""
    profiles = [wire_profile(item.profile, item.decision.audiences) for item in outcomes]
    return _ENCODER.encode(_Envelope(_Profiles(profiles)))


EMPTY_BODY = _ENCODER.encode(_Envelope({}))
"""The body that answers what has nothing to tell but success."""
