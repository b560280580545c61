"""The background task that applies what is imported, part after part.

Each server process runs one, and they share the work of one store by leases. A part that fails is
tried again later and later, and in the end is buried with the reason: then its lane goes on, and an
operator decides what becomes of it. A part that can never be applied is buried at once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

import msgspec

from edgewise.applying import apply_events
from edgewise.checks import require_seconds, require_whole
from edgewise.decoding import Update, decode_event
from edgewise.errors import (
    ConfigNotFound,
    EdgewiseError,
    InvalidData,
    NamespaceMismatch,
    StoreBusy,
    StoreCorrupt,
    StoreError,
)
from edgewise.identity import Identity, Loaded
from edgewise.importing import decode_part
from edgewise.model.imports import ImportedProfile, ImportPart
from edgewise.printable import printable, shortened
from edgewise.receiving import claimed_ids, receive
from edgewise.records import Conflict, Records
from edgewise.retries import retried
from edgewise.ruleset import Ruleset
from edgewise.stores.base import ServiceStore
from edgewise.stores.codec import encode_profile
from edgewise.stores.import_queue import Hold, TakenPart

_LOG = logging.getLogger("edgewise.imports")

_QUIET_S = 60.0  # One line of the log is enough for as long, whatever comes.
_LONGEST_REASON = 300

_SLICE_BYTES = 256 * 1024
"""What is applied at once: a few milliseconds of work, for which live requests wait."""

_HOPELESS = (InvalidData, NamespaceMismatch, StoreCorrupt)

Rulesets = Mapping[tuple[str, str], Ruleset]


class ImportSettings(msgspec.Struct, frozen=True, kw_only=True):
    """At which pace imports are applied, and how patiently.

    Args:
        most_taken: parts that are taken at once.
        lease_s: a part whose process died is taken again after this time.
        attempts: a part that has failed so often is buried.
        first_pause_s: after the first failure; each further pause is twice as long.
        longest_pause_s: no pause is longer.
        rest_s: between two looks at a queue that others fill too.
    Errors: SettingsError for what cannot be.
    """

    most_taken: int = 64
    lease_s: float = 10.0
    attempts: int = 12
    first_pause_s: float = 0.25
    longest_pause_s: float = 60.0
    rest_s: float = 0.25

    def __post_init__(self) -> None:
        require_whole(self, 1, "most_taken", "attempts")
        require_seconds(self, "lease_s", "rest_s")
        require_seconds(self, "first_pause_s", "longest_pause_s", zero=True)


class _PartGone(Exception):
    """Somebody else has the part now, or an erasure has removed it. Never leaves the worker."""


class ImportWorker:
    """Takes parts of imports from a store's queue and applies them.

    Args:
        rulesets: what is served; asked anew for each part.
        clock: the time in milliseconds since 1970.
        jitter: spreads the pauses between retries.
    """

    def __init__(
        self,
        store: ServiceStore,
        rulesets: Callable[[], Rulesets],
        clock: Callable[[], int],
        jitter: random.Random,
        settings: ImportSettings,
    ) -> None:
        self._store = store
        self._queue = store.queue
        self._rulesets = rulesets
        self._clock = clock
        self._jitter = jitter
        self._settings = settings
        self._stopping = False
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # Until it was started, or has said that it was not.
        self._may_warn = True
        self._quiet_until_s: dict[str, float] = {}

    def start(self) -> asyncio.Task[None]:
        """Begin to apply what is queued; return the task that does, until it is stopped."""
        self._may_warn = False
        if self._task is None:
            self._stopping = False
            self._task = asyncio.create_task(self._run())
        return self._task

    async def stop(self) -> None:
        """Finish the parts that were taken, and take no more."""
        task = self._task
        if task is None:
            return
        self._stopping = True
        self._wake.set()
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._task = None

    def notice(self) -> None:
        """Note that something was queued; say once that it waits where nobody began to apply it."""
        self._wake.set()
        if self._may_warn:
            self._may_warn = False
            _LOG.warning(
                "An import was accepted, and waits: the service was not started."
                " Await its start(); or give it imports=None where other processes apply imports."
            )

    async def step(self) -> int:
        """Take some parts and apply each, or see to it that it comes again; return how many.

        Errors: StoreError where none could be taken.
        """
        settings = self._settings
        now_ms, lease_ms = self._clock(), int(settings.lease_s * 1000)
        # Nothing is ever made to wait for half as long, unless the clock was put back since.
        latest_ms = now_ms + 2 * int(max(settings.lease_s, settings.longest_pause_s) * 1000)
        taken = await self._queue.take(now_ms, lease_ms, settings.most_taken, latest_ms)
        for together in _slices(taken):
            await asyncio.gather(*(self._finish(part) for part in together))
        return len(taken)

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            self._wake.clear()
            try:
                taken = await self.step()
                failures = 0
            except StoreBusy:
                taken = 0
            except Exception as error:  # noqa: BLE001 - what fails once must not end all later steps
                if self._may_tell("queue"):
                    _LOG.error(
                        "The import queue cannot be read; it is tried again.", exc_info=error
                    )
                await self._back_off(failures)
                failures += 1
                continue
            if not taken:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._settings.rest_s)

    async def _back_off(self, failures: int) -> None:
        """Wait longer after each failure, whatever is queued meanwhile."""
        settings, loop = self._settings, asyncio.get_running_loop()
        longest_s = max(settings.rest_s, settings.longest_pause_s)
        end_s = loop.time() + min(settings.rest_s * 2 ** min(failures, 32), longest_s)
        while not self._stopping and (left_s := end_s - loop.time()) > 0:
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left_s)

    def _may_tell(self, subject: str) -> bool:
        """Whether it is time for another line of the log about something, of which this is one."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._quiet_until_s.get(subject, 0.0):
            return False
        self._quiet_until_s[subject] = now_s + _QUIET_S
        return True

    async def _finish(self, part: TakenPart) -> None:
        hold = part.hold
        try:
            if hold.attempt > self._settings.attempts:
                await self._bury(hold, "The process ended in each attempt.")
            else:
                await self._apply(hold, part.data)
        except _PartGone:
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts go on
            # A store that cannot be told either lets the lease end, which comes to the same.
            with suppress(StoreError):
                await self._give_back(hold, error)

    async def _give_back(self, hold: Hold, error: Exception) -> None:
        settings = self._settings
        if not isinstance(error, EdgewiseError):
            _LOG.error("A part of an import failed.", exc_info=error)
        if isinstance(error, _HOPELESS) or hold.attempt >= settings.attempts:
            await self._bury(hold, f"{type(error).__name__}: {error}")
            return
        pause_s = min(settings.first_pause_s * 2 ** (hold.attempt - 1), settings.longest_pause_s)
        pause_s *= 0.5 + self._jitter.random() / 2
        await self._queue.postpone(hold, self._clock() + int(pause_s * 1000))

    async def _bury(self, hold: Hold, reason: str) -> None:
        await self._queue.bury(hold, reason)
        if self._may_tell("buried"):
            _LOG.warning(
                "A part of an import was buried, as `edgewise imports list` shows: %s",
                printable(shortened(reason, _LONGEST_REASON)),
            )

    async def _apply(self, hold: Hold, data: bytes) -> None:
        part = decode_part(data)
        ruleset = self._rulesets().get((part.organization, part.environment))
        if ruleset is None:
            raise ConfigNotFound(f"{part.organization}/{part.environment} is not served.")

        async def attempt() -> None:
            try:
                await self._write(hold, part, ruleset)
            except Conflict:
                if not await self._queue.is_held(hold):
                    raise _PartGone from None
                raise

        await retried(attempt, self._jitter)

    async def _write(self, hold: Hold, part: ImportPart, ruleset: Ruleset) -> None:
        raws = list(part.profile.events)
        update = Update([decode_event(raw) for raw in raws], raws)
        received = receive(update, part.profile.names[0], part.arrival_ms)
        # Every write is bound to the part, so that none brings back what was erased meanwhile.
        identity = Identity(Records(self._store, partial(self._queue.put_held, hold)), ruleset)
        loaded = await _identified(identity, part.profile, part.arrival_ms)
        for user_id in claimed_ids(received):
            loaded = await identity.claim(loaded, user_id, part.arrival_ms)
        applied = await apply_events(identity, loaded, received, part.arrival_ms)
        if applied.entries:
            last = Records(self._store, partial(self._queue.put_held, hold, last=True))
            profile = applied.profile
            value = encode_profile(profile)
            await last.save_encoded(profile, value, loaded.version, applied.entries)
        else:
            await self._queue.acknowledge(hold)


