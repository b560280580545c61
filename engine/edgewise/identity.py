"""Who is meant by an id: aliases, redirects, and the merge of two profiles of one visitor.

A merge takes three writes of one key each, and any process that meets one half-done completes it:

1. the loser is sealed: its `merging_into` names the survivor, and nothing is folded into it again;
2. the survivor is written with the loser's state added and the loser's id in `absorbed`, by which
   a second attempt knows that nothing is left to add;
3. the loser becomes a redirect to the survivor.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from edgewise.errors import NamespaceMismatch, StoreCorrupt
from edgewise.history import catch_up
from edgewise.merging import absorb
from edgewise.model.profile import Alias, Profile, Redirect
from edgewise.records import Conflict, Records
from edgewise.ruleset import Ruleset

_SERVER_MADE = re.compile(r"[0-9a-f]{64}")


class Loaded(msgspec.Struct):
    """A living profile, and the version it is stored at; 0 where it is not stored yet."""

    profile: Profile
    version: int


class _Step(msgspec.Struct, frozen=True):
    """One record on the way from an id to its living profile."""

    profile_id: str
    record: Profile | Redirect
    version: int

    @property
    def leads_to(self) -> str:
        """The next id on the way; empty at a living profile."""
        record = self.record
        return record.profile_id if isinstance(record, Redirect) else record.merging_into


def is_server_made(name: str) -> bool:
    """Return whether an id looks like one the service makes: 64 lowercase hex digits."""
    return _SERVER_MADE.fullmatch(name) is not None


def id_for_name(environment: str, name: str) -> str:
    """Return the id of the profile that a name of a caller's own makes on first use.

    A name always makes the same id, so that an update creates what its preflight showed, and two
    processes that create it at once create one profile.
    """
    return blake2b(f"{environment}\n{name}".encode(), digest_size=32).hexdigest()


class Identity:
    """Finds and joins the profiles of one environment, through one set of records."""

    def __init__(self, records: Records, ruleset: Ruleset) -> None:
        self.records = records
        self.ruleset = ruleset
        self.environment = f"{ruleset.organization}/{ruleset.environment}"

    async def find(self, name: str) -> Loaded | None:
        """Return the living profile that an id or alias stands for, or None.

        Errors: NamespaceMismatch for a profile of another environment; Conflict.
        """
        if is_server_made(name):
            return await self.load(name)
        found = await self.records.load_alias(self.environment, name)
        return None if found is None else await self.load(found[0].profile_id)

    async def find_or_create(self, name: str, arrival_ms: int) -> Loaded:
        """Return the living profile that an id or alias stands for, a new one where there is none.

        A new profile is not stored yet; its alias is. Errors: NamespaceMismatch; Conflict.
        """
        if is_server_made(name):
            return await self.load(name) or self.new(name, arrival_ms)
        profile_id = await self._owner_of(name, id_for_name(self.environment, name))
        loaded = await self.load(profile_id) or self.new(profile_id, arrival_ms)
        _add_alias(loaded.profile, name)
        return loaded

    def new(self, profile_id: str, arrival_ms: int) -> Loaded:
        """Return a profile without any history; the id it is given is its stable_id too."""
        profile = Profile(
            organization=self.ruleset.organization,
            environment=self.ruleset.environment,
            id=profile_id,
            stable_id=profile_id,
            created_ms=arrival_ms,
            matchers_digest=self.ruleset.evaluator.matchers_digest,
        )
        return Loaded(profile, 0)

    async def claim(self, loaded: Loaded, user_id: str, arrival_ms: int) -> Loaded:
        """Return the profile that a user id belongs to, after the visitor was identified by it.

        An unclaimed user id becomes an alias of the visitor's profile. One that another profile
        owns makes the two one, and the owner survives. Errors: NamespaceMismatch; Conflict.
        """
        profile = loaded.profile
        if user_id == profile.id or user_id in profile.aliases or user_id in profile.absorbed:
            return loaded
        if is_server_made(user_id):
            owner_id = user_id
        else:
            owner_id = await self._owner_of(user_id, profile.id)
        owner = await self.load(owner_id)
        if owner is None and owner_id == profile.id:
            _add_alias(profile, user_id)
            return loaded
        if owner is not None and owner.profile.id == profile.id:
            _add_alias(profile, user_id)
            return loaded
        loaded = await self._merge(loaded, owner_id)
        if not is_server_made(user_id):
            _add_alias(loaded.profile, user_id)
        return loaded

    async def _owner_of(self, name: str, claimant_id: str) -> str:
        """The profile id behind an alias; one that does not exist is made for the claimant."""
        found = await self.records.load_alias(self.environment, name)
        if found is not None:
            return found[0].profile_id
        if not await self.records.save_alias(self.environment, name, Alias(claimant_id), 0):
            raise Conflict
        return claimant_id

    async def _merge(self, loser: Loaded, survivor_id: str) -> Loaded:
        loser.profile.merging_into = survivor_id
        await self.records.save(loser.profile, loser.version)
        survivor = await self.load(loser.profile.id)
        if survivor is None:
            raise Conflict
        return survivor

    async def load(self, profile_id: str) -> Loaded | None:
        """Return the living profile behind a profile id, after completing what stands in the way.

        Errors: NamespaceMismatch; Conflict where another process got in between.
        """
        while True:
            way = await self._way_from(profile_id)
            sealed = [step for step in way if isinstance(step.record, Profile) and step.leads_to]
            if way and way[-1].leads_to in {step.profile_id for step in way}:
                await self._break_cycle(sealed)
            elif sealed:
                await self._complete(sealed[-1], way)
            else:
                return await self._arrive(way)

    async def _way_from(self, profile_id: str) -> list[_Step]:
        """Every record from an id to a living profile, to nothing, or back to where it has been."""
        way: list[_Step] = []
        been: set[str] = set()
        while profile_id and profile_id not in been:
            been.add(profile_id)
            found = await self.records.load(profile_id)
            if found is None:
                break
            record = found.record
            if isinstance(record, Alias):
                raise StoreCorrupt("An alias lies under the key of a profile.")
            if f"{record.organization}/{record.environment}" != self.environment:
                raise NamespaceMismatch("The profile belongs to another environment.")
            way.append(_Step(profile_id, record, found.version))
            profile_id = way[-1].leads_to
        return way

    async def _arrive(self, way: list[_Step]) -> Loaded | None:
        """The living profile at the end of a way of redirects, which all lead to it from now on."""
        if not way or not isinstance(way[-1].record, Profile):
            return None
        profile = way[-1].record
        for step in way[:-2]:
            await self.records.save_redirect(step.profile_id, self._to(profile.id), step.version)
        return Loaded(profile, way[-1].version)

    async def _complete(self, sealed: _Step, way: list[_Step]) -> None:
        """Take the two steps that a sealed profile is still short of.

        A survivor that does not exist, because it has not been stored yet or was erased, is made
        from the loser alone.
        """
        loser = sealed.record
        assert isinstance(loser, Profile)
        last = way[-1]
        if isinstance(last.record, Profile) and not last.leads_to:
            survivor = Loaded(last.record, last.version)
        else:
            survivor = self.new(last.leads_to, loser.created_ms)
        if loser.id not in survivor.profile.absorbed:
            evaluator = self.ruleset.evaluator
            await catch_up(survivor.profile, evaluator, self.records.store)
            await catch_up(loser, evaluator, self.records.store)
            absorb(survivor.profile, loser, evaluator.matchers)
            await self.records.save(survivor.profile, survivor.version)
        redirect = self._to(survivor.profile.id)
        await self.records.save_redirect(loser.id, redirect, sealed.version)

    async def _break_cycle(self, sealed: Sequence[_Step]) -> None:
        """Profiles that are being merged into each other: the one with the least id survives."""
        if not sealed:
            raise StoreCorrupt("A chain of redirects leads back to itself.")
        step = min(sealed, key=lambda step: step.profile_id)
        profile = step.record
        assert isinstance(profile, Profile)
        profile.merging_into = ""
        await self.records.save(profile, step.version)

    def _to(self, profile_id: str) -> Redirect:
        return Redirect(
            organization=self.ruleset.organization,
            environment=self.ruleset.environment,
            profile_id=profile_id,
        )

    async def erase(self, name: str) -> bool:
        """Remove a profile with its aliases, redirects and logs; return whether there was one.

        Errors: NamespaceMismatch; Conflict where the profile changed meanwhile.
        """
        loaded = await self.find(name)
        if loaded is None:
            return False
        profile, store = loaded.profile, self.records.store
        for alias in profile.aliases:
            await self.records.delete_alias(self.environment, alias)
        for absorbed_id in profile.absorbed:
            await store.delete_log(absorbed_id)
            await store.delete(absorbed_id)
        # The log before the record: an update in between changes the version, and all is repeated.
        await store.delete_log(profile.id)
        if not await store.delete(profile.id, loaded.version):
            raise Conflict
        return True


def _add_alias(profile: Profile, name: str) -> None:
    if name not in profile.aliases and not is_server_made(name):
        profile.aliases.append(name)
