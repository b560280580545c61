"""One decision: a ruleset and a profile give audiences and variants. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from edgewise.model.decision import Decision, SelectedVariant
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset


def decide(
    ruleset: Ruleset, profile: Profile, now_ms: int, last: Decision | None = None
) -> Decision:
    """Return what a profile gets at a time; never raises on profile data.

    Args:
        last: what this very ruleset has decided for the profile before, if it had the assignments
            that it has now: the decision again where the audiences are the same.
    Units: milliseconds since 1970.
    """
    evaluator = ruleset.evaluator
    places = evaluator.find_members(profile, now_ms)
    ids = evaluator.ids
    audiences = [ids[place] for place in places]
    if last is not None and audiences == last.audiences:
        return last
    variants = ruleset.selection.variants(places, profile)
    if ruleset.shared_variables:
        variants = _without_repeated_changes(variants, ruleset.shared_variables)
    return Decision(audiences, variants)


def _without_repeated_changes(
    variants: Iterable[SelectedVariant], shared: frozenset[str]
) -> list[SelectedVariant]:
    """Variants whose variables are set once: of two experiences, the first in the answer sets them.

    Some clients take the first of two changes of one key, and others the last.
    """
    seen: set[str] = set()
    result = []
    for variant in variants:
        result.append(variant.without_changes(seen))
        seen |= shared.intersection(variant.variable_keys)
    return result
