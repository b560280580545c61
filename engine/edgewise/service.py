"""Whatever is asked of the environments that are served, until nobody got in between. No HTTP."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

import msgspec

from edgewise.batches import AppliedProfile, apply_batch, save_batch
from edgewise.checks import require
from edgewise.clock import now_ms
from edgewise.decide import decide
from edgewise.decoding import Update
from edgewise.enriching import Enricher, Sender
from edgewise.erasing import erase
from edgewise.errors import ConfigNotFound, InvalidData, ProfileNotFound, StoreBusy
from edgewise.explaining import Explanation, explain
from edgewise.forcing import force_variant, without_views
from edgewise.health import imports_health, ruleset_health
from edgewise.history import catch_up, logged_events
from edgewise.identity import Identity
from edgewise.import_worker import ImportSettings, ImportWorker
from edgewise.importing import parts_of
from edgewise.ingest.insights import Visit
from edgewise.interactions import count_interactions, keep_interactions
from edgewise.keeping import KEPT_PROFILES, KeptRecords
from edgewise.lanes import Lanes
from edgewise.model.decision import Outcome
from edgewise.model.event import Resolved
from edgewise.model.forced import ForcedVariant
from edgewise.model.imports import ImportedProfile
from edgewise.model.interaction import ExperienceMetrics
from edgewise.model.profiles import Profile
from edgewise.parsing import closest
from edgewise.records import Conflict, Records, key_of, queue_key
from edgewise.retention import Retention, RetentionSettings
from edgewise.retries import retried
from edgewise.ruleset import Ruleset
from edgewise.stores.base import ServiceStore
from edgewise.stores.overlay import OverlayStore
from edgewise.unserved import Unserved
from edgewise.updating import UpdateRequest, apply_update, kept_key

_RETENTION = RetentionSettings()
_IMPORTS = ImportSettings()

_T = TypeVar("_T")


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
        retention: what is removed with time while the service runs; None removes nothing.
        imports: how what is imported is applied while the service runs; None leaves it to others.
        enricher: finds out what requests ask for; started and stopped with the service.
        kept_profiles: how many records of visitors are kept in memory, so that their next update
            does not read them. Where several processes write to one store that is right too, but
            costs more than it saves.
    Errors: SettingsError for a number of kept profiles below 0.
    """

    def __init__(  # noqa: PLR0913 - all but two have a default, and go by their names
        self,
        rulesets: Mapping[tuple[str, str], Ruleset],
        store: ServiceStore,
        *,
        clock: Callable[[], int] = now_ms,
        make_id: Callable[[], str] = make_profile_id,
        jitter: random.Random | None = None,
        retention: RetentionSettings | None = _RETENTION,
        imports: ImportSettings | None = _IMPORTS,
        enricher: Enricher | None = None,
        kept_profiles: int = KEPT_PROFILES,
    ) -> None:
        require(kept_profiles >= 0, "kept_profiles", "0 or more", f"{kept_profiles}")
        self.rulesets = rulesets
        self.store = store
        self._records = Records(store)
        self.clock = clock
        self.make_id = make_id
        self.jitter = jitter or random.Random()  # no secret depends on it
        self.lanes = Lanes()
        self._kept = KeptRecords(kept_profiles)
        self.enricher = enricher or Enricher()
        self.unknown_imports = 0
        self._unserved = Unserved()
        self._retention = (
            Retention(store, lambda: self.rulesets, clock, retention, self._kept.forget)
            if retention
            else None
        )
        self.import_worker = (
            ImportWorker(store, lambda: self.rulesets, clock, self.jitter, imports)
            if imports
            else None
        )

    async def start(self) -> None:
        """Get ready to serve; begin to apply what is imported and to remove what is too old."""
        self.enricher.start()
        if self._retention:
            self._retention.start()
        if self.import_worker:
            self.import_worker.start()

    async def stop(self) -> None:
        """Let go of the store, and of what finds locations and companies."""
        async with AsyncExitStack() as ending:
            # The last first, and each of them whatever becomes of the others.
            ending.push_async_callback(self.store.close)
            ending.push_async_callback(self.enricher.stop)
            if self._retention:
                ending.push_async_callback(self._retention.stop)
            if self.import_worker:
                ending.push_async_callback(self.import_worker.stop)

    def ruleset(self, organization: str, environment: str) -> Ruleset:
        """Return the ruleset of an environment. Errors: ConfigNotFound, NotStarted."""
        ruleset = self.rulesets.get((organization, environment))
        if ruleset is None:
            self._note_unserved(organization, environment)
            raise ConfigNotFound("Organization or environment not found")
        return ruleset

    def environment_exists(self, organization: str, environment: str) -> None:
        """Raise ConfigNotFound, or NotStarted, unless a ruleset is served under these names."""
        self.ruleset(organization, environment)

    def _note_unserved(self, organization: str, environment: str) -> None:
        """Tell the log of an environment that is not served, unless it is one that will be."""
        self._refuse_expected(organization, environment)
        self._unserved.note(organization, environment, self.rulesets, self.clock())

    def _refuse_expected(self, organization: str, environment: str) -> None:
        """Raise NotStarted where rules are missing that are to come.

        Rules that were given are there before the start.
        """

    async def health(self) -> dict[str, object]:
        """Return what an operator wants to know, of each part under its name."""
        queue = await self.store.queue.state()
        return {
            "status": "ok",
            "imports": imports_health(queue, self.unknown_imports, self.clock()),
            "environments": {
                f"{organization}/{environment}": ruleset_health(ruleset)
                for (organization, environment), ruleset in self.rulesets.items()
            },
            **self.enricher.status(),
        }

    async def update(
        self,
        organization: str,
        environment: str,
        profile_id: str | None,
        update: Update,
        *,
        preflight: bool,
        forced: ForcedVariant | None = None,
        sender: Sender | None = None,
    ) -> Outcome:
        """Return a profile after some events, with what it gets; a preflight keeps nothing.

        Args:
            forced: a variant for this answer alone; events that tell of it are not applied.
            sender: the visitor's device, of which things are found out that the events ask for;
                None where it is another machine, or not known.
        Errors: ConfigNotFound, NamespaceMismatch, ProfileOverload; InvalidData where the profile
        would be too large; ServiceUnavailable where the events were not applied, so that sending
        the same again is right.
        """
        ruleset = self.ruleset(organization, environment)
        if forced is not None:
            update = without_views(update, forced)
        resolved = None
        if sender is not None:
            # Before the lane: what takes its time must not hold up others who wait for theirs.
            respects_refusal = ruleset.fold_rules.respects_refusal
            resolved = self.enricher.find(update, sender, respects_refusal=respects_refusal)
            if self.enricher.wants_company(update, respects_refusal=respects_refusal):
                resolved = await self.enricher.with_company(resolved, sender, keep=not preflight)
        request = UpdateRequest(
            profile_id or "", profile_id or self.make_id(), update, self.clock(), resolved
        )
        if preflight:
            outcome = await self._preflight(_without_pins(ruleset), request)
        else:
            lane = f"{ruleset.names}/{request.new_id}"
            started_ms = request.arrival_ms
            if not self.lanes.enter_free(lane):
                await self.lanes.enter(lane)
                started_ms = self.clock()
            try:
                outcome = await apply_update(self._records, ruleset, request, self._kept)
            except (Conflict, StoreBusy):
                outcome = await self._retried(
                    lambda: apply_update(self._records, ruleset, request, self._kept),
                    spent_ms=self.clock() - started_ms,
                )
            finally:
                self.lanes.leave(lane)
        return outcome if forced is None else _with_forced(outcome, ruleset, forced)

    async def _preflight(self, ruleset: Ruleset, request: UpdateRequest) -> Outcome:
        # A new overlay for each attempt, so that none builds on what another has left.
        return await self._retried(
            lambda: apply_update(Records(OverlayStore(self.store)), ruleset, request)
        )

    def locate(self, address: str) -> Resolved | None:
        """Return where an address is that stands in a request, None where nothing is known."""
        return self.enricher.locate(address)

    async def apply_batch(
        self,
        organization: str,
        environment: str,
        groups: Mapping[str, Update],
        *,
        preflight: bool,
    ) -> list[Outcome]:
        """Return several profiles after their events, in the order of first appearance.

        All events of a profile fold at once, and the profiles are saved together; two names of one
        profile give it once. A preflight keeps nothing.

        Args:
            groups: by the id or name of the profile.
        Errors: as `update`.
        """
        ruleset = self.ruleset(organization, environment)
        arrival_ms = self.clock()
        lanes = [] if preflight else [f"{ruleset.names}/{name}" for name in groups]

        async def attempt() -> list[AppliedProfile]:
            if preflight:
                overlay = Identity(Records(OverlayStore(self.store)), _without_pins(ruleset))
                return await apply_batch(overlay, groups, arrival_ms)
            identity = Identity(Records(self.store), ruleset)
            batch = await apply_batch(identity, groups, arrival_ms)
            await save_batch(self.store, batch)
            return batch

        async with self.lanes.hold(lanes):
            if not preflight:
                self._kept.forget(kept_key(ruleset, name) for name in groups)
            batch = await self._retried(attempt)
        return [
            Outcome(item.applied.profile, item.applied.standing.decision, ruleset.digest)
            for item in batch
        ]

    async def enqueue_import(
        self, organization: str, environment: str, profiles: Sequence[ImportedProfile]
    ) -> bool:
        """Put events into the durable queue, from which they are applied in the background.

        Every event was checked by `edgewise.decoding` before. Returns False for an environment
        that is not served, whose events are only counted and not kept.

        Errors: ServiceUnavailable, after which sending the same again is right; StoreError.
        """
        if (organization, environment) not in self.rulesets:
            self._note_unserved(organization, environment)
            self.unknown_imports += sum(len(profile.events) for profile in profiles)
            return False
        parts = parts_of(organization, environment, profiles, self.clock())
        await self._retried(lambda: self.store.queue.enqueue(parts))
        if self.import_worker:
            self.import_worker.notice()
        return True

    async def read(
        self,
        organization: str,
        environment: str,
        profile_id: str,
        *,
        forced: ForcedVariant | None = None,
    ) -> Outcome:
        """Return a profile as it is, with what it gets now; changes nothing.

        Args:
            forced: a variant for this answer alone.
        Errors: ConfigNotFound, ProfileNotFound, NamespaceMismatch, ServiceUnavailable.
        """
        ruleset = self.ruleset(organization, environment)
        profile = await self._profile(ruleset, profile_id)
        outcome = Outcome(profile, decide(ruleset, profile, self.clock()), ruleset.digest)
        return outcome if forced is None else _with_forced(outcome, ruleset, forced)

    async def explain(
        self, organization: str, environment: str, profile_id: str, audience_id: str | None = None
    ) -> Explanation:
        """Return why a profile gets what it gets now; changes nothing.

        Args:
            audience_id: only this audience and the experiences for it.
        Cost: reads the log of the profile.
        Errors: as `read`, and InvalidData for an audience that does not exist.
        """
        ruleset = self.ruleset(organization, environment)
        if audience_id is not None and audience_id not in ruleset.evaluator.ids:
            meant = closest(audience_id, ruleset.evaluator.ids)
            hint = f" ({meant})" if meant else ""
            raise InvalidData(f'audience: there is no "{audience_id}"{hint}')
        profile = await self._profile(ruleset, profile_id)
        events = await self._retried(lambda: logged_events(profile, self.store))
        return explain(ruleset, profile, self.clock(), audience_id, events)

    async def keep_interactions(
        self, organization: str, environment: str, visits: Sequence[Visit]
    ) -> None:
        """Keep what visitors did with components, each message once; no profile changes.

        Errors: ConfigNotFound, NamespaceMismatch, ServiceUnavailable; nothing was kept then.
        """
        identity = Identity(Records(self.store), self.ruleset(organization, environment))
        arrival_ms = self.clock()
        await self._retried(lambda: keep_interactions(identity, visits, arrival_ms))

    async def metrics(
        self, organization: str, environment: str, experience_id: str
    ) -> ExperienceMetrics:
        """Return what was done with the variants of an experience, as far as the log reaches.

        Errors: ConfigNotFound, ServiceUnavailable.
        Cost: one pass over the whole log; see `edgewise.interactions`.
        """
        ruleset = self.ruleset(organization, environment)
        names = ruleset.names
        known = {served.experience.id: len(served.selected) for served in ruleset.experiences}
        variants = known.get(experience_id, 0)
        return await self._retried(
            lambda: count_interactions(self.store, names, experience_id, variants)
        )

    async def erase(self, organization: str, environment: str, profile_id: str) -> None:
        """Remove a profile, its aliases, redirects and logs, and what is queued for it.

        Errors: ConfigNotFound, ProfileNotFound, NamespaceMismatch, ServiceUnavailable.
        """
        ruleset = self.ruleset(organization, environment)
        names = ruleset.names
        until_ms = self.clock()
        records = Records(self.store)
        # A retry may find nothing because the attempt before it did more than it could tell.
        found = False

        async def attempt() -> None:
            nonlocal found
            loaded = await Identity(records, ruleset).find(profile_id)
            if loaded is not None:
                found = True
                await erase(records, loaded.profile, loaded.version, until_ms)
                # Now: whoever was about to keep its record before has done so.
                self._kept.forget((loaded.profile.id, *loaded.profile.absorbed))
            lane = queue_key(names, key_of(names, profile_id))
            found = bool(await self.store.forget_queued([lane], until_ms)) or found

        await self._retried(attempt)
        if not found:
            raise ProfileNotFound("Profile not found")

    async def _retried(self, attempt: Callable[[], Awaitable[_T]], spent_ms: int = 0) -> _T:
        return await retried(attempt, self.jitter, spent_ms / 1000)

    async def _profile(self, ruleset: Ruleset, name: str) -> Profile:
        profile = await self._retried(lambda: self._find(ruleset, name))
        if profile is None:
            raise ProfileNotFound("Profile not found")
        return profile

    async def _find(self, ruleset: Ruleset, name: str) -> Profile | None:
        """A profile with its tallies in step with the rules; nothing of it is stored."""
        records = Records(OverlayStore(self.store))
        loaded = await Identity(records, ruleset).find(name)
        if loaded is None:
            return None
        await catch_up(loaded.profile, ruleset.evaluator, records.store)
        return loaded.profile


def _with_forced(outcome: Outcome, ruleset: Ruleset, forced: ForcedVariant) -> Outcome:
    decision = force_variant(ruleset, outcome.decision, forced)
    return Outcome(outcome.profile, decision, outcome.ruleset)


def _without_pins(ruleset: Ruleset) -> Ruleset:
    """A ruleset for a preflight, which no view of a component pins anything in."""
    return msgspec.structs.replace(
        ruleset, fold_rules=msgspec.structs.replace(ruleset.fold_rules, sticky_variants={})
    )
