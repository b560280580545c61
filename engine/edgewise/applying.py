"""Events onto a profile that was found: what is new is folded and decided, ready to be saved."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgewise.carrying import carrying, telling
from edgewise.history import catch_up
from edgewise.identity import Identity, Loaded
from edgewise.messages import has_forgotten, may_be_forgotten, remember, unseen
from edgewise.model.event import ReceivedEvent, Resolved
from edgewise.model.log import LogEntry
from edgewise.model.profiles import Profile
from edgewise.standing import Standing, fold_and_decide
from edgewise.stores.base import Store


class Applied(msgspec.Struct, frozen=True, gc=False):
    """A profile after some events, and what was decided for it.

    Args:
        entries: what goes to the log with the profile; without any there is nothing to save.
    """

    profile: Profile
    standing: Standing
    entries: list[LogEntry]


async def apply_events(
    identity: Identity,
    loaded: Loaded,
    received: Sequence[ReceivedEvent],
    arrival_ms: int,
    resolved: Resolved | None = None,
    last: Standing | None = None,
) -> Applied:
    """Return a profile after the events that it has not counted yet; it is changed in place.

    Args:
        resolved: what was found out for the request that the events came with.
        last: what the ruleset has decided for the profile as it was loaded, where that is known.
    """
    profile, ruleset = loaded.profile, identity.ruleset
    store = identity.records.store
    if profile.matchers_digest != ruleset.evaluator.matchers_digest:
        await catch_up(profile, ruleset.evaluator, store)
        last = None
    fresh = unseen(profile, received)
    if has_forgotten(profile):
        fresh = await _not_logged(store, profile, fresh)
    if resolved is not None:
        fresh = carrying(fresh, resolved)
    if profile.joined and fresh:
        fresh, profile.joined = telling(fresh, profile.joined), ()
    standing = fold_and_decide(ruleset, profile, fresh, arrival_ms, last)
    remember(profile, fresh)
    return Applied(
        profile,
        standing,
        [
            LogEntry(
                ruleset.names,
                profile.id,
                item.message_key,
                item.time_ms,
                arrival_ms,
                item.raw,
            )
            for item in fresh
        ],
    )


async def _not_logged(
    store: Store, profile: Profile, received: list[ReceivedEvent]
) -> list[ReceivedEvent]:
    """The events that the record does not remember and the log does not hold."""
    doubtful = {event.message_key for event in received if may_be_forgotten(profile, event)}
    if not doubtful:
        return received
    logged = await store.logged((profile.id, *profile.absorbed), doubtful)
    return [event for event in received if event.message_key not in logged]
