"""A source is followed for as long as it is wanted, whatever it fails with meanwhile."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from edgewise.errors import SourceUnavailable
from edgewise.reload.following import Follower
from edgewise.secret import Secret
from edgewise.sources.contentful.live import ContentfulSource, SourceStatus
from edgewise.sources.contentful.settings import ContentfulSettings


class Failing:
    """A source that fails at the start and at the first refresh, and then has rules."""

    def __init__(self, error: Exception) -> None:
        self.settings = ContentfulSettings(space="s", token=Secret("t"), poll_s=0.01)
        self.version = ""
        self._error = error
        self._refreshes = 0

    async def start(self) -> None:
        raise self._error

    async def refresh(self) -> bool:
        self._refreshes += 1
        if self._refreshes == 1:
            raise self._error
        self.version = "1"
        return True

    async def close(self) -> None:
        pass

    def status(self) -> SourceStatus:
        return SourceStatus(source="s")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SourceUnavailable("no network"), id="a source's own"),
        pytest.param(KeyError("sys"), id="one that nobody thought of"),
    ],
)
def test_no_failure_is_the_last_word(error: Exception) -> None:
    """After any failure, at the start too, the source is asked again until it has rules."""

    async def scenario() -> None:
        changed = asyncio.Event()
        source = Failing(error)
        follower = Follower(cast("ContentfulSource", source), changed.set)
        follower.start()
        async with asyncio.timeout(30):
            await follower.attempted.wait()
            await changed.wait()
        assert follower.has_rules
        await follower.stop()

    asyncio.run(scenario())
