"""How many days an experiment needs, from the reach that a simulation found for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from math import ceil
from typing import Protocol

import msgspec

from edgewise.errors import InputError
from edgewise.parsing import closest
from edgewise.simulate.result import EnvironmentResult, ExperienceResult, Result, TimelineResult

_DAY_S = 86_400
LONGEST_DAYS = 3_650
"""More than ten years is no plan."""
_OUTLOOK_DAYS = (7, 14, 28, 56)


class PowerFunctions(Protocol):
    """What planning needs of a module of statistics."""

    visitors_needed: Callable[[float, float, float, float, float], int]
    least_lift: Callable[..., float | None]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment shall be able to tell.

    Args:
        baseline: the share of visitors who do what counts today, 0..1.
        lift: how much more, relative to the baseline: 0.1 asks for 4.4% instead of 4%. Less than 0
            asks for a drop.
        power: how likely the experiment shall find this.
        alpha: how likely it may find something where there is nothing.
    """

    experience: str
    baseline: float
    lift: float
    power: float = 0.8
    alpha: float = 0.05


class Outlook(msgspec.Struct, frozen=True):
    """The least lift, or drop where one is asked for, that can be found after some days, if any."""

    days: int
    lift: float | None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long an experiment takes.

    Args:
        comparisons: variants that are each compared with the baseline. They share alpha, so that
            all together are wrong no more often than one would be (Bonferroni).
        visitors: how many the whole experiment needs.
        per_day: new visitors that it reaches on an average day.
        days: whole days until then; None is more than ten years, or never.
        days_with_all: the same if no visitor were held out by traffic.
        simulated_days: how long the simulated time was.
    """

    environment: str
    experience: str
    comparisons: int
    alpha: float
    visitors: int
    per_day: float
    days: int | None
    days_with_all: int | None
    simulated_days: float
    outlook: list[Outlook]


def check_question(question: Question) -> None:
    """Refuse shares that are none. Errors: InputError."""
    for option, value in (
        ("--baseline", question.baseline),
        ("--power", question.power),
        ("--alpha", question.alpha),
    ):
        if not 0 < value < 1:
            raise InputError(f"{option} takes a share between 0 and 1")
    if question.power <= question.alpha:
        raise InputError("--power must be larger than --alpha")
    expected = question.baseline * (1 + question.lift)
    if not question.lift or not 0 < expected < 1:
        raise InputError(
            "--lift is relative to the baseline, such as 0.1 for a tenth more; it cannot be 0, and"
            " the share that it leads to must lie between 0 and 1"
        )


def make_plan(question: Question, result: Result, environment: str, power: PowerFunctions) -> Plan:
    """Return how long an experiment takes.

    Args:
        environment: where the experience is; empty where only one has it.
    Errors: InputError for an experience that is not there or compares nothing, and where no time
        was simulated.
    """
    check_question(question)
    where, experience = _find(result.environments, question.experience, environment)
    baseline, *others = _shares(experience)
    simulated_days = _days_of(result.timeline)
    alpha = question.alpha / len(others)
    expected = question.baseline * (1 + question.lift)

    visitors = max(
        ceil(
            power.visitors_needed(
                question.baseline, expected, one / baseline, alpha, question.power
            )
            / baseline
        )
        for one in others
    )
    per_day = experience.reach / simulated_days
    least = min(others)
    return Plan(
        environment=where.environment,
        experience=experience.id,
        comparisons=len(others),
        alpha=alpha,
        visitors=visitors,
        per_day=per_day,
        days=_days_for(visitors, per_day),
        days_with_all=_days_for(
            visitors, (experience.reach + experience.held_out) / simulated_days
        ),
        simulated_days=simulated_days,
        outlook=[
            Outlook(
                days,
                power.least_lift(
                    question.baseline,
                    days * per_day * baseline,
                    least / baseline,
                    alpha,
                    question.power,
                    drop=question.lift < 0,
                ),
            )
            for days in _OUTLOOK_DAYS
        ],
    )


def _find(
    environments: Sequence[EnvironmentResult], experience_id: str, environment: str
) -> tuple[EnvironmentResult, ExperienceResult]:
    asked = [one for one in environments if environment in ("", one.environment)]
    if not asked:
        known = ", ".join(one.environment for one in environments)
        raise InputError(f'the result has no environment "{environment}"; there are: {known}')
    found = [
        (where, one) for where in asked for one in where.experiences if one.id == experience_id
    ]
    if len(found) > 1:
        places = ", ".join(where.environment for where, _ in found)
        raise InputError(f'"{experience_id}" is in {places}; choose with --environment')
    if not found:
        known_ids = [one.id for where in asked for one in where.experiences]
        hint = closest(experience_id, known_ids) or f"there are: {', '.join(known_ids)}"
        raise InputError(f'there is no experience "{experience_id}" ({hint})')
    return found[0]


def _shares(experience: ExperienceResult) -> list[float]:
    """The shares that are compared, of the whole; that of the baseline is the first."""
    baseline, *others = [one.share for one in experience.variants] or [0.0]
    compared = [share for share in others if share > 0]
    if not baseline or not compared:
        raise InputError(
            f'"{experience.id}" gives no visitor the baseline beside a variant, so there is nothing'
            " to compare"
        )
    whole = baseline + sum(compared)
    return [share / whole for share in (baseline, *compared)]


def _days_of(timeline: TimelineResult) -> float:
    """The length of the simulated time; what is shorter than a day counts as one."""
    if not timeline.first:
        raise InputError("nothing was simulated, so there is no reach to plan with")
    first, last = map(datetime.fromisoformat, (timeline.first, timeline.last))
    return max(1.0, (last - first).total_seconds() / _DAY_S)


def _days_for(visitors: int, per_day: float) -> int | None:
    days = ceil(visitors / per_day) if per_day else LONGEST_DAYS + 1
    return days if days <= LONGEST_DAYS else None
