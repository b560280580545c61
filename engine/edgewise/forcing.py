"""A decision with one variant that somebody wants to look at. Pure, and nothing of it is kept."""

from __future__ import annotations

from edgewise.decoding import Update
from edgewise.model.decision import Decision, SelectedVariant
from edgewise.model.forced import ForcedVariant
from edgewise.ruleset import Ruleset

_VIEWS = frozenset({"component", "component_click", "component_hover"})


def find_forced(ruleset: Ruleset, forced: ForcedVariant) -> SelectedVariant | None:
    """Return a variant as answers carry it, or None where the ruleset has no such one."""
    for served in ruleset.experiences:
        if served.experience.id == forced.experience_id:
            found = 0 <= forced.variant_index < len(served.selected)
            return served.selected[forced.variant_index] if found else None
    return None


def force_variant(ruleset: Ruleset, decision: Decision, forced: ForcedVariant) -> Decision:
    """Return a decision in which one experience has this variant, in or out of its audience.

    Where two experiences set one variable the forced one sets it. What the ruleset does not have
    leaves the decision as it is.
    """
    selected = find_forced(ruleset, forced)
    if selected is None:
        return decision
    keys = frozenset(selected.variable_keys)
    by_id = {one.experience_id: one.without_changes(keys) for one in decision.variants}
    by_id[selected.experience_id] = selected
    order = (served.experience.id for served in ruleset.experiences)
    return Decision(decision.audiences, [by_id[id_] for id_ in order if id_ in by_id])


def without_views(update: Update, forced: ForcedVariant) -> Update:
    """Return the events of a request without those that tell of the forced experience.

    What a person looks at on purpose was not shown by a rule: it must not be counted, and must
    not become the variant that a visitor keeps.
    """
    kept = [
        position
        for position, event in enumerate(update.events)
        if not (event.type in _VIEWS and event.experience_id == forced.experience_id)
    ]
    if len(kept) == len(update.events):
        return update
    return Update(
        [update.events[position] for position in kept],
        [update.raws[position] for position in kept],
        update.features,
    )
