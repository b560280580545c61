"""One decision: a ruleset and a profile give audiences and variants. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.allocation import allocate
from edgewise.fold import fold_events
from edgewise.model.decision import Decision, SelectedVariant
from edgewise.model.event import ReceivedEvent
from edgewise.model.profile import Profile
from edgewise.ruleset import Ruleset, ServedExperience


def decide(ruleset: Ruleset, profile: Profile, now_ms: int) -> Decision:
    """Return what a profile gets at a time; never raises on profile data.

    Units: milliseconds since 1970.
    """
    audiences = ruleset.evaluator.members(profile, now_ms)
    members = set(audiences)
    variants = []
    for served in ruleset.experiences:
        selected = _select(served, profile, members)
        if selected is not None:
            variants.append(selected)
    return Decision(audiences, variants)


def fold_and_decide(
    ruleset: Ruleset, profile: Profile, received: Sequence[ReceivedEvent], arrival_ms: int
) -> Decision:
    """Return what a profile gets after some events, which change it in place.

    Args:
        received: in fold order and free of duplicates.
    """
    fold_events(profile, received, ruleset.fold_rules, arrival_ms)
    return decide(ruleset, profile, arrival_ms)


def _select(
    served: ServedExperience, profile: Profile, members: set[str]
) -> SelectedVariant | None:
    if served.sticky:
        pinned = profile.assignments.get(served.experience.id)
        # A variant that has been taken out of the experience since cannot be kept.
        if pinned is not None and pinned < len(served.selected):
            return served.selected[pinned]
    if served.audience_id is not None and served.audience_id not in members:
        return None
    index = allocate(served.allocation, profile.stable_id)
    return None if index is None else served.selected[index]
