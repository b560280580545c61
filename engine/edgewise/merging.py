"""Two profiles of one visitor into one: pure, and the same whichever process does it.

The survivor keeps its id, stable_id and session id space; what both have, the newer one decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edgewise.by_address import forget_found
from edgewise.model.audience import Matcher
from edgewise.model.profiles import ByAddress, Location, Profile, Session
from edgewise.tallies import merge_tallies

MESSAGE_KEY_BYTES = 8
KEPT_MESSAGE_KEYS = 256

MOST_JOINED = 1_000
"""So many profiles logins may make one. Whoever has more is no visitor, and each of their logs is
asked whether a message was counted."""

_NOWHERE = Location()


def absorb(survivor: Profile, loser: Profile, matchers: Mapping[int, Matcher]) -> None:
    """Add the loser to the survivor, which is changed in place; the loser stays as it is.

    Both must have their tallies in step with the same matchers. Absorbing the same loser again
    changes nothing.
    """
    if loser.id in survivor.absorbed or loser.id == survivor.id:
        return
    _merge_traits(survivor, loser)
    _merge_place(survivor, loser)
    merge_tallies(survivor, loser, matchers)
    survivor.session = _merge_sessions(survivor.session, loser.session)
    survivor.assignments = {**loser.assignments, **survivor.assignments}
    survivor.assignment_times = {**loser.assignment_times, **survivor.assignment_times}
    survivor.absorbed += [loser.id, *loser.absorbed]
    survivor.joined += (*loser.joined, (loser.id, survivor.id))
    survivor.aliases += [alias for alias in loser.aliases if alias not in survivor.aliases]
    survivor.created_ms = min(survivor.created_ms, loser.created_ms)
    _merge_consent(survivor, loser)
    survivor.updated_ms = max(survivor.updated_ms, loser.updated_ms)
    newest = -KEPT_MESSAGE_KEYS * MESSAGE_KEY_BYTES
    survivor.message_ids = (loser.message_ids + survivor.message_ids)[newest:]
    survivor.newest_claim_ms = max(survivor.newest_claim_ms, loser.newest_claim_ms)


def _merge_traits(survivor: Profile, loser: Profile) -> None:
    """The later write of each trait wins; of two at the same time the survivor's.

    Whether a trait was found by the address goes with it.
    """
    times = survivor.trait_times
    found = list(survivor.by_address.traits) if survivor.by_address else []
    found_by_loser = loser.by_address.traits if loser.by_address else ()
    for name, value in loser.traits.items():
        written_ms = loser.trait_times.get(name, 0)
        if name not in survivor.traits or written_ms > times.get(name, 0):
            survivor.traits[name] = value
            times[name] = written_ms
            if name in found_by_loser and name not in found:
                found.append(name)
            elif name in found and name not in found_by_loser:
                found.remove(name)
    _set_found(survivor, traits=found)


def _merge_place(survivor: Profile, loser: Profile) -> None:
    """Location and device are those of the later event, or those that are known at all."""
    loser_is_newer = loser.session.last_ms > survivor.session.last_ms
    if loser.location != _NOWHERE and (loser_is_newer or survivor.location == _NOWHERE):
        survivor.location = msgspec.structs.replace(loser.location)
        found = loser.by_address or ByAddress()
        _set_found(survivor, location=found.location, city_names=found.city_names)
    if loser.device != "unknown" and (loser_is_newer or survivor.device == "unknown"):
        survivor.device = loser.device


def _merge_consent(survivor: Profile, loser: Profile) -> None:
    """The later word counts, and takes back what was found for either."""
    if loser.consent_given is not None and loser.consent_ms > survivor.consent_ms:
        survivor.consent_given, survivor.consent_ms = loser.consent_given, loser.consent_ms
    if survivor.consent_given is False:
        forget_found(survivor)


def _set_found(survivor: Profile, **members: Any) -> None:
    """Change what of a profile was found by its visitor's address."""
    found = msgspec.structs.replace(survivor.by_address or ByAddress(), **members)
    survivor.by_address = found if found.location or found.traits else None


def _merge_sessions(one: Session, other: Session) -> Session:
    """Every session of both counts; the one that was active last stays active."""
    active, earlier = (other, one) if other.last_ms > one.last_ms else (one, other)
    return Session(
        id=active.id,
        count=active.count + earlier.count,
        started_ms=active.started_ms,
        last_ms=active.last_ms,
        closed_ms=active.closed_ms + earlier.closed_ms + earlier.last_ms - earlier.started_ms,
        landing_page=active.landing_page,
    )
