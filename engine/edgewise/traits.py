"""Changes of traits that depend on the value before: members of lists, and removal."""

from __future__ import annotations

from typing import Any

import msgspec

from edgewise.model.event import TraitPatch
from edgewise.model.profiles import Profile


def patch_traits(profile: Profile, patch: TraitPatch, arrival_ms: int) -> None:
    """Append to lists, take out of lists, then remove traits; the profile is changed in place.

    A value that is there already is not appended again, so that whoever sends a patch twice
    changes nothing by it. A single value becomes a list when something is appended to it.

    Source: `patch_properties` of Klaviyo's profiles.
    """
    traits, times = profile.traits, profile.trait_times
    for name, added in patch.append.items():
        traits[name] = _with(_members(traits.get(name)), _members(added))
        times[name] = arrival_ms
    for name, removed in patch.unappend.items():
        kept = traits.get(name)
        if isinstance(kept, list):
            traits[name] = _without(kept, _members(removed))
            times[name] = arrival_ms
    for name in patch.unset:
        traits.pop(name, None)
        times.pop(name, None)


def _members(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _with(kept: list[Any], added: list[Any]) -> list[Any]:
    members = {_key(value): value for value in kept}
    for value in added:
        members.setdefault(_key(value), value)
    return list(members.values())


def _without(kept: list[Any], removed: list[Any]) -> list[Any]:
    gone = {_key(value) for value in removed}
    return [value for value in kept if _key(value) not in gone]


def _key(value: Any) -> bytes:
    """A value as text: Python takes 1 and true for the same, and a list for no key."""
    return msgspec.json.encode(value, order="deterministic")
