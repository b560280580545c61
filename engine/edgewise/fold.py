"""Events into a profile: the one place where a profile changes by what a visitor did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from edgewise.by_address import (
    fold_found_location,
    fold_found_traits,
    fold_sent_location,
    forget_found,
    note_sent_traits,
)
from edgewise.devices import device_class
from edgewise.model.audience import Matcher
from edgewise.model.event import Event, ReceivedEvent, Resolved
from edgewise.model.profiles import Profile
from edgewise.relevance import Relevance
from edgewise.sessions import fold_session, is_visit
from edgewise.tallies import count_event
from edgewise.traits import patch_traits
from edgewise.values import text_of

# Client libraries send booleans; whatever else one may mean by them is taken as that.
_CONSENT = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_NO_COUNTS: frozenset[int] = frozenset()


class FoldRules(msgspec.Struct, frozen=True):
    """What the fold needs to know of a ruleset.

    Args:
        match_event: gives the matchers that an event satisfies.
        sticky_variants: sticky experience → number of its variants, the baseline included.
        relevance: what of a profile decisions read.
        respects_refusal: whether what was found by the address of a visitor goes when the visitor
            refuses consent.
    """

    match_event: Callable[[Event], Iterable[Matcher]]
    sticky_variants: Mapping[str, int]
    respects_refusal: bool = False
    relevance: Relevance = Relevance()


def consent_of(event: Event) -> bool | None:
    """Return whether the visitor of an event consents, None where the event says nothing of it."""
    context = event.context
    if context is None or context.gdpr is None:
        return None
    given = context.gdpr.is_consent_given
    return _CONSENT.get(text_of(given).strip().lower()) if given is not None else None


def fold_events(
    profile: Profile, received: Sequence[ReceivedEvent], rules: FoldRules, arrival_ms: int
) -> bool:
    """Fold events into a profile, in the order given; the profile is changed in place.

    Every event counts for location, device and tallies, whatever its type, and for the session
    unless another system reports it. On top of that an identify event sets traits, and a component
    event may pin a variant. What was found out for a request comes with its events: the location
    lies below what events say, the device and the traits above it. An alias event and the user id
    of an identify event concern other profiles too and are the caller's to handle.

    Returns whether something changed that decisions read: without, an earlier one stands until the
    first event leaves its window that was in one when it was made. Those that are counted here
    leave later, or are counted at a number at which no rule turns, up and down.

    Args:
        received: in fold order and free of duplicates; without events nothing changes.
        arrival_ms: when the request came, in milliseconds since 1970.
    Cost: a few microseconds per event, plus what the matchers cost.
    """
    if not received:
        return False
    relevance = rules.relevance
    device, sessions, assigned = profile.device, profile.session.count, len(profile.assignments)
    location: tuple[Any, ...] = ()
    sets_traits = False
    turned = False
    for item in received:
        event, time_ms = item.event, item.time_ms
        kind, context, resolved = event.type, event.context, event.resolved
        if resolved is not None or rules.respects_refusal:
            location = location or astuple(profile.location)
            sets_traits = sets_traits or _tells_traits(profile, resolved)
            resolved = _fold_address(profile, item, rules)
        if context is None:
            fold_session(profile, time_ms, None)
        else:
            if context.app is None or is_visit(context.app):
                fold_session(profile, time_ms, context.page)
            if context.location is not None:
                location = location or astuple(profile.location)
                fold_sent_location(profile, context.location)
            profile.device = device_class(context.user_agent) or profile.device
        turned = _count(profile, item, rules, arrival_ms) or turned
        if kind == "identify":
            sets_traits = True
            _merge_traits(profile, event, arrival_ms)
        elif kind == "component":
            _pin_variant(profile, item, rules.sticky_variants)
        if resolved is not None:
            _fold_resolved(profile, resolved, arrival_ms)
    profile.updated_ms = arrival_ms
    return (
        turned
        or (sets_traits and relevance.reads_traits)
        or (device != profile.device and relevance.reads_device)
        or (sessions != profile.session.count and _sessions_turned(profile, sessions, relevance))
        or assigned != len(profile.assignments)
        or (bool(location) and relevance.reads_location and location != astuple(profile.location))
    )


def _count(profile: Profile, item: ReceivedEvent, rules: FoldRules, arrival_ms: int) -> bool:
    """Count what an event matches; return whether a condition may have turned by it."""
    flips, turned = rules.relevance.flips, False
    for matcher in rules.match_event(item.event):
        count = count_event(profile, matcher, item.time_ms, arrival_ms)
        if flips is None or count in flips.get(matcher.id, _NO_COUNTS):
            turned = True
    return turned


def _sessions_turned(profile: Profile, sessions: int, relevance: Relevance) -> bool:
    """Whether a condition may have turned since a profile had this number of sessions."""
    flips = relevance.session_flips
    return flips is None or any(
        count in flips for count in range(sessions + 1, profile.session.count + 1)
    )


def _tells_traits(profile: Profile, resolved: Resolved | None) -> bool:
    """Whether traits may change by what was found, or by its being forgotten."""
    known = profile.by_address
    found = resolved is not None and bool(resolved.traits)
    return found or (known is not None and bool(known.traits))


def _fold_address(profile: Profile, item: ReceivedEvent, rules: FoldRules) -> Resolved | None:
    """Fold where a visitor's address is; return what else was found out and may be used."""
    resolved = item.event.resolved
    if rules.respects_refusal and _refuses(profile, item):
        forget_found(profile)
        resolved = _without_address(resolved)
    if resolved is not None and resolved.location is not None:
        fold_found_location(profile, resolved)
    return resolved


def _refuses(profile: Profile, item: ReceivedEvent) -> bool:
    """Note what an event says about consent; return whether the visitor's last word is a refusal.

    An event that was overtaken by another on its way does not have the last word.
    """
    given = consent_of(item.event)
    if given is not None and item.time_ms >= profile.consent_ms:
        profile.consent_given, profile.consent_ms = given, item.time_ms
    return profile.consent_given is False


def _without_address(resolved: Resolved | None) -> Resolved | None:
    """What was found out in other ways than by the address."""
    if resolved is None or resolved.device is None:
        return None
    return Resolved(device=resolved.device)


def _merge_traits(profile: Profile, event: Event, arrival_ms: int) -> None:
    """Overwrite whole traits; a null is kept, and reads as missing."""
    if event.traits:
        profile.traits.update(event.traits)
        profile.trait_times.update(dict.fromkeys(event.traits, arrival_ms))
        note_sent_traits(profile, event.traits)
    patch = event.trait_patch
    if patch is not None:
        patch_traits(profile, patch, arrival_ms)
        note_sent_traits(profile, (*patch.append, *patch.unappend, *patch.unset))


def _fold_resolved(profile: Profile, resolved: Resolved, arrival_ms: int) -> None:
    if resolved.device is not None:
        profile.device = resolved.device
    if resolved.traits:
        fold_found_traits(profile, resolved.traits, arrival_ms)


def _pin_variant(profile: Profile, item: ReceivedEvent, sticky_variants: Mapping[str, int]) -> None:
    """Keep the variant of a sticky experience that was seen first; ignore what cannot be one."""
    experience_id = item.event.experience_id
    index = item.event.variant_index
    if experience_id is None or index is None or experience_id in profile.assignments:
        return
    # A NaN fails the comparison, so only finite numbers reach int().
    if 0 <= index < sticky_variants.get(experience_id, 0) and int(index) == index:
        profile.assignments[experience_id] = int(index)
        profile.assignment_times[experience_id] = item.time_ms
