"""Typed access to what the store holds: profiles, aliases and redirects under their keys."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edgewise.errors import StoreCorrupt
from edgewise.model.log import LogEntry
from edgewise.model.profile import Alias, Profile, Record, Redirect
from edgewise.stores.base import Store
from edgewise.stores.codec import decode_record, encode_record


class Versioned(msgspec.Struct, frozen=True):
    """A record and the version it was read at."""

    record: Record
    version: int


class Conflict(Exception):
    """Somebody else wrote the key meanwhile: load again. Never leaves the service."""


class Records:
    """The records of a store.

    Keys: a profile or redirect lies under its id; an alias under its environment and name, which
    start with a word that no id starts with.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    async def load(self, profile_id: str) -> Versioned | None:
        """Return the profile or redirect under an id."""
        found = await self.store.get(profile_id)
        return None if found is None else Versioned(decode_record(found[0]), found[1])

    async def load_alias(self, environment: str, name: str) -> tuple[Alias, int] | None:
        """Return an alias and its version.

        Args:
            environment: "organization/environment".
        """
        found = await self.store.get(_alias_key(environment, name))
        if found is None:
            return None
        record = decode_record(found[0])
        if not isinstance(record, Alias):
            raise StoreCorrupt(f"The record of an alias in {environment} is no alias.")
        return record, found[1]

    async def save(self, profile: Profile, version: int, entries: Sequence[LogEntry] = ()) -> None:
        """Write a profile, and what it has counted to the log, in one step.

        Errors: Conflict where the key no longer has this version; nothing is written then.
        """
        value = encode_record(profile)
        if await self.store.put_if(profile.id, value, version, entries, profile.updated_ms) is None:
            raise Conflict

    async def save_redirect(self, profile_id: str, redirect: Redirect, version: int) -> None:
        """Put a redirect in the place of a profile, or of nothing. Errors: Conflict."""
        if await self.store.put_if(profile_id, encode_record(redirect), version) is None:
            raise Conflict

    async def save_alias(self, environment: str, name: str, alias: Alias, version: int) -> bool:
        """Write an alias; return whether it still had this version."""
        key = _alias_key(environment, name)
        return await self.store.put_if(key, encode_record(alias), version) is not None

    async def delete_alias(self, environment: str, name: str) -> None:
        """Remove an alias."""
        await self.store.delete(_alias_key(environment, name))


def _alias_key(environment: str, name: str) -> str:
    return f"alias:{environment}:{name}"
