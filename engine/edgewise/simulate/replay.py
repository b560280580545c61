"""Recorded requests through the fold, the identity rules and the decision of the service.

What differs from the service is where records live, and that nothing waits. When a decision is due
is found out here anew, for what the service keeps with a record stands at the visitor here: a
profile that did not change in a way that matters keeps its last decision (`edgewise.relevance`),
and a window that closes between two events is noticed at the very millisecond in which it closes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from edgewise.decide import decide
from edgewise.errors import InvalidData, NamespaceMismatch
from edgewise.fold import fold_events
from edgewise.identity import Identity, Loaded, Vacant
from edgewise.messages import may_be_forgotten, remember, unseen
from edgewise.model.decision import Decision
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Redirect
from edgewise.receiving import claimed_ids
from edgewise.relevance import NEVER_MS, next_expiry
from edgewise.ruleset import Ruleset
from edgewise.simulate.requests import Record
from edgewise.simulate.visitors import Visitor, Visitors

_MOST_REMEMBERED_NAMES = 200_000

_T = TypeVar("_T")


class Observer(Protocol):
    """Who is told about what happens in a replay.

    Times are simulated ones. Where requests arrive later than younger ones they do not go back for
    a visitor: nobody leaves an audience before having entered it.
    """

    def appeared(self, time_ms: int) -> None:
        """A visitor came for the first time."""

    def changed(self, before: Sequence[str], after: Sequence[str], time_ms: int) -> None:
        """The audiences of a visitor are others than before."""

    def merged(self, loser: Visitor, time_ms: int) -> None:
        """A visitor turned out to be another one."""


Refusal = NamespaceMismatch | InvalidData
"""Why a service would have refused a request."""

_Visit = tuple[Visitor, int, Sequence[ReceivedEvent]]
"""A visitor, when a request of it arrived, and the events of that."""


class Replay:
    """The replay of one environment's requests under one ruleset.

    Args:
        visitors: where profiles live; all environments of a replay share it, as in a store.

    Shape: `duplicates` counts the events that had been counted before.
    """

    def __init__(self, ruleset: Ruleset, visitors: Visitors, observer: Observer) -> None:
        self.ruleset = ruleset
        self.visitors = visitors
        self.observer = observer
        self.requests = self.events = self.duplicates = 0
        self._identity = Identity(visitors, ruleset)
        self._matchers = ruleset.evaluator.matchers
        self._ids: dict[str, str] = {}

    def apply(
        self, requests: Sequence[tuple[Record, Sequence[ReceivedEvent]]]
    ) -> list[Visitor | Refusal]:
        """Return the visitor of each request after its events, with what it gets; or why not.

        Args:
            requests: of visitors who have nothing to do with each other, with their events as
                `edgewise.simulate.requests.received_of` returns them.
        """
        found = [self._find(record, received) for record, received in requests]
        visits: list[_Visit] = [
            (visitor, record.arrival_ms, received)
            for visitor, (record, received) in zip(found, requests, strict=True)
            if visitor.__class__ is Visitor
        ]
        fresh = [_fresh(visitor, received) for visitor, _, received in visits]
        due = [
            (visitor, arrival_ms)
            for (visitor, arrival_ms, _), events in zip(visits, fresh, strict=True)
            if self._fold(visitor, events, arrival_ms)
        ]
        decisions = [self._decision(visitor, arrival_ms) for visitor, arrival_ms in due]
        for (visitor, arrival_ms), decision in zip(due, decisions, strict=True):
            self._note(visitor, decision, arrival_ms)
        for visitor, arrival_ms, _ in visits:
            _show(visitor, arrival_ms)
        events = sum(
            [
                len(record.events)
                for visitor, (record, _) in zip(found, requests, strict=True)
                if visitor.__class__ is Visitor
            ]
        )
        self.requests += len(visits)
        self.events += events
        self.duplicates += events - sum(map(len, fresh))
        return found

    def finish(self, visitor: Visitor, now_ms: int) -> None:
        """Let a visitor be as it is at the end of all requests."""
        if visitor.decided_ms < 0:
            self._decide(visitor, now_ms)
        self.advance(visitor, now_ms)

    def advance(self, visitor: Visitor, now_ms: int) -> None:
        """Let the windows of a visitor close that do so up to a time."""
        while visitor.expires_ms <= now_ms:
            self._decide(visitor, visitor.expires_ms)

    def _find(self, record: Record, received: Sequence[ReceivedEvent]) -> Visitor | Refusal:
        name, arrival_ms = record.name, record.arrival_ms
        if not record.logged:
            profile_id = self._ids.get(name)
            if profile_id is not None and not record.related:
                known = self.visitors.visitor(profile_id)
                if known is not None:
                    return known
        find = self._find_logged if record.logged else self._find_named
        try:
            return find(name, received, arrival_ms)
        except (NamespaceMismatch, InvalidData) as error:
            return error

    def _find_named(self, name: str, received: Sequence[ReceivedEvent], arrival_ms: int) -> Visitor:
        with self._identifying(arrival_ms):
            # First what is known to have happened, by which claims may have come true already.
            self._join_all(received, arrival_ms)
            loaded = _run(self._identity.find_or_create(name, arrival_ms))
            for user_id in claimed_ids(received):
                self._advance_both(loaded, user_id, arrival_ms)
                loaded = _run(self._identity.claim(loaded, user_id, arrival_ms))
            visitor = self.visitors.adopt(loaded.profile)
        if len(self._ids) >= _MOST_REMEMBERED_NAMES:
            self._ids.clear()
        self._ids[name] = visitor.profile.id
        return visitor

    def _find_logged(
        self, profile_id: str, received: Sequence[ReceivedEvent], arrival_ms: int
    ) -> Visitor:
        """The visitor of a request that went to the log, whatever its events claim.

        The log names the profile that they were counted for, and tells which others were joined
        to it.
        """
        if not received[0].event.joined:
            known = self.visitors.visitor(profile_id)
            if known is not None and self.ruleset.serves(known.profile):
                return known
        with self._identifying(arrival_ms):
            self._join_all(received, arrival_ms)
            loaded = _run(self._identity.create(profile_id, arrival_ms))
            return self.visitors.adopt(loaded.profile)

    @contextmanager
    def _identifying(self, arrival_ms: int) -> Iterator[None]:
        """Tell the observer who appears and who is joined in this block, even if it breaks off."""
        created = self.visitors.created
        try:
            yield
        finally:
            self._combine(arrival_ms)
            for _ in range(self.visitors.created - created):
                self.observer.appeared(arrival_ms)

    def _join_all(self, received: Sequence[ReceivedEvent], arrival_ms: int) -> None:
        """Join the profiles that were, as events tell."""
        for item in received:
            for loser_id, survivor_id in item.event.joined or ():
                self._join(loser_id, survivor_id, arrival_ms)

    def _join(self, loser_id: str, survivor_id: str, arrival_ms: int) -> None:
        loser = _run(self._identity.load(loser_id))
        if isinstance(loser, Vacant):
            return  # Nothing that it did is in the input.
        survivor = _run(self._identity.create(survivor_id, arrival_ms))
        if loser.profile.id != survivor.profile.id:
            for one in (survivor, loser):
                self.advance(self.visitors.adopt(one.profile), arrival_ms)
            _run(self._identity.merge(loser, survivor))

    def _advance_both(self, loaded: Loaded, user_id: str, arrival_ms: int) -> None:
        """Let the windows close of two visitors who are about to become one."""
        for one in (loaded, _run(self._identity.owner_of(user_id))):
            visitor = self.visitors.visitor(one.profile.id) if isinstance(one, Loaded) else None
            if visitor is not None:
                self.advance(visitor, arrival_ms)

    def _combine(self, arrival_ms: int) -> None:
        """Add what is known of merged visitors to those that they turned out to be."""
        for loser, survivor_id in self.visitors.absorbed:
            survivor = self._living(survivor_id)
            survivor.ever |= loser.ever
            survivor.given = {**loser.given, **survivor.given}
            survivor.forgotten |= loser.forgotten
            # The survivor's own keys are the newest and all kept; of the loser's some may not be.
            survivor.forget(loser.profile.message_ids)
            survivor.decided_ms = survivor.assigned = -1
            survivor.expires_ms = NEVER_MS
            self.observer.merged(loser, max(arrival_ms, loser.told_ms))
        self.visitors.absorbed.clear()

    def _living(self, profile_id: str) -> Visitor:
        entry = self.visitors.entry(profile_id)
        while isinstance(entry, Redirect):
            entry = self.visitors.entry(entry.profile_id)
        assert isinstance(entry, Visitor)
        return entry

    def _fold(self, visitor: Visitor, fresh: Sequence[ReceivedEvent], arrival_ms: int) -> bool:
        """Fold events; return whether the visitor may get something else now."""
        if visitor.expires_ms <= arrival_ms:
            self.advance(visitor, arrival_ms)
        due = visitor.decided_ms < 0 or arrival_ms < visitor.decided_ms
        if not fresh:
            return due
        profile = visitor.profile
        if profile.joined:
            profile.joined = ()
        changed = fold_events(profile, fresh, self.ruleset.fold_rules, arrival_ms)
        if forgotten := remember(profile, fresh):
            visitor.forget(forgotten)
        return changed or due

    def _decide(self, visitor: Visitor, now_ms: int) -> None:
        self._note(visitor, self._decision(visitor, now_ms), now_ms)

    def _decision(self, visitor: Visitor, now_ms: int) -> Decision | None:
        """What a visitor gets; None where that is what it got before."""
        known = None
        if visitor.assigned == len(visitor.profile.assignments):
            known = Decision(visitor.audiences, [])
        decision = decide(self.ruleset, visitor.profile, now_ms, known)
        return None if decision is known else decision

    def _note(self, visitor: Visitor, decision: Decision | None, now_ms: int) -> None:
        """Note what was decided for a visitor, and tell what that changes."""
        profile = visitor.profile
        visitor.decided_ms = now_ms
        visitor.expires_ms = next_expiry(profile, self._matchers, now_ms)
        if decision is None:
            return
        visitor.assigned = len(profile.assignments)
        variants = {one.experience_id: one.variant_index for one in decision.variants}
        if decision.audiences != visitor.audiences:
            visitor.told_ms = max(visitor.told_ms, now_ms)
            self.observer.changed(visitor.audiences, decision.audiences, visitor.told_ms)
            visitor.audiences = decision.audiences
            visitor.unshown = True
        if variants != visitor.variants:
            visitor.variants = variants
            visitor.unshown = True


def _fresh(visitor: Visitor, received: Sequence[ReceivedEvent]) -> Sequence[ReceivedEvent]:
    """The events that a visitor has not had before."""
    profile = visitor.profile
    fresh = unseen(profile, received)
    if not visitor.forgotten:
        return fresh
    return [
        event
        for event in fresh
        if event.message_key not in visitor.forgotten or not may_be_forgotten(profile, event)
    ]


def _show(visitor: Visitor, arrival_ms: int) -> None:
    """Note that a visitor was there with what it gets."""
    visitor.decided_ms = arrival_ms
    if visitor.unshown:
        visitor.ever.update(visitor.audiences)
        visitor.given.update(visitor.variants)
        visitor.unshown = False


def _run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run what would wait for a store, over records for which nobody ever has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: _T = finished.value
        return result
    raise RuntimeError("a replay cannot wait")
