"""Why a profile gets what it gets: each audience and experience of a ruleset, in answer order.

It comes to the same results as `edgewise.decide`, by the slow and obvious way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from edgewise.allocation import AllocationExplanation, explain_allocation
from edgewise.audiences.explain import ExplainedCondition, explain_tree
from edgewise.errors import Fault
from edgewise.model.event import TimedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, ServedExperience


class ExplainedAudience(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One audience: whether the profile is in it, and by which conditions.

    Args:
        fault: why it can never match, for one that was set aside.
    """

    id: str
    name: str
    holds: bool
    condition: ExplainedCondition
    fault: str = ""


class ExplainedExperience(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One experience: what the profile gets of it, and why.

    Args:
        reason: "selected", "pinned", "not_in_audience" or "outside_traffic".
        text: the reason as a sentence.
        variant_index: what the profile gets; null where it gets nothing.
        pinned_ms: when a pinned variant was first seen, in milliseconds since 1970.
        allocation: the buckets and shares, whether or not they decided.
    """

    id: str
    name: str
    reason: str
    text: str
    variant_index: int | None
    allocation: AllocationExplanation
    audience_id: str | None = None
    pinned_ms: int = 0


class Explanation(msgspec.Struct, kw_only=True):
    """Everything that was decided for a profile at a time, with the reasons.

    Args:
        set_aside: what is wrong with app-written rules that therefore never match, those included
            that are too faulty to stand in one of the lists.
    """

    organization: str
    environment: str
    ruleset: str
    profile_id: str
    now_ms: int
    audiences: list[ExplainedAudience]
    experiences: list[ExplainedExperience]
    set_aside: list[Fault] = []


def explain(
    ruleset: Ruleset,
    profile: Profile,
    now_ms: int,
    audience_id: str | None = None,
    events: Sequence[TimedEvent] | None = None,
) -> Explanation:
    """Return why a profile gets what it gets at a time.

    Args:
        audience_id: only this audience and the experiences for it.
        events: those of the profile, for telling what comes nearest to a condition that counts too
            few of them; None where they are not known.
    Units: milliseconds since 1970.
    """
    faults = {fault.audience_id: fault for fault in ruleset.set_aside if fault.audience_id}
    audiences = []
    members = set()
    for audience in ruleset.audiences:
        condition = explain_tree(audience.tree, profile, now_ms, events)
        if condition.holds:
            members.add(audience.id)
        explained = ExplainedAudience(
            id=audience.id,
            name=audience.name,
            holds=condition.holds,
            condition=condition,
            fault=_fault_text(faults.get(audience.id)),
        )
        if audience_id in (None, audience.id):
            audiences.append(explained)
    return Explanation(
        organization=ruleset.organization,
        environment=ruleset.environment,
        ruleset=ruleset.digest,
        profile_id=profile.id,
        now_ms=now_ms,
        audiences=audiences,
        experiences=[
            _explain_experience(served, profile, members)
            for served in ruleset.experiences
            if audience_id in (None, served.audience_id)
        ],
        set_aside=[
            fault for fault in ruleset.set_aside if audience_id in (None, fault.audience_id)
        ],
    )


def add_lines(explanation: Explanation, line_of: Callable[[str], int]) -> None:
    """Note at each test in which line of its file it stands.

    Args:
        line_of: the line of a place written as `file#pointer`, 0 where it is not known.
    """
    pending = [audience.condition for audience in explanation.audiences]
    while pending:
        condition = pending.pop()
        condition.line = line_of(condition.origin) if condition.origin else 0
        pending += condition.children


def _fault_text(fault: Fault | None) -> str:
    return "" if fault is None else str(fault)


def _explain_experience(
    served: ServedExperience, profile: Profile, members: set[str]
) -> ExplainedExperience:
    allocation = explain_allocation(served.allocation, profile.stable_id)
    pinned = profile.assignments.get(served.experience.id) if served.sticky else None
    if pinned is not None and pinned < len(served.selected):
        reason, index = "pinned", pinned
        text = f"variant {pinned} was seen and is kept"
    elif served.audience_id is not None and served.audience_id not in members:
        reason, index = "not_in_audience", None
        text = f'not in the audience "{served.audience_id}"'
    elif not allocation.in_traffic:
        reason, index = "outside_traffic", None
        text = (
            f"bucket {allocation.traffic_bucket:.4f} is not below"
            f" the traffic of {allocation.traffic_allocation:g}"
        )
    else:
        reason, index = "selected", allocation.variant_index
        text = _selected_text(allocation)
    return ExplainedExperience(
        id=served.experience.id,
        name=served.experience.name,
        reason=reason,
        text=text,
        variant_index=index,
        allocation=allocation,
        audience_id=served.audience_id,
        pinned_ms=profile.assignment_times.get(served.experience.id, 0)
        if pinned is not None
        else 0,
    )


def _selected_text(allocation: AllocationExplanation) -> str:
    index = allocation.variant_index or 0
    bucket = allocation.distribution_bucket
    # An app may have written a distribution without any.
    for start, end in allocation.ranges[index : index + 1]:
        if start <= bucket <= end:
            place = f"the range {start:.4f} to {end:.4f} of variant {index}"
            return f"bucket {bucket:.4f} lies in {place}"
    return f"bucket {bucket:.4f} lies in no range, which gives the baseline"
