"""One update: load → fold → decide → save, again until nobody got in between. No HTTP."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from edgewise.decide import decide, fold_and_decide
from edgewise.decoding import Update
from edgewise.errors import (
    ConfigNotFound,
    ProfileNotFound,
    ServiceUnavailable,
    StoreBusy,
)
from edgewise.history import catch_up
from edgewise.identity import Identity, Loaded
from edgewise.lanes import Lanes
from edgewise.messages import may_be_forgotten, remember, unseen
from edgewise.model.decision import Outcome
from edgewise.model.event import ReceivedEvent
from edgewise.model.log import LogEntry
from edgewise.receiving import receive
from edgewise.records import Conflict, Records
from edgewise.ruleset import Ruleset
from edgewise.stores.base import Store
from edgewise.stores.overlay import OverlayStore

RETRY_FOR_S = 2.0
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05

_T = TypeVar("_T")


def now_ms() -> int:
    """Return the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def make_profile_id() -> str:
    """Return a new server-made id: 64 lowercase hex digits, 256 random bits."""
    return secrets.token_hex(32)


class DecisionService:
    """Profiles, events and decisions of every environment that is served.

    Args:
        rulesets: (organization, environment) → ruleset.
        store: where profiles live; closed by `stop`.
        clock: the time in milliseconds since 1970.
        make_id: makes the id of a profile that comes without one.
        jitter: spreads the pauses between retries.
    """

    def __init__(
        self,
        rulesets: Mapping[tuple[str, str], Ruleset],
        store: Store,
        *,
        clock: Callable[[], int] = now_ms,
        make_id: Callable[[], str] = make_profile_id,
        jitter: random.Random | None = None,
    ) -> None:
        self.rulesets = rulesets
        self.store = store
        self.clock = clock
        self.make_id = make_id
        self.jitter = jitter or random.Random()  # no secret depends on it
        self.lanes = Lanes()

    async def start(self) -> None:
        """Get ready to serve."""

    async def stop(self) -> None:
        """Let go of the store."""
        await self.store.close()

    def ruleset(self, organization: str, environment: str) -> Ruleset:
        """Return the ruleset of an environment. Errors: ConfigNotFound."""
        ruleset = self.rulesets.get((organization, environment))
        if ruleset is None:
            raise ConfigNotFound("Organization or environment not found")
        return ruleset

    def environment_exists(self, organization: str, environment: str) -> None:
        """Raise ConfigNotFound unless a ruleset is served under these names."""
        self.ruleset(organization, environment)

    def health(self) -> dict[str, object]:
        """Return what an operator wants to know: what is served, and what was set aside and why."""
        return {
            "status": "ok",
            "environments": {
                f"{organization}/{environment}": {
                    "ruleset": ruleset.digest,
                    "audiences": len(ruleset.audiences),
                    "experiences": len(ruleset.experiences),
                    "set_aside": [
                        {
                            "audience": fault.audience_id,
                            "experience": fault.experience_id,
                            "code": fault.code,
                            "reason": str(fault),
                        }
                        for fault in ruleset.set_aside
                    ],
                }
                for (organization, environment), ruleset in self.rulesets.items()
            },
        }

    async def update(
        self,
        organization: str,
        environment: str,
        profile_id: str | None,
        update: Update,
        *,
        preflight: bool,
    ) -> Outcome:
        """Return a profile after some events, with what it gets; a preflight keeps nothing.

        Errors: ConfigNotFound, NamespaceMismatch, ProfileOverload; ServiceUnavailable where the
        events were not applied, so that sending the same again is right.
        """
        ruleset = self.ruleset(organization, environment)
        name = profile_id or self.make_id()
        arrival_ms = self.clock()
        if preflight:
            records = Records(OverlayStore(self.store))
            return await self._retried(
                lambda: self._apply(records, ruleset, name, update, arrival_ms)
            )
        lane = f"{organization}/{environment}/{name}"
        await self.lanes.enter(lane)
        try:
            records = Records(self.store)
            return await self._retried(
                lambda: self._apply(records, ruleset, name, update, arrival_ms)
            )
        finally:
            self.lanes.leave(lane)

    async def read(self, organization: str, environment: str, profile_id: str) -> Outcome:
        """Return a profile as it is, with what it gets now; changes nothing.

        Errors: ConfigNotFound, ProfileNotFound, NamespaceMismatch, ServiceUnavailable.
        """
        ruleset = self.ruleset(organization, environment)
        records = Records(OverlayStore(self.store))
        loaded = await self._retried(lambda: Identity(records, ruleset).find(profile_id))
        if loaded is None:
            raise ProfileNotFound("Profile not found")
        await catch_up(loaded.profile, ruleset.evaluator, self.store)
        decision = decide(ruleset, loaded.profile, self.clock())
        return Outcome(loaded.profile, decision, ruleset.digest)

    async def erase(self, organization: str, environment: str, profile_id: str) -> None:
        """Remove a profile, its aliases, redirects and logs.

        Errors: ConfigNotFound, ProfileNotFound, NamespaceMismatch, ServiceUnavailable.
        """
        identity = Identity(Records(self.store), self.ruleset(organization, environment))
        if not await self._retried(lambda: identity.erase(profile_id)):
            raise ProfileNotFound("Profile not found")

    async def _retried(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """Try again while somebody else gets in between or the store is busy, for a while."""
        loop = asyncio.get_running_loop()
        deadline_s = 0.0
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await attempt()
            except (Conflict, StoreBusy) as error:
                deadline_s = deadline_s or loop.time() + RETRY_FOR_S
                if loop.time() + pause_s > deadline_s:
                    raise ServiceUnavailable("Not applied; send the same again.") from error
            await asyncio.sleep(pause_s * self.jitter.random())
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _apply(
        self, records: Records, ruleset: Ruleset, name: str, update: Update, arrival_ms: int
    ) -> Outcome:
        identity = Identity(records, ruleset)
        received = receive(update, name, arrival_ms)
        loaded = await identity.find_or_create(name, arrival_ms)
        known_aliases = len(loaded.profile.aliases)
        for user_id in _user_ids(received):
            loaded = await identity.claim(loaded, user_id, arrival_ms)
        profile = loaded.profile
        await catch_up(profile, ruleset.evaluator, records.store)
        fresh = await self._fresh(records.store, loaded, received, arrival_ms)
        decision = fold_and_decide(ruleset, profile, fresh, arrival_ms)
        remember(profile, (event.message_key for event in fresh))
        if fresh or not loaded.version or len(profile.aliases) != known_aliases:
            entries = _log_entries(identity.environment, profile.id, fresh, arrival_ms)
            await records.save(profile, loaded.version, entries)
        return Outcome(profile, decision, ruleset.digest)

    async def _fresh(
        self, store: Store, loaded: Loaded, received: Sequence[ReceivedEvent], arrival_ms: int
    ) -> list[ReceivedEvent]:
        """The events that were not counted before, by the record's memory and then by the log."""
        profile = loaded.profile
        fresh = []
        for event in unseen(profile, received):
            if may_be_forgotten(profile, event, arrival_ms):
                ids = (profile.id, *profile.absorbed)
                if any([await store.has_logged(one, event.message_key) for one in ids]):
                    continue
            fresh.append(event)
        return fresh


def _user_ids(received: Sequence[ReceivedEvent]) -> list[str]:
    """The user ids that the visitor was identified by, in fold order, each once."""
    named = (
        received_event.event.user_id
        for received_event in received
        if received_event.event.type in ("identify", "alias")
    )
    return list(dict.fromkeys(user_id for user_id in named if user_id))


def _log_entries(
    environment: str, profile_id: str, fresh: Sequence[ReceivedEvent], arrival_ms: int
) -> list[LogEntry]:
    return [
        LogEntry(environment, profile_id, item.message_key, item.time_ms, arrival_ms, item.raw)
        for item in fresh
    ]
