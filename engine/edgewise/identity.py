"""Who is meant by an id: names, redirects, and the merge of two profiles of one visitor.

Every id and every name has one key, under which lies a profile or a redirect to one. So whatever
happens to an id happens by compare-and-set of one key, and an id never means two profiles.

A merge takes three writes of one key each, and any process that meets one half-done completes it:

1. the loser is sealed: its `merging_into` names the survivor, and nothing is folded into it again;
2. the survivor is written with the loser's state added and the loser's id in `absorbed`, by which
   a second attempt knows that nothing is left to add;
3. the loser becomes a redirect to the survivor.

Where the survivor is erased before the second step, the merge is called off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TypeGuard

import msgspec

from edgewise.erasing import finish_erasure
from edgewise.errors import NamespaceMismatch, StoreCorrupt
from edgewise.history import catch_up
from edgewise.merging import MOST_JOINED, absorb
from edgewise.model.profiles import Erasure, Profile, Record, Redirect
from edgewise.records import Conflict, Records, Versioned, id_for_name, is_server_made
from edgewise.ruleset import Ruleset
from edgewise.stores.codec import (
    MAX_PROFILE_BYTES,
    decode_own_profile,
    encode_profile,
    encode_record,
)


class Loaded(msgspec.Struct, gc=False):
    """A living profile, and the version it is stored at; 0 where it is not stored yet.

    Args:
        announced: whether anyone may know its id; if not, nothing needs to lead on from it.
    """

    profile: Profile
    version: int
    announced: bool = True


class Vacant(msgspec.Struct, frozen=True):
    """Nothing lives under a key; `profile_id` is where it leads and what would be created."""

    profile_id: str


class _Step(msgspec.Struct, frozen=True):
    """One record on the way from a key to a living profile."""

    key: str
    record: Record
    version: int

    @property
    def leads_to(self) -> str:
        """The next key on the way; empty at its end."""
        record = self.record
        if isinstance(record, Redirect):
            return record.profile_id
        return record.merging_into if isinstance(record, Profile) else ""


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Finds and joins the profiles of one environment, through one set of records."""

    records: Records
    ruleset: Ruleset

    async def find(self, name: str) -> Loaded | None:
        """Return the living profile that an id or a name stands for, or None.

        Errors: NamespaceMismatch for a profile of another environment; Conflict.
        """
        found = await self._look_up(name)
        return found if isinstance(found, Loaded) else None

    async def find_or_create(self, name: str, arrival_ms: int) -> Loaded:
        """Return the living profile that an id or a name stands for, else a new one, not stored.

        Errors: NamespaceMismatch for a profile of another environment; Conflict.
        """
        if is_server_made(name):
            # What nearly every update asks for, without the steps that all others need.
            stored = await self.records.load(name)
            if stored is not None and self._is_living(stored.record):
                return Loaded(stored.record, stored.version)
        found = await self._look_up(name)
        return found if isinstance(found, Loaded) else self._new(found.profile_id, arrival_ms)

    async def create(self, profile_id: str, arrival_ms: int) -> Loaded:
        """Return a new profile under an id that was made for it, which nobody knows yet.

        An earlier attempt may have stored it.
        """
        found = await self.load(profile_id)
        if isinstance(found, Loaded):
            return found
        created = self._new(profile_id, arrival_ms)
        created.announced = False
        return created

    async def claim(self, loaded: Loaded, user_id: str, arrival_ms: int) -> Loaded:
        """Return the profile that a user id belongs to, after the visitor was identified by it.

        A user id that nobody has leads to the visitor's profile from now on. One that another
        profile owns makes the two one, and the owner survives; but one by which a whole crowd was
        identified is no visitor's, and joins no more profiles.

        Errors: Conflict; InvalidData where a profile has no room for that.
        """
        profile = loaded.profile
        if user_id == profile.id:
            return loaded
        owner = await self.owner_of(user_id)
        if isinstance(owner, Vacant):
            if owner.profile_id == profile.id:
                # Its own name, or a redirect that was there before what it leads to.
                _note(profile, [user_id])
                return loaded
            return await self._link(loaded, owner.profile_id, [user_id, owner.profile_id])
        if owner.profile.id == profile.id:
            # Its predecessor under this id may have been erased while the redirect was written.
            _note(profile, [user_id])
            return loaded
        if loaded.version:
            if 2 + len(profile.absorbed) + len(owner.profile.absorbed) > MOST_JOINED:
                return loaded
            self._check_room(profile, owner.profile)
            return await self.merge(loaded, owner)
        if loaded.announced:
            return await self._link(owner, profile.id, [profile.id])
        return owner

    async def merge(self, loser: Loaded, survivor: Loaded) -> Loaded:
        """Return the survivor of two profiles that are stored, after they became one.

        Errors: Conflict.
        """
        loser.profile.merging_into = survivor.profile.id
        await self.records.save(loser.profile, loser.version)
        merged = await self.load(loser.profile.id)
        if isinstance(merged, Vacant) or merged.profile.id == loser.profile.id:
            # Called off: whoever owned the user id is gone.
            raise Conflict
        return merged

    def _check_room(self, loser: Profile, survivor: Profile) -> None:
        """Refuse a merge of which the profile would be too large. Errors: InvalidData."""
        records = [encode_record(loser), encode_record(survivor)]
        if sum(map(len, records)) > MAX_PROFILE_BYTES:
            # What both have is there once afterwards.
            lost, merged = map(decode_own_profile, records)
            absorb(merged, lost, self.ruleset.evaluator.matchers)
            encode_profile(merged)

    async def load(self, key: str) -> Loaded | Vacant:
        """Return the living profile behind a key, after completing what stands in the way.

        Errors: NamespaceMismatch; Conflict where another process got in between.
        """
        found = await self.records.load(key)
        if found is None:
            return Vacant(key)
        if self._is_living(found.record):
            return Loaded(found.record, found.version)
        return await self._follow(key, found)

    async def _follow(self, key: str, found: Versioned | None) -> Loaded | Vacant:
        while True:
            way = await self._way_from(key, found)
            found = None
            if not way:
                return Vacant(key)
            last = way[-1]
            if isinstance(last.record, Erasure):
                await finish_erasure(self.records, last.key, last.record, last.version)
                continue
            cycle = _cycle_of(way)
            sealed = [step for step in way if isinstance(step.record, Profile) and step.leads_to]
            if cycle:
                await self._unseal(_first_of(cycle))
            elif sealed:
                await self._advance(sealed[-1], last)
            elif isinstance(last.record, Profile):
                await self._shorten(way)
                return Loaded(last.record, last.version)
            else:
                return Vacant(last.leads_to)

    async def _look_up(self, name: str) -> Loaded | Vacant:
        """What an id or a name stands for: where a text may be both, first the id."""
        found = await self.owner_of(name)
        if isinstance(found, Vacant) and is_server_made(name):
            return await self.load(name)
        return found

    async def owner_of(self, user_id: str) -> Loaded | Vacant:
        """Return what a user id stands for.

        Applications take hashes for user ids, which look like ids of profiles. Such a user id has
        the key of that id, so that of a claim and the creation of that profile one comes first. It
        is a name like any other only where another environment has that key.
        """
        found = None
        if is_server_made(user_id):
            with suppress(NamespaceMismatch):
                found = await self.load(user_id)
            if isinstance(found, Loaded):
                return found
        named = await self.load(id_for_name(self.ruleset.names, user_id))
        return named if found is None or isinstance(named, Loaded) else found

    def _is_living(self, record: Record) -> TypeGuard[Profile]:
        return (
            isinstance(record, Profile) and not record.merging_into and self.ruleset.serves(record)
        )

    def _new(self, profile_id: str, arrival_ms: int) -> Loaded:
        """A profile without any history; the id it is given is its stable_id too."""
        profile = Profile(
            organization=self.ruleset.organization,
            environment=self.ruleset.environment,
            id=profile_id,
            stable_id=profile_id,
            created_ms=arrival_ms,
            updated_ms=arrival_ms,
            matchers_digest=self.ruleset.evaluator.matchers_digest,
        )
        return Loaded(profile, 0)

    async def _link(self, target: Loaded, key: str, names: Iterable[str]) -> Loaded:
        """Make a vacant key lead to a profile, which knows of it first: so an erasure finds it."""
        encode_profile(target.profile)  # Refuses what is too large, however short names are.
        _note(target.profile, names)
        version = await self.records.save(target.profile, target.version)
        await self.records.save_redirect(key, self._to(target.profile.id), 0)
        return Loaded(target.profile, version)

    async def _way_from(self, key: str, found: Versioned | None) -> list[_Step]:
        """Every record from a key to its end, or back to where the way has been.

        Args:
            found: the record under the key, where it was just loaded.
        """
        way: list[_Step] = []
        been: set[str] = set()
        while key and key not in been:
            been.add(key)
            found = found or await self.records.load(key)
            if found is None:
                break
            record = found.record
            if not self.ruleset.serves(record):
                raise NamespaceMismatch("The profile belongs to another environment.")
            way.append(_Step(key, record, found.version))
            key = way[-1].leads_to
            found = None
        return way

    async def _advance(self, sealed: _Step, last: _Step) -> None:
        """Complete the merge of a sealed profile, or call it off where it leads to nothing."""
        if not isinstance(last.record, Profile) or last.leads_to:
            await self._unseal(sealed)
            return
        loser, survivor = sealed.record, last.record
        assert isinstance(loser, Profile)
        if loser.id not in survivor.absorbed:
            evaluator = self.ruleset.evaluator
            await catch_up(survivor, evaluator, self.records.store)
            await catch_up(loser, evaluator, self.records.store)
            absorb(survivor, loser, evaluator.matchers)
            await self.records.save(survivor, last.version)
        await self.records.save_redirect(loser.id, self._to(survivor.id), sealed.version)

    async def _unseal(self, sealed: _Step) -> None:
        profile = sealed.record
        assert isinstance(profile, Profile)
        profile.merging_into = ""
        await self.records.save(profile, sealed.version)

    async def _shorten(self, way: Sequence[_Step]) -> None:
        """Let all redirects on a way to a living profile lead straight to it."""
        for step in way[:-2]:
            # Only for speed, so whoever changed it meanwhile is right.
            with suppress(Conflict):
                await self.records.save_redirect(step.key, self._to(way[-1].key), step.version)

    def _to(self, profile_id: str) -> Redirect:
        return Redirect(
            organization=self.ruleset.organization,
            environment=self.ruleset.environment,
            profile_id=profile_id,
        )


def _cycle_of(way: Sequence[_Step]) -> Sequence[_Step]:
    """The steps that a way goes round in, none for a way with an end."""
    back_at = [index for index, step in enumerate(way) if step.key == way[-1].leads_to]
    return way[back_at[0] :] if back_at else ()


def _first_of(cycle: Sequence[_Step]) -> _Step:
    """The profile that survives of those that are being merged into each other: the least id."""
    sealed = [step for step in cycle if isinstance(step.record, Profile)]
    if not sealed:
        raise StoreCorrupt("A chain of redirects leads back to itself.")
    return min(sealed, key=lambda step: step.key)


def _note(profile: Profile, names: Iterable[str]) -> None:
    profile.aliases += [name for name in dict.fromkeys(names) if name not in profile.aliases]
