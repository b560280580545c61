"""What the engine decides for one profile."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from edgewise.model.profiles import Profile


class SelectedVariant(msgspec.Struct, frozen=True):
    """One experience at one variant index, with its part of the answer encoded at load.

    Args:
        experience_json: the member of `experiences`, encoded.
        changes_json: its members of `changes`, encoded, in component order.
        variable_keys: what each of the changes changes.
    """

    experience_id: str
    variant_index: int
    experience_json: bytes
    changes_json: tuple[bytes, ...]
    variable_keys: tuple[str, ...] = ()

    def without_changes(self, keys: Set[str]) -> SelectedVariant:
        """Return the variant without the changes of some variables."""
        if keys.isdisjoint(self.variable_keys):
            return self
        pairs = zip(self.variable_keys, self.changes_json, strict=True)
        kept = [(key, change) for key, change in pairs if key not in keys]
        return msgspec.structs.replace(
            self,
            variable_keys=tuple(key for key, _ in kept),
            changes_json=tuple(change for _, change in kept),
        )


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The audiences of a profile and the variants it gets, both in answer order.

    It belongs to every outcome for which it stands: whoever wants other lists makes a copy.
    """

    audiences: list[str]
    variants: list[SelectedVariant]


class DecisionJson(msgspec.Struct, gc=False):
    """What an answer says that follows from a profile's ids and its decision alone, once written.

    Args:
        decision, profile_id: what it was written of; of anything else it says nothing.
        head, tail: the answer up to the traits, and from behind the profile.
    """

    decision: Decision | None = None
    profile_id: str = ""
    head: bytes = b""
    tail: bytes = b""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A profile after an update or a read, what was decided for it, and the ruleset's digest.

    Args:
        json: shared by all outcomes of one profile for which one decision stands.
    """

    profile: Profile
    decision: Decision
    ruleset: str
    json: DecisionJson = msgspec.field(default_factory=DecisionJson)
