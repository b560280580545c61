"""A source of rules that is kept current in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from edgewise.errors import SourceError
from edgewise.sources.contentful.live import ContentfulSource

_LOG = logging.getLogger("edgewise.reload")


class Follower:
    """Refreshes one source when it is told to, and otherwise from time to time.

    Args:
        changed: called after the source got other rules, or its first ones.
    """

    def __init__(self, source: ContentfulSource, changed: Callable[[], None]) -> None:
        self.source = source
        self.attempted = asyncio.Event()
        self._changed = changed
        self._noticed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def has_rules(self) -> bool:
        """Whether the source has anything to serve yet."""
        return bool(self.source.version)

    def start(self) -> None:
        """Begin to follow, in a task of the running loop; `attempted` tells of the first try."""
        self._task = asyncio.create_task(self._run(), name="edgewise-follower")

    async def stop(self) -> None:
        """End the task and let go of the source."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self.source.close()

    def notice(self) -> None:
        """Refresh as soon as possible, once more where a refresh is under way."""
        self._noticed.set()

    async def _run(self) -> None:
        try:
            await self.source.start()
            self._changed()
        except SourceError as error:
            _LOG.warning("%s", error)
        except Exception:  # noqa: BLE001 - as below
            _LOG.exception("%s could not be read; it is tried again.", self.source.settings.name)
        finally:
            self.attempted.set()
        if self.source.status().from_copy:
            self.notice()
        while True:
            await self._rest()
            await self._refresh()

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.source.settings.poll_s):
                await self._noticed.wait()

    async def _refresh(self) -> None:
        noticed = self._noticed.is_set()
        self._noticed.clear()
        if not noticed and self._is_fresh():
            return
        try:
            if await self.source.refresh():
                self._changed()
        except SourceError as error:
            _LOG.warning("%s", error)
        except Exception:  # noqa: BLE001 - what fails once must not end all later refreshes
            _LOG.exception("%s could not be read; it is tried again.", self.source.settings.name)

    def _is_fresh(self) -> bool:
        """Whether another process has just asked, and left its answer in the copy on disk."""
        age_ms = self.source.status().age_ms
        return age_ms is not None and age_ms < self.source.settings.poll_s * 500
