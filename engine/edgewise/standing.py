"""Decisions that stand: until an event changes something that they read, or leaves its window."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import astuple

from edgewise.decide import decide
from edgewise.fold import fold_events
from edgewise.model.decision import Decision, DecisionJson
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.relevance import NEVER_MS, Watch, next_expiry
from edgewise.ruleset import Ruleset


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a ruleset has decided for a profile, and for how long that holds by itself.

    Args:
        json: what was written of it, for all answers that it stands for.
        decided_ms: the latest time at which it was found to hold.
        expires_ms: when an event may leave a window, so that a new decision is due.
    """

    decision: Decision
    json: DecisionJson
    decided_ms: int
    expires_ms: int


class Difference(msgspec.Struct, frozen=True, gc=False):
    """What some events have changed of what decisions read.

    Args:
        matters: whether the profile may get something else now.
        expires_ms: not later than the first of these events leaves a window, `NEVER_MS` where
            none is in one.
    """

    matters: bool
    expires_ms: int


def decide_anew(ruleset: Ruleset, profile: Profile, now_ms: int) -> Standing:
    """Return what a profile gets from a time on."""
    expires_ms = next_expiry(profile, ruleset.evaluator.matchers, now_ms)
    return Standing(decide(ruleset, profile, now_ms), DecisionJson(), now_ms, expires_ms)


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
    if last is None or not last.decided_ms <= arrival_ms < last.expires_ms:
        fold_events(profile, received, ruleset.fold_rules, arrival_ms)
        return decide_anew(ruleset, profile, arrival_ms)
    difference = fold_watched(ruleset, profile, received, arrival_ms)
    if difference.matters:
        return decide_anew(ruleset, profile, arrival_ms)
    expires_ms = min(last.expires_ms, difference.expires_ms)
    return Standing(last.decision, last.json, arrival_ms, expires_ms)


def fold_watched(
    ruleset: Ruleset, profile: Profile, received: Sequence[ReceivedEvent], arrival_ms: int
) -> Difference:
    """Fold events as `edgewise.fold.fold_events` does, and return what that may have changed."""
    relevance = ruleset.relevance
    sets_traits, sets_location = _sets(profile, received)
    location = astuple(profile.location) if relevance.reads_location and sets_location else None
    device, sessions, assigned = profile.device, profile.session.count, len(profile.assignments)
    watch = Watch(relevance, profile, arrival_ms)
    fold_events(profile, received, ruleset.fold_rules, arrival_ms, watch.match_event)
    expires_ms = NEVER_MS
    if watch.shortest_ms != NEVER_MS:
        expires_ms = min([item.time_ms for item in received]) + watch.shortest_ms + 1
        if expires_ms <= arrival_ms:
            expires_ms = next_expiry(profile, ruleset.evaluator.matchers, arrival_ms)
    matters = (
        watch.turned
        or (relevance.reads_traits and sets_traits)
        or (relevance.reads_sessions and sessions != profile.session.count)
        or (relevance.reads_device and device != profile.device)
        or assigned != len(profile.assignments)
        or (location is not None and location != astuple(profile.location))
    )
    return Difference(matters, expires_ms)


def _sets(profile: Profile, received: Sequence[ReceivedEvent]) -> tuple[bool, bool]:
    """Whether events may change traits, and the location; also what an address told may go."""
    known = profile.by_address
    traits, location = known is not None and bool(known.traits), known is not None
    for item in received:
        event = item.event
        context, resolved = event.context, event.resolved
        if event.type == "identify" and (event.traits or event.trait_patch):
            traits = True
        if context is not None and context.location is not None:
            location = True
        if resolved is not None:
            traits = traits or bool(resolved.traits)
            location = location or resolved.location is not None
    return traits, location
