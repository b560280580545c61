"""Experiences that get into each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable


def check_variables(subject: Subject) -> Iterator[Fault]:
    """Warn of variables that several experiences set: the first of them in the answer does."""
    first: dict[str, Experience] = {}
    for served in subject.ruleset.experiences:
        experience = served.experience
        for component in experience.components:
            if not isinstance(component, InlineVariable):
                continue
            known = first.setdefault(component.key, experience)
            if known is not experience:
                message = (
                    f'the variable "{component.key}" is set by "{known.id}" too,'
                    " which comes first for whoever is in both"
                )
                yield note("duplicate_variable", _place(experience), message, "use another key")


def check_baselines(subject: Subject) -> Iterator[Fault]:
    """Warn of experiences on one entry of which one hides the other from all of its audience."""
    served = [one.experience for one in subject.ruleset.experiences]
    for one, other in combinations(served, 2):
        shared = sorted(_entries(one) & _entries(other))
        if not shared:
            continue
        if one.audience_id == other.audience_id:
            why = "for the same visitors"
        elif _is_for_everyone(one) or _is_for_everyone(other):
            why = "and one of them is for everyone"
        else:
            continue
        message = f'"{one.id}" and "{other.id}" both replace the entry "{shared[0]}", {why}'
        hint = "clients show the first that the entry lists; separate them by audience"
        yield note("shadowed_experience", _place(other), message, hint)


def _entries(experience: Experience) -> set[str]:
    components = experience.components
    return {one.baseline for one in components if isinstance(one, EntryReplacement)}


def _is_for_everyone(experience: Experience) -> bool:
    return experience.audience_id is None and experience.traffic_allocation == 1


def _place(experience: Experience) -> Place:
    return Place(experience.file, experience.pointer, experience_id=experience.id)