async def _identified(identity: Identity, imported: ImportedProfile, arrival_ms: int) -> Loaded:
    """The profile that the names of an import stand for, and to which they all lead from now on."""
    first, *further = imported.names
    if not further:
        return await identity.find_or_create(first, arrival_ms)
    found = [await identity.find(name) for name in imported.names]
    target, loaded = next(
        ((name, owner) for name, owner in zip(imported.names, found, strict=True) if owner),
        (first, None),
    )
    loaded = loaded or await identity.find_or_create(first, arrival_ms)
    for name, owner in zip(imported.names, found, strict=True):
        if owner is None:
            loaded = await identity.claim(loaded, name, arrival_ms)
            continue
        if owner.profile.id == loaded.profile.id:
            continue
        joined = await identity.claim(owner, target, arrival_ms) if imported.merges else owner
        # The profile of the best name is the one that survives.
        if joined.profile.id == loaded.profile.id:
            loaded = joined
        else:
            _LOG.warning("A further name in an import belongs to another profile, and stays there.")
    return loaded


def _slices(taken: Sequence[TakenPart]) -> Iterator[list[TakenPart]]:
    """The parts in order, so many at a time as are little work together."""
    together: list[TakenPart] = []
    size_bytes = 0
    for part in taken:
        size_bytes += len(part.data)
        if together and size_bytes > _SLICE_BYTES:
            yield together
            together, size_bytes = [], len(part.data)
        together.append(part)
    if together:
        yield together
