"""Companies behind visitors' addresses: asked for once, kept for days, never waited for long.

Whatever goes wrong with a provider, a visitor gets an answer: one without a company.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
from cachetools import TLRUCache

from edgewise.enrich.breaker import Breaker
from edgewise.enrich.companies import decode_company, encode_company
from edgewise.enrich.firmographics_settings import LATER, FirmographicsSettings
from edgewise.enrich.provider import Provider, ProviderFault
from edgewise.enrich.public_addresses import public_address

_LOG: Final = logging.getLogger("edgewise.enrich")

_SETTINGS: Final = FirmographicsSettings()


class _Known(msgspec.Struct, frozen=True):
    """What is kept of an address: the company as bytes, none where there is none to tell of."""

    company: bytes
    lifetime_s: float


class _Counts(msgspec.Struct):
    """What has been asked since the start, and what came of it."""

    hits: int = 0
    misses: int = 0
    late: int = 0
    requests: int = 0
    found: int = 0
    faults: int = 0


class Firmographics:
    """Finds the company behind an address, of one process and one event loop.

    Args:
        provider: is closed together with this.
        clock: the time in seconds, from any point on.
    """

    def __init__(
        self,
        provider: Provider,
        settings: FirmographicsSettings = _SETTINGS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._provider = provider
        self._breaker = Breaker(clock)
        self._cache: TLRUCache[str, _Known, float] = TLRUCache(
            settings.cache_entries, _end_of, timer=clock
        )
        self._nothing = _Known(b"", settings.nothing_s)
        self._fault = _Known(b"", settings.fault_s)
        self._tasks: set[asyncio.Task[bytes]] = set()
        # Those of the tasks that anybody may wait for, by address.
        self._shared: dict[str, asyncio.Task[bytes]] = {}
        self._counts = _Counts()
        self._closed = False

    async def company_of(self, address: str, *, keep: bool = True) -> dict[str, Any] | None:
        """Return what an update may know of an address, in the mode that is set.

        Args:
            keep: False for a preflight request, which leaves nothing behind.
        """
        if self.settings.mode != LATER:
            return await self.find(address, keep=keep)
        company = self.find_cached(address)
        if company is None and keep:
            self.ask_later(address)
        return company

    async def find(self, address: str, *, keep: bool = True) -> dict[str, Any] | None:
        """Return the company behind an address, None where none is known within the deadline.

        Args:
            keep: False for a preflight request: it may read what is kept and wait for a question
                of others, but its own question is for itself alone and ends with it.
        Errors: none but the cancellation of whoever waits, which no question suffers from.
        """
        key = self._key_of(address)
        if not key:
            return None
        if known := self._known(key):
            return _company_in(known.company)
        shared = self._shared.get(key)
        task = shared or self._ask(key, keep=keep)
        if task is None:
            return None
        try:
            await asyncio.wait({task}, timeout=self.settings.deadline_ms / 1000)
        finally:
            if not (keep or shared):
                task.cancel()
        if not task.done():
            self._counts.late += 1
            return None
        return None if task.cancelled() else _company_in(task.result())

    def find_cached(self, address: str) -> dict[str, Any] | None:
        """Return the company behind an address where it is known already."""
        key = self._key_of(address)
        known = self._known(key) if key else None
        return _company_in(known.company) if known else None

    def ask_later(self, address: str) -> None:
        """Have the company behind an address known soon, and wait for nothing."""
        key = self._key_of(address)
        if key and key not in self._cache and key not in self._shared:
            self._ask(key, keep=True)

    def status(self) -> dict[str, Any]:
        """Return how it goes, for `/health`: numbers, and nothing about any visitor."""
        return {
            "provider": self._provider.name,
            "mode": self.settings.mode,
            "cached": len(self._cache),
            "under_way": len(self._tasks),
            "paused_s": round(self._breaker.paused_s, 1),
            **msgspec.structs.asdict(self._counts),
        }

    async def close(self) -> None:
        """End all questions, and the provider."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._provider.close()

    def _key_of(self, address: str) -> str:
        """The address in the form it is kept under, empty for one that nobody is asked about."""
        known = public_address(address)
        if known is None or (known.version == 6 and not self._provider.ipv6):
            return ""
        return str(known)

    def _known(self, key: str) -> _Known | None:
        known = self._cache.get(key)
        if known is None:
            self._counts.misses += 1
        else:
            self._counts.hits += 1
        return known

    def _ask(self, key: str, *, keep: bool) -> asyncio.Task[bytes] | None:
        """A question that has just begun, None where there may be no more of them now."""
        under_way = len(self._tasks)
        full = under_way >= self.settings.max_requests
        if self._closed or full or not self._breaker.admits(under_way):
            return None
        task = asyncio.create_task(self._request(key, keep=keep), name="edgewise-firmographics")
        self._tasks.add(task)
        if keep:
            self._shared[key] = task
        task.add_done_callback(partial(self._forget, key))
        return task

    def _forget(self, key: str, task: asyncio.Task[bytes]) -> None:
        self._tasks.discard(task)
        if self._shared.get(key) is task:
            del self._shared[key]

    async def _request(self, key: str, *, keep: bool) -> bytes:
        self._counts.requests += 1
        try:
            async with asyncio.timeout(self.settings.request_s):
                found = await self._provider.find(key)
            known = self._answer(found)
        except ProviderFault as fault:
            known = self._no_answer(str(fault), fault.pause_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, no visitor is to suffer from it
            # The text of an error of others may hold anything, the address and a key included.
            known = self._no_answer(type(error).__name__)
        if keep:
            self._cache[key] = known
        return known.company

    def _answer(self, found: dict[str, Any] | None) -> _Known:
        known = _Known(encode_company(found), self.settings.found_s) if found else self._nothing
        self._counts.found += bool(found)
        self._breaker.note_answer()
        return known

    def _no_answer(self, problem: str, pause_s: float = 0.0) -> _Known:
        self._counts.faults += 1
        paused_s = self._breaker.note_fault(pause_s)
        if paused_s:
            name = self._provider.name
            _LOG.warning("%s is not asked for %.0f seconds: %s", name, paused_s, problem)
        return self._fault


def _end_of(_key: str, known: _Known, now_s: float) -> float:
    return now_s + known.lifetime_s


def _company_in(company: bytes) -> dict[str, Any] | None:
    return decode_company(company) if company else None
