"""Tallies in step with the rules: what a new matcher would have counted is counted from the log.

A record carries the digest of the matcher set that it was last folded with. While that is the
ruleset's own there is nothing to do. Otherwise a matcher that the record has tallies for has been
counted all along, since tallies of matchers that fall out of use are dropped; one without any has
either never matched, and then the log agrees, or is new, and then the log tells.
"""

from __future__ import annotations

from edgewise.audiences.evaluator import Evaluator
from edgewise.decoding import decode_event
from edgewise.model.event import TimedEvent
from edgewise.model.profiles import Profile
from edgewise.stores.base import Store
from edgewise.tallies import count_event, drop_unused


async def catch_up(profile: Profile, evaluator: Evaluator, store: Store) -> None:
    """Bring the tallies of a profile in step with a ruleset; the profile is changed in place.

    Cost: nothing where the digests agree; else one pass over the log of the profile and of those
    it has absorbed.
    """
    if profile.matchers_digest == evaluator.matchers_digest:
        return
    drop_unused(profile, evaluator.matchers)
    missing = evaluator.matchers.keys() - profile.counts.keys() - profile.recent.keys()
    # Reported events open no session, and messages are remembered of all.
    if missing and (profile.session.count or profile.message_ids):
        for event, time_ms in await logged_events(profile, store):
            for matcher in evaluator.match_event(event):
                if matcher.id in missing:
                    count_event(profile, matcher, time_ms)
    profile.matchers_digest = evaluator.matchers_digest


async def logged_events(profile: Profile, store: Store) -> list[TimedEvent]:
    """Return the events in the log of a profile, those of profiles that it has absorbed first.

    Cost: one pass over these logs.
    """
    return [
        (decode_event(entry.event), entry.time_ms)
        for profile_id in (*profile.absorbed, profile.id)
        for entry in await store.read_log(profile_id)
    ]
