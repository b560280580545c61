"""What is removed with time: profiles long unseen, and old lines of the log.

All of it happens in the background, in steps of a few records with pauses between them, so that no
request waits for it. Several processes may do it at once on one store: a step that another has
taken is found done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import msgspec

from edgewise.checks import require_seconds, require_whole
from edgewise.erasing import erase, finish_erasure
from edgewise.errors import EdgewiseError, NamespaceMismatch, StoreCorrupt
from edgewise.identity import Identity, Loaded
from edgewise.model.profiles import Erasure, Profile
from edgewise.records import Conflict, Records
from edgewise.ruleset import Ruleset
from edgewise.stores.base import Store

_LOG = logging.getLogger("edgewise.retention")
_DAY_MS = 86_400_000
_MOST_TOLD = 100
_PAUSE_LENGTHS = 4  # A fifth of the time goes to removal while there is much of it.

Rulesets = Mapping[tuple[str, str], Ruleset]


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long what is kept, and at which pace the rest is removed.

    Args:
        profile_days: profiles that were not seen for longer are erased; 0 keeps all.
        log_days: lines of the log that arrived longer ago are removed; 0 keeps all.
        log_newest: so many of the newest lines of each profile are kept at most, and at least 1.
        step_size: how many records one step removes at most.
        pause_s: between two steps while there is something to remove, at most: a step that found
            more than it may remove is followed by a pause of a few times its own length.
        rest_s: before the first step, so that a clock which is wrong at the start of a machine may
            be set; after one that removed nothing, or that failed.
    Errors: SettingsError for what cannot be.
    """

    profile_days: int = 400
    log_days: int = 30
    log_newest: int = 1_000
    step_size: int = 100
    pause_s: float = 0.2
    rest_s: float = 60.0

    def __post_init__(self) -> None:
        require_whole(self, 0, "profile_days", "log_days")
        require_whole(self, 1, "log_newest", "step_size")
        require_seconds(self, "pause_s", zero=True)
        require_seconds(self, "rest_s")


class Retention:
    """The background task that removes what is too old.

    Args:
        rulesets: what is served; asked anew on each step.
        clock: the time in milliseconds since 1970.
        forget: is told the keys that are about to be looked at, for whoever keeps their records.
    """

    def __init__(
        self,
        store: Store,
        rulesets: Callable[[], Rulesets],
        clock: Callable[[], int],
        settings: RetentionSettings,
        forget: Callable[[Iterable[str]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._rulesets = rulesets
        self._clock = clock
        self._settings = settings
        self._forget = forget
        self._task: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def start(self) -> None:
        """Begin to remove, in a task of the running loop, unless that was begun before."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="edgewise-retention")

    async def stop(self) -> None:
        """End the task; a removal that it was at is completed by whoever meets it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def step(self) -> int:
        """Remove a little of what is too old; return how many records and lines went.

        Errors: StoreError.
        """
        settings, now_ms = self._settings, self._clock()
        before_ms = now_ms - settings.log_days * _DAY_MS if settings.log_days else 0
        trimmed = await self._store.trim_log(before_ms, settings.log_newest, settings.step_size)
        return trimmed + await self._expire(now_ms)

    async def _expire(self, now_ms: int) -> int:
        if not self._settings.profile_days:
            return 0
        before_ms = now_ms - self._settings.profile_days * _DAY_MS
        expired = 0
        keys = await self._store.expire(before_ms, self._settings.step_size)
        self._forget(keys)
        for key in keys:
            try:
                expired += await expire_key(Records(self._store), self._rulesets(), key, before_ms)
            except Conflict:
                pass  # It was seen meanwhile, or comes again in a later round.
            except (StoreCorrupt, NamespaceMismatch) as error:
                self._tell_once(key, error)
            await asyncio.sleep(0)
        return expired

    def _tell_once(self, key: str, error: EdgewiseError) -> None:
        """Log why a profile stays, and not on each round."""
        if key not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(key)
            _LOG.error("A profile that was not seen for long cannot be erased: %s", error)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._settings.rest_s)
        while True:
            started_s = loop.time()
            try:
                removed = await self.step()
            except Exception:  # noqa: BLE001 - what fails once must not end all later steps
                _LOG.exception("What is too old could not be removed; it is tried again later.")
                removed = 0
            await asyncio.sleep(self._pause_s(removed, loop.time() - started_s))

    def _pause_s(self, removed: int, took_s: float) -> float:
        """How long to leave the store alone after a step that has removed so much."""
        settings = self._settings
        if not removed:
            return settings.rest_s
        if removed < settings.step_size:
            return settings.pause_s
        return min(settings.pause_s, _PAUSE_LENGTHS * took_s)


async def expire_key(records: Records, rulesets: Rulesets, key: str, before_ms: int) -> bool:
    """Erase the profile under a key if its visitor was last seen before a time; return whether.

    An erasure that was left half-done is completed, and so is a merge: the visitor may have been
    seen as the survivor. Errors: Conflict.
    """
    found = await records.load(key)
    if found is None:
        return False
    record = found.record
    if isinstance(record, Erasure):
        await finish_erasure(records, key, record, found.version)
        return True
    if not isinstance(record, Profile):
        return False
    loaded = Loaded(record, found.version)
    ruleset = rulesets.get((record.organization, record.environment))
    if record.merging_into and ruleset is not None:
        survivor = await Identity(records, ruleset).load(key)
        if not isinstance(survivor, Loaded):
            return False
        loaded = survivor
    if loaded.profile.updated_ms >= before_ms:
        return False
    await erase(records, loaded.profile, loaded.version)
    return True
