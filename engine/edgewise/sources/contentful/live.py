"""Rules that are read from Contentful while the server runs."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import xxhash

from edgewise.clock import now_ms
from edgewise.errors import SourceError, SourceRefused, SourceUnavailable
from edgewise.model.document import RuleDocument
from edgewise.sources.contentful.client import DeliveryClient
from edgewise.sources.contentful.conversion import Conversion, Item
from edgewise.sources.contentful.entries import RULE_TYPES
from edgewise.sources.contentful.last_good import LastGood, copy_path, load_copy, save_copy
from edgewise.sources.contentful.mirror import (
    Mirror,
    add_known,
    apply_changes,
    convert_mirror,
    variant_ids,
)
from edgewise.sources.contentful.settings import ContentfulSettings

_LOG = logging.getLogger("edgewise.sources.contentful")
# Ids in one query, so that its address stays well below what servers accept.
_IDS_PER_QUERY = 50


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know about a source.

    Args:
        version: of the rules in use; empty before there are any.
        age_ms: how long ago they were last known to be current; None before there are any.
        from_copy: whether they come from the copy on disk and not from the network.
        error: why the last refresh failed; empty where it did not.
        copy_error: why the copy on disk could not be read or written.
    """

    source: str
    version: str = ""
    age_ms: int | None = None
    from_copy: bool = False
    error: str = ""
    copy_error: str = ""


