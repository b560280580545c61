"""Removal of a profile with everything that belongs to it, in steps that any process completes.

1. An erasure takes the profile's place, so that nothing is folded into it or logged for it again.
2. What was queued for it goes, so that nothing which is older than the erasure comes after it.
3. Redirects to it go, and the logs of the profiles that it has absorbed.
4. Its own log goes, and then the erasure itself.

Every removal is bound to the version that was looked at: a process that is slow removes nothing of
a profile that has been created anew under the same key.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from edgewise.model.profile import Erasure, Profile, Record, Redirect
from edgewise.records import Records, id_for_name, is_server_made, queue_key


async def erase(records: Records, profile: Profile, version: int, queued_until_ms: int = 0) -> None:
    """Remove a profile and all that belongs to it, in the queue what came until a time.

    Errors: Conflict where the profile changed meanwhile.
    """
    keys = sorted({*profile.absorbed, *_keys_of_aliases(profile)} - {profile.id})
    erasure = Erasure(profile.organization, profile.environment, keys, queued_until_ms)
    version = await records.save_erasure(profile.id, erasure, version)
    await finish_erasure(records, profile.id, erasure, version)


async def finish_erasure(records: Records, profile_id: str, erasure: Erasure, version: int) -> None:
    """Take every step that an erasure is still short of; others may do the same meanwhile."""
    family = {profile_id, *erasure.keys}
    environment = f"{erasure.organization}/{erasure.environment}"
    if erasure.queued_until_ms:
        for key in sorted(family):
            lane = queue_key(environment, key)
            await records.store.forget_queued(lane, erasure.queued_until_ms)
    for key in erasure.keys:
        await _remove_relative(records, key, family)
    await records.store.delete_log(profile_id, version)
    await records.store.delete(profile_id, version)


async def _remove_relative(records: Records, key: str, family: Set[str]) -> None:
    """Remove a key with its log while it leads to the profile; it may be moved under our hands."""
    while (found := await records.load(key)) and _leads_to(found.record) in family:
        await records.store.delete_log(key, found.version)
        await records.store.delete(key, found.version)


def _leads_to(record: Record) -> str:
    if isinstance(record, Redirect):
        return record.profile_id
    return record.merging_into if isinstance(record, Profile) else ""


def _keys_of_aliases(profile: Profile) -> Iterator[str]:
    """An alias that looks like an id may be either: what does not lead here is left alone."""
    environment = f"{profile.organization}/{profile.environment}"
    for alias in profile.aliases:
        yield id_for_name(environment, alias)
        if is_server_made(alias):
            yield alias
