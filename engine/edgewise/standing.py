"""Decisions that stand: until an event changes something that they read, or leaves its window."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgewise.decide import decide
from edgewise.fold import fold_events
from edgewise.model.decision import Decision, DecisionJson
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.relevance import next_expiry
from edgewise.ruleset import Ruleset


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a ruleset has decided for a profile, and for how long that holds by itself.

    Args:
        json: what was written of it, for all answers that it stands for.
        decided_ms: the time from which it holds.
        expires_ms: when an event may leave a window, so that a new decision is due.
        assigned: how many variants were assigned to the profile for good.
        size: how many audiences and variants the decision has.
    """

    decision: Decision
    json: DecisionJson
    decided_ms: int
    expires_ms: int
    assigned: int
    size: int


def decide_anew(
    ruleset: Ruleset, profile: Profile, now_ms: int, last: Standing | None = None
) -> Standing:
    """Return what a profile gets from a time on.

    Args:
        last: what this very ruleset has decided for it before, where that is known.
    """
    assigned = len(profile.assignments)
    known = last.decision if last is not None and last.assigned == assigned else None
    decision = decide(ruleset, profile, now_ms, known)
    json = last.json if last is not None and decision is known else DecisionJson()
    expires_ms = next_expiry(profile, ruleset.evaluator.matchers, now_ms)
    size = len(decision.audiences) + len(decision.variants)
    return Standing(decision, json, now_ms, expires_ms, assigned, size)


def fold_and_decide(
    ruleset: Ruleset,
    profile: Profile,
    received: Sequence[ReceivedEvent],
    arrival_ms: int,
    last: Standing | None = None,
) -> Standing:
    """Return what a profile gets after some events, which change it in place.

    Args:
        received: in fold order and free of duplicates.
        last: what this very ruleset has decided for the profile as it was, where that is known.
    Cost: a decision only where one is due.
    """
    before_ms = profile.updated_ms
    changed = fold_events(profile, received, ruleset.fold_rules, arrival_ms)
    if (
        changed
        or last is None
        # Where the clock has gone back, windows are others than when it was found to stand.
        or arrival_ms < before_ms
        or not last.decided_ms <= arrival_ms < last.expires_ms
    ):
        return decide_anew(ruleset, profile, arrival_ms, last)
    return last
