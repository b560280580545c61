"""A store for one request that leaves the one below as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edgewise.model.log import LogEntry
from edgewise.stores.memory import MemoryStore
from edgewise.stores.overlay import OverlayStore

ENTRY = LogEntry("org/main", "p", 1, 5, 6, b"{}")

Scenario = Callable[[OverlayStore, MemoryStore], Awaitable[None]]


def check(scenario: Scenario) -> None:
    """Run a scenario over a store with one key, `p`, and one line of the log; it stays so."""

    async def with_stores() -> None:
        below = MemoryStore()
        await below.put_if("p", b"below", 0, [ENTRY], 3)
        before = await below.get("p")
        await scenario(OverlayStore(below), below)
        assert await below.get("p") == before
        assert await below.get("new") is None
        assert [entry async for entry in below.scan_log()] == [ENTRY]

    asyncio.run(with_stores())


def test_reads_fall_through() -> None:
    """What was not written here is read below."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        assert await overlay.get("p") == await below.get("p")
        assert await overlay.get("new") is None
        assert await overlay.read_log("p") == [ENTRY]
        assert await overlay.logged(["p"], [1, 2]) == {1}
        assert [entry async for entry in overlay.scan_log()] == [ENTRY]

    check(scenario)


def test_writes_stay_here() -> None:
    """What is written is read back, and nobody else sees it."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        found = await overlay.get("p")
        assert found is not None
        version = await overlay.put_if("p", b"here", found[1], [ENTRY])
        assert version is not None
        assert version > found[1]
        assert await overlay.get("p") == (b"here", version)
        assert await overlay.put_if("new", b"new", 0) is not None
        assert await overlay.get("new") is not None
        assert await overlay.append([ENTRY]) == 0

    check(scenario)


@pytest.mark.parametrize("version", [0, 5], ids=["create", "other"])
def test_conflicts_are_found(version: int) -> None:
    """A write at another version than the one that is read is refused."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        assert await overlay.put_if("p", b"here", version) is None
        assert not await overlay.delete("p", version)
        assert await overlay.get("p") == await below.get("p")

    check(scenario)


@pytest.mark.parametrize("with_version", [True, False], ids=["at-version", "any-version"])
def test_deletions_stay_here(with_version: bool) -> None:
    """A key that is removed is gone here only, and may be made again."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        found = await overlay.get("p")
        assert found is not None
        assert await overlay.delete("p", found[1] if with_version else None)
        assert await overlay.get("p") is None
        assert not await overlay.delete("p")
        assert await overlay.put_if("p", b"again", 0) is not None

    check(scenario)


def test_removed_log_is_hidden() -> None:
    """A log that is removed here is empty here, and one whose key has another version is not."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        await overlay.delete_log("p", 9)
        assert await overlay.read_log("p") == [ENTRY]
        await overlay.delete_log("p", 1)
        assert await overlay.read_log("p") == []
        assert await overlay.logged(["p"], [1]) == set()

    check(scenario)


def test_nothing_is_removed_with_time() -> None:
    """Retention does not work on an overlay, and closing it leaves the store below open."""

    async def scenario(overlay: OverlayStore, below: MemoryStore) -> None:
        assert await overlay.trim_log(100, 0, 10) == 0
        assert await overlay.expire(100, 10) == []
        await overlay.close()
        assert await below.get("p") is not None

    check(scenario)
