"""Shares of an experience that leave somebody out."""

from __future__ import annotations

from collections.abc import Iterator

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note
from edgewise.model.experience import Experience
from edgewise.parsing import pointer_join

_TOLERANCE = 1e-6


def check_shares(subject: Subject) -> Iterator[Fault]:
    """Warn of distributions that do not add up to 1, and of variants that nobody gets."""
    for served in subject.ruleset.experiences:
        yield from _check_sum(served.experience)
        yield from _check_variants(served.experience)


def _check_sum(experience: Experience) -> Iterator[Fault]:
    total = sum(experience.distribution)
    if abs(total - 1) > _TOLERANCE:
        if total < 1:
            message = f"the shares add up to {total:g}; the remaining visitors get the baseline"
        else:
            message = f"the shares add up to {total:g}; the last variants get less than they say"
        yield note("distribution_not_one", _place(experience), message, "make them add up to 1")


def _check_variants(experience: Experience) -> Iterator[Fault]:
    if not experience.traffic_allocation:
        message = "the traffic is 0, so that nobody takes part"
        yield note("unreachable_variant", _place(experience), message, "raise it, or remove it")
        return
    shares = experience.distribution
    count = max((len(component.variants) for component in experience.components), default=0)
    for index in range(1, count + 1):
        if index >= len(shares) or not shares[index]:
            message = f"nobody gets variant {index}: its share is 0"
            hint = "give it a share, or remove it"
            yield note("unreachable_variant", _place(experience), message, hint)


def _place(experience: Experience) -> Place:
    pointer = experience.pointer
    if experience.form == "native":
        pointer = pointer_join(pointer, "distribution")
    return Place(experience.file, pointer, experience_id=experience.id)
