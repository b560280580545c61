"""Typed access to what the store holds: profiles, redirects and erasures, each under one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b

import msgspec

from edgewise.model.log import LogEntry
from edgewise.model.profiles import Erasure, Profile, Record, Redirect
from edgewise.stores.base import Store
from edgewise.stores.codec import decode_record, encode_record

ID_LENGTH = 64
"""The length of an id that the service makes."""

_HEX_DIGITS = b"0123456789abcdef"

_EXPIRED_MS = 1
"""An erasure that was left half-done is found by whoever looks for profiles long unseen."""


PutIf = Callable[[str, bytes, int, Sequence[LogEntry], int], Awaitable[int | None]]
"""Writes a key as `Store.put_if` does."""


class Versioned(msgspec.Struct, frozen=True, gc=False):
    """A record and the version it was read at."""

    record: Record
    version: int


class Conflict(Exception):
    """Somebody else wrote the key meanwhile: load again. Never leaves the service."""


class Records:
    """The records of a store; every key is a profile id or the key of a name.

    Args:
        put_if: how they are written, if not as the store does it by itself.
    """

    def __init__(self, store: Store, put_if: PutIf | None = None) -> None:
        self.store = store
        self._put_if = put_if

    async def load(self, key: str) -> Versioned | None:
        """Return the record under a key."""
        found = await self.store.get(key)
        return None if found is None else Versioned(decode_record(found[0]), found[1])

    async def save(self, profile: Profile, version: int, entries: Sequence[LogEntry] = ()) -> int:
        """Write a profile, and what it has counted to the log, in one step; return its version.

        Errors: Conflict where the key no longer has this version; nothing is written then.
        """
        return await self.save_encoded(profile, encode_record(profile), version, entries)

    async def save_encoded(
        self, profile: Profile, value: bytes, version: int, entries: Sequence[LogEntry]
    ) -> int:
        """Write a profile, encoded already, as `save` does."""
        put_if = self._put_if or self.store.put_if
        new = await put_if(profile.id, value, version, entries, profile.updated_ms)
        if new is None:
            raise Conflict
        return new

    async def save_redirect(self, key: str, redirect: Redirect, version: int) -> int:
        """Put a redirect in the place of a profile, or of nothing. Errors: Conflict."""
        return await self._put(key, redirect, version)

    async def save_erasure(self, profile_id: str, erasure: Erasure, version: int) -> int:
        """Put an erasure in the place of a profile. Errors: Conflict."""
        return await self._put(profile_id, erasure, version, seen_ms=_EXPIRED_MS)

    async def _put(self, key: str, record: Record, version: int, seen_ms: int = 0) -> int:
        put_if = self._put_if or self.store.put_if
        new = await put_if(key, encode_record(record), version, (), seen_ms)
        if new is None:
            raise Conflict
        return new


def is_server_made(name: str) -> bool:
    """Return whether an id looks like one the service makes: 64 lowercase hex digits."""
    return (
        len(name) == ID_LENGTH and name.isascii() and not name.encode().translate(None, _HEX_DIGITS)
    )


def key_of(environment: str, name: str) -> str:
    """Return the key that is looked at first for an id or a name.

    Args:
        environment: "organization/environment".
    """
    return name if is_server_made(name) else id_for_name(environment, name)


def queue_key(environment: str, key: str) -> str:
    """Return the key under which the import queue has what is for a key of a record.

    A record tells its environment; what is queued may be for one that is not there yet.
    """
    return f"{environment}\n{key}"


def id_for_name(environment: str, name: str) -> str:
    """Return the key of a name that a caller made up: the id of the profile that its use creates.

    A name always has the same key, so that an update creates the profile that its preflight has
    shown, and two processes that create it at once create one.

    Args:
        environment: "organization/environment".
    """
    return blake2b(f"{environment}\n{name}".encode(), digest_size=32).hexdigest()
