"""What of a profile was found by the visitor's address: taken over, overruled, taken back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgewise.locations import fold_location
from edgewise.model.event import EventLocation, Resolved
from edgewise.model.profiles import ByAddress, Location, Profile


def fold_found_location(profile: Profile, resolved: Resolved) -> None:
    """Put a location that was found in the place of the one that was known, as a whole.

    Members of two places would tell of a place that there is not. One that only fills a gap stays
    away where a place is known.
    """
    assert resolved.location is not None
    if resolved.fills and _knows_place(profile.location):
        return
    location = Location()
    by_address = _by_address(profile)
    by_address.location = fold_location(location, resolved.location)
    by_address.city_names = (resolved.city_names or {}) if location.city else {}
    profile.location = location


def _knows_place(location: Location) -> bool:
    return bool(location.city or location.country or location.country_code)


def fold_found_traits(profile: Profile, found: dict[str, Any], arrival_ms: int) -> None:
    """Overwrite whole traits by what was found."""
    profile.traits.update(found)
    profile.trait_times.update(dict.fromkeys(found, arrival_ms))
    by_address = _by_address(profile)
    by_address.traits = list(dict.fromkeys((*by_address.traits, *found)))


def fold_sent_location(profile: Profile, sent: EventLocation) -> None:
    """Overwrite the members of the location that a sender gave, which are no finds any more."""
    said = fold_location(profile.location, sent)
    by_address = profile.by_address
    if by_address is None or not said:
        return
    by_address.location = [name for name in by_address.location if name not in said]
    if "city" in said:
        by_address.city_names = {}
    _tidy(profile, by_address)


def note_sent_traits(profile: Profile, names: Iterable[str]) -> None:
    """Note that a sender has changed some traits, which are no finds any more."""
    by_address = profile.by_address
    if by_address is None or not by_address.traits:
        return
    said = frozenset(names)
    by_address.traits = [name for name in by_address.traits if name not in said]
    _tidy(profile, by_address)


def forget_found(profile: Profile) -> None:
    """Remove everything that was found by the visitor's address."""
    by_address = profile.by_address
    if by_address is None:
        return
    for member in by_address.location:
        setattr(profile.location, member, None)
    for name in by_address.traits:
        profile.traits.pop(name, None)
        profile.trait_times.pop(name, None)
    profile.by_address = None


def _by_address(profile: Profile) -> ByAddress:
    if profile.by_address is None:
        profile.by_address = ByAddress()
    return profile.by_address


def _tidy(profile: Profile, by_address: ByAddress) -> None:
    if not (by_address.location or by_address.traits):
        profile.by_address = None
