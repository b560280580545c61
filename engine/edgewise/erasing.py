"""Removal of a profile with everything that belongs to it, in steps that any process completes.

1. An erasure takes the profile's place, so that nothing is folded into it or logged for it again.
2. What was queued for it goes, so that nothing which is older than the erasure comes after it.
3. Redirects to it go, and the logs of the profiles that it has absorbed.
4. Its own log goes, and then the erasure itself.

Every removal is bound to the version that was looked at: a process that is slow removes nothing of
a profile that has been created anew under the same key. Only what visitors did with components
is not bound to one, and at worst some of it goes uncounted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgewise.model.log import interaction_log
from edgewise.model.profiles import Erasure, Profile, Record, Redirect
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
    if erasure.queued_until_ms:
        environment = f"{erasure.organization}/{erasure.environment}"
        queued = [queue_key(environment, key) for key in (profile_id, *erasure.keys)]
        await records.store.forget_queued(queued, erasure.queued_until_ms)
    # Again, since one may be moved under our hands.
    while relatives := await _relatives(records, profile_id, erasure.keys):
        # Asked after the look: what led here while the erasure stood is older than what others
        # create once they have completed it.
        if not await _stands(records, profile_id, version):
            return
        await _remove(records, relatives)
    await records.store.delete_log(interaction_log(profile_id))
    await records.store.delete_log(profile_id, version)
    await records.store.delete(profile_id, version)


async def _stands(records: Records, profile_id: str, version: int) -> bool:
    """Whether nobody has completed an erasure yet."""
    found = await records.load(profile_id)
    return found is not None and found.version == version


async def _remove(records: Records, relatives: Iterable[tuple[str, int]]) -> None:
    """Remove keys with their logs, as far as they still have their versions."""
    for key, version in relatives:
        await records.store.delete_log(interaction_log(key))
        await records.store.delete_log(key, version)
        await records.store.delete(key, version)


async def _relatives(
    records: Records, profile_id: str, keys: Iterable[str]
) -> list[tuple[str, int]]:
    """Keys that still lead to a profile, with their versions, the farthest away first.

    In this order a key goes before the one that it leads to. So where a key leads to one that is
    alive again, both are newer than the erasure and none of its business.
    """
    found = []
    for key in keys:
        way = await _way(records, key, profile_id)
        if way:
            found.append((len(way), key, way[0]))
    return [(key, version) for _, key, version in sorted(found, reverse=True)]


async def _way(records: Records, key: str, profile_id: str) -> list[int]:
    """The versions of the keys on the way to a profile or to nothing, none if it ends elsewhere."""
    versions: list[int] = []
    been = set()
    while key != profile_id and key not in been:
        been.add(key)
        found = await records.load(key)
        if found is None:
            return versions
        versions.append(found.version)
        key = _leads_to(found.record)
        if not key:
            return []
    return versions if key == profile_id else []


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
