"""A profile and its decision as clients read them.

The Structs, and the beginning of an answer, which is written by hand, are the contract: every
member is always there and none is null, for the clients' schemas refuse the whole answer otherwise.
Only a location leaves out what is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.model.decision import Decision, Outcome
from edgewise.model.profiles import LandingPage, Location, Profile, Session

_RANDOM_SEED = 1
_MOST_KEPT_BYTES = 8 * 1024
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


class _Moving(msgspec.Struct, gc=False):
    """The members of a profile that change from answer to answer, in their order at its end."""

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

    Cost: experiences and changes were encoded at load and are copied; in one piece where an answer
    with the same decision was written before.
    """
    profile, decision, json = outcome.profile, outcome.decision, outcome.json
    head, tail = json.head, json.tail
    if json.decision is not decision or json.profile_id != profile.id:
        head, tail = _head(outcome), _tail(decision)
        if len(head) + len(tail) <= _MOST_KEPT_BYTES:
            json.decision, json.profile_id = decision, profile.id
            json.head, json.tail = head, tail
    moving = _Moving(profile.traits, profile.location, wire_session(profile.session))
    return b"".join((head, _ENCODER.encode(moving)[1:], tail))


def _head(outcome: Outcome) -> bytes:
    """The beginning of an answer, up to the traits."""
    profile, encode = outcome.profile, _ENCODER.encode
    return b'{"data":{"profile":{"id":%b,"stableId":%b,"random":%b,"audiences":%b,' % (
        encode(profile.id),
        encode(profile.stable_id),
        encode(random_of(profile.stable_id)),
        encode(outcome.decision.audiences),
    )


def _tail(decision: Decision) -> bytes:
    """The end of an answer, behind the profile."""
    variants = decision.variants
    return b"".join(
        (
            b',"experiences":[',
            b",".join([variant.experience_json for variant in variants]),
            b'],"changes":[',
            b",".join([change for variant in variants for change in variant.changes_json]),
            b']},"error":null,"message":"ok"}',
        )
    )


def encode_profiles(outcomes: Sequence[Outcome]) -> bytes:
    """Return the body that answers a batch: the profiles alone, without experiences or changes."""
    profiles = [wire_profile(item.profile, item.decision.audiences) for item in outcomes]
    return _ENCODER.encode(_Envelope(_Profiles(profiles)))


EMPTY_BODY = _ENCODER.encode(_Envelope({}))
"""The body that answers what has nothing to tell but success."""