class ContentfulSource:
    """The rules of one environment of one space.

    `start` makes it ready, `refresh` fetches what has changed, `documents` are the rules of the
    last good state; a refresh that fails changes nothing.

    Args:
        folder: where the last good copy is kept; None keeps none.
        client: talks to the API; closed by `close`.
        clock: the time in milliseconds since 1970.
    """

    def __init__(
        self,
        settings: ContentfulSettings,
        folder: Path | None = None,
        *,
        client: DeliveryClient | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self.settings = settings
        self.version = ""
        self._path = copy_path(folder, settings) if folder else None
        self._client = client or DeliveryClient(settings)
        self._clock = clock
        self._lock = asyncio.Lock()
        self._state: LastGood | None = None
        self._conversion: Conversion | None = None
        self._from_copy = False
        self._error = ""
        self._copy_error = ""
        self._copy_stamp: tuple[int, int, int] | None = None

    async def start(self) -> None:
        """Get rules to serve: from the copy where there is one, else from the network.

        A start waits for the network only where it must; the first refresh brings what is new.

        Errors: SourceError where there is neither.
        """
        async with self._lock:
            has_copy = await asyncio.to_thread(self.load_copy)
        if not has_copy:
            await self.refresh()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    def load_copy(self) -> bool:
        """Take the rules of the copy on disk; return whether there is a usable one."""
        try:
            copy = load_copy(self._path, self.settings.name) if self._path else None
        except SourceUnavailable as error:
            self._copy_error = str(error)
            _LOG.warning("%s", error)
            return False
        if copy is None:
            return False
        self._take(copy, self._convert(copy.mirror), from_copy=True)
        return True

    async def follow_copy(self) -> bool:
        """Take the copy on disk where another process has written a newer one since.

        Returns whether the rules changed. While a refresh is under way there is nothing to take.
        """
        if self._path is None or self._lock.locked():
            return False
        async with self._lock:
            # It may be large, so that it is read only where it is another one than the last time.
            stamp = _stamp_of(self._path)
            if stamp == self._copy_stamp:
                return False
            copy = await asyncio.to_thread(self._newer_copy, self._path)
            before = self.version
            if copy is not None:
                rules = await asyncio.to_thread(self._convert, copy.mirror)
                self._take(copy, rules, from_copy=True)
            self._copy_stamp = stamp
            return self.version != before

    async def refresh(self) -> bool:
        """Fetch what has changed; return whether the rules did.

        Errors: SourceError, after which the rules are those from before.
        """
        async with self._lock:
            before = self.version
            try:
                mirror = await self._fetch()
            except SourceError as error:
                self._error = str(error)
                raise
            except Exception as error:
                self._error = f"{self.settings.name}: its answer is not understood: {error!r}"
                raise
            self._error = ""
            state = LastGood(source=self.settings.name, fetched_ms=self._clock(), mirror=mirror)
            # Off the event loop: a large space would hold up requests.
            self._take(state, await asyncio.to_thread(self._convert, mirror), from_copy=False)
            await self._save(state)
            return self.version != before

    def documents(self) -> list[RuleDocument]:
        """Return the rules. Errors: SourceUnavailable before there are any."""
        return [self._converted().document]

    def items(self) -> tuple[Item, ...]:
        """Return what became of each entry. Errors: SourceUnavailable before there are any."""
        return self._converted().items

    def status(self) -> SourceStatus:
        """Return what an operator wants to know."""
        age_ms = max(0, self._clock() - self._state.fetched_ms) if self._state else None
        return SourceStatus(
            source=self.settings.name,
            version=self.version,
            age_ms=age_ms,
            from_copy=self._from_copy,
            error=self._error,
            copy_error=self._copy_error,
        )

    def _newer_copy(self, path: Path) -> LastGood | None:
        try:
            copy = load_copy(path, self.settings.name)
        except SourceUnavailable as error:
            self._copy_error = str(error)
            return None
        known_ms = self._state.fetched_ms if self._state else 0
        return copy if copy is not None and copy.fetched_ms > known_ms else None

    def _converted(self) -> Conversion:
        if self._conversion is None:
            raise SourceUnavailable(f"{self.settings.name}: nothing was read yet")
        return self._conversion

    def _convert(self, mirror: Mirror) -> tuple[Conversion, str]:
        """The rules and their version; of a large space both take a while."""
        conversion = convert_mirror(mirror, self.settings.name)
        return conversion, _version_of(conversion)

    def _take(self, state: LastGood, rules: tuple[Conversion, str], *, from_copy: bool) -> None:
        self._state, self._from_copy = state, from_copy
        self._conversion, self.version = rules

    async def _save(self, state: LastGood) -> None:
        """A full disk is no reason not to serve; it is told, because the next start may need it."""
        if self._path is None:
            return
        try:
            await asyncio.to_thread(save_copy, self._path, state)
            self._copy_error = ""
        except OSError as error:
            self._copy_error = f"the copy {self._path.name} cannot be written: {error.strerror}"
            _LOG.warning("%s: %s", self.settings.name, self._copy_error)

    async def _fetch(self) -> Mirror:
        if self.settings.preview:
            return await self._fetch_preview()
        if self._state is not None and self._state.mirror.sync_token:
            try:
                return await self._fetch_changes(self._state.mirror)
            except SourceRefused as error:
                # Most likely the token is too old; if it is the settings, this is refused as well.
                _LOG.info("%s; everything is read again", error)
        return await self._fetch_changes(Mirror(locales=await self._client.locales()))

    async def _fetch_changes(self, mirror: Mirror) -> Mirror:
        pages = await self._client.sync(mirror.sync_token)
        return await asyncio.to_thread(apply_changes, mirror, pages.items, pages.sync_token)

    async def _fetch_preview(self) -> Mirror:
        """The preview API tells no changes, so that each time all entries of rule types are read.

        Of all other entries only those are asked for that are variants.
        """
        types = ",".join(RULE_TYPES)
        query = {"sys.contentType.sys.id[in]": types, "locale": "*", "include": "0"}
        items = [item async for item in self._client.entries(query)]
        empty = Mirror(locales=await self._client.locales())
        mirror = await asyncio.to_thread(apply_changes, empty, items, "")
        wanted = sorted(await asyncio.to_thread(variant_ids, mirror))
        found: list[Any] = []
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            ids = ",".join(wanted[start : start + _IDS_PER_QUERY])
            query = {"sys.id[in]": ids, "select": "sys", "include": "0"}
            found += [item async for item in self._client.entries(query)]
        return add_known(mirror, found)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _version_of(conversion: Conversion) -> str:
    """16 hex characters that change when the rules do, and not when other content does."""
    document = conversion.document
    parts = msgspec.to_builtins((document.content, document.set_aside))
    return xxhash.xxh3_64_hexdigest(json.dumps(parts, sort_keys=True).encode())
