"""What every store offers: single-key compare-and-set, and an append-only event log.

Keys are texts, values are encoded records, versions are positive integers that grow with every
write of a key, also across its deletion: no version of a key ever comes back. Nothing spans two
keys, so that every kind of store can offer it. An append is part of the write that it belongs to:
both happen or neither does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

import msgspec

from edgewise.model.log import LogEntry
from edgewise.stores.import_queue import ImportQueue


class Store(Protocol):
    """A place where profiles live. Every method raises StoreBusy where a retry may succeed."""

    async def get(self, key: str) -> tuple[bytes, int] | None:
        """Return (value, version) of a key, or None where there is none."""

    async def put_if(
        self,
        key: str,
        value: bytes,
        version: int,
        entries: Sequence[LogEntry] = (),
        seen_ms: int = 0,
    ) -> int | None:
        """Write a value if its key still has this version; return the new version, else None.

        Version 0 stands for "no such key". The entries are appended to the log in the same
        transaction; those whose (profile_id, message_key) the log already has are skipped.
        `seen_ms` is when the visitor was last seen: `expire` goes by it, 0 never expires.
        When this returns, the write has the durability the store was opened with.
        """

    async def delete(self, key: str, version: int | None = None) -> bool:
        """Remove a key, if given only at this version; return whether it was removed."""

    async def append(self, entries: Sequence[LogEntry]) -> int:
        """Append entries that belong to no write; return how many were new."""

    async def read_log(self, profile_id: str) -> list[LogEntry]:
        """Return the log of one profile in the order of appending."""

    async def logged(self, profile_ids: Sequence[str], message_keys: Collection[int]) -> set[int]:
        """Return those of the messages that the log of any of the profiles holds."""

    def scan_log(self, since_ms: int = 0) -> AsyncIterator[LogEntry]:
        """Iterate over every entry that arrived at `since_ms` or later, in the order of appending.

        Entries that are appended after the first step are not part of the iteration.
        """

    async def delete_log(self, profile_id: str, version: int | None = None) -> int:
        """Remove the log of one profile; return the number of removed entries.

        If a version is given, only while the key `profile_id` has it: whoever was slow does not
        remove the log of a profile that has been created anew since.
        """

    async def trim_log(self, before_ms: int, newest: int, limit: int) -> int:
        """Remove at most about `limit` entries that are too old or too many; return how many.

        Too old arrived before `before_ms`; too many are those of a profile that are not among its
        `newest` ones. A store looks at a bounded part of a large log on each call and goes on there
        on the next: 0 says that there was nothing to do in that part.
        """

    async def expire(self, before_ms: int, limit: int) -> list[str]:
        """Return at most `limit` keys whose visitors were last seen before `before_ms`.

        A store looks at a bounded part of its records on each call and goes on there on the next;
        a key that was returned and not deleted comes again in a later round.
        """

    async def forget_queued(self, keys: Sequence[str], until_ms: int) -> int:
        """Remove the parts of imports that were queued by a time in these lanes.

        So go those of which one of these is a further key, and buried ones. Returns how many went.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of files and connections."""


class Put(msgspec.Struct, frozen=True):
    """One write of several: the arguments of `put_if`."""

    key: str
    value: bytes
    version: int
    entries: Sequence[LogEntry] = ()
    seen_ms: int = 0


class ServiceStore(Store, Protocol):
    """What a service runs on: profiles and their log, and the queue of imports."""

    @property
    def queue(self) -> ImportQueue:
        """The store's import queue."""

    async def put_all(self, puts: Sequence[Put]) -> list[int | None]:
        """Write several keys, each once; return the new version of each, None for one not written.

        A store with transactions writes all of them in one, or none where any of the keys no
        longer has its version. Another one writes each as `put_if` does.
        """
