"""A store on top of another that keeps every write to itself: what a preflight runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence

from edgewise.model.log import LogEntry
from edgewise.stores.base import Store


class OverlayStore:
    """Reads through to the store below, and forgets what is written when it goes away itself.

    It is made for one attempt at one request. Logs are read as they are below: what one request
    appends is not asked for again within it.
    """

    def __init__(self, below: Store) -> None:
        self.below = below
        self._written: dict[str, tuple[bytes, int] | None] = {}
        self._without_log: set[str] = set()

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return what was written here, else what lies below."""
        if key in self._written:
            return self._written[key]
        return await self.below.get(key)

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Keep a value for this request if its key still has this version."""
        found = await self.get(key)
        if (found[1] if found else 0) != version:
            return None
        self._written[key] = (value, version + 1)
        return version + 1

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Hide a key for this request."""
        found = await self.get(key)
        if found is None or version not in (None, found[1]):
            return False
        self._written[key] = None
        return True

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append nothing."""
        return 0

    async def read_log(self, profile_id: str) -> list[LogEntry]:
        """Return the log below, unless it was removed here."""
        return [] if profile_id in self._without_log else await self.below.read_log(profile_id)

    async def logged(self, profile_ids: Sequence[str], message_keys: Collection[int]) -> set[int]:
        """Return those of the messages that a log below holds which was not removed here."""
        left = [one for one in profile_ids if one not in self._without_log]
        return await self.below.logged(left, message_keys)

    def scan_log(self, since_ms: int = 0) -> AsyncIterator[LogEntry]:
        """Iterate over the log below."""
        return self.below.scan_log(since_ms)

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Hide the log of one profile for this request; return 0, for nothing is removed."""
        found = await self.get(profile_id)
        if version is None or version == (found[1] if found else 0):
            self._without_log.add(profile_id)
        return 0

    async def trim_log(self, before_ms: int, newest: int, limit: int) -> int:
        """Remove nothing."""
        return 0

    async def expire(self, before_ms: int, limit: int) -> list[str]:
        """Name nothing."""
        return []

    async def forget_queued(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove nothing."""
        return 0

    async def close(self) -> None:
        """Leave the store below open: it is not this one's."""
