"""A batch: events of several profiles, each folded once, and all of them saved together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import TypeVar

import msgspec

from edgewise.applying import Applied, apply_events
from edgewise.decoding import Update
from edgewise.identity import Identity, Loaded
from edgewise.model.event import ReceivedEvent
from edgewise.receiving import claimed_ids, in_fold_order, receive
from edgewise.records import Conflict
from edgewise.stores.base import Put, ServiceStore
from edgewise.stores.codec import encode_profile

_T = TypeVar("_T")
_Received = Mapping[str, list[ReceivedEvent]]


class AppliedProfile(msgspec.Struct, frozen=True):
    """One profile after a batch, and the version it was loaded at."""

    applied: Applied
    version: int


class _Group(msgspec.Struct):
    loaded: Loaded
    received: list[ReceivedEvent]


async def apply_batch(
    identity: Identity, groups: Mapping[str, Update], arrival_ms: int
) -> list[AppliedProfile]:
    """Return the profiles of a batch after their events, in the order of first appearance.

    Two names may turn out to mean one profile, which then is there once: its events fold together.
    The profiles are not saved yet.

    Errors: NamespaceMismatch, Conflict.
    """
    received = {name: receive(update, name, arrival_ms) for name, update in groups.items()}
    found = await _identified(identity, received, arrival_ms)
    return [
        AppliedProfile(
            await apply_events(identity, group.loaded, group.received, arrival_ms),
            group.loaded.version,
        )
        for group in _by_profile(found, received)
    ]


async def save_batch(store: ServiceStore, batch: Iterable[AppliedProfile]) -> None:
    """Write the profiles that have counted something, and the log of it.

    Errors: InvalidData where one of them would be too large, and nothing is written; Conflict where
        one changed meanwhile. A store with transactions has then written none; in another one the
        next attempt finds counted what this one has written.
    """
    puts = [
        Put(
            item.applied.profile.id,
            encode_profile(item.applied.profile),
            item.version,
            item.applied.entries,
            item.applied.profile.updated_ms,
        )
        for item in batch
        if item.applied.entries
    ]
    if puts and None in await store.put_all(puts):
        raise Conflict


async def _identified(
    identity: Identity, received: _Received, arrival_ms: int
) -> Mapping[str, Loaded]:
    """The profile that each name stands for, after what its events claim."""
    claims = {name: claimed_ids(events) for name, events in received.items()}

    async def identify(name: str) -> Loaded:
        loaded = await identity.find_or_create(name, arrival_ms)
        for user_id in claims[name]:
            loaded = await identity.claim(loaded, user_id, arrival_ms)
        return loaded

    # All at once, so that the writes of the claims share transactions.
    found = await _all_of({name: identify(name) for name in received})
    if len(found) == 1 or not any(claims.values()):
        return found
    # A claim may have changed what the name before it was found to stand for.
    again = await _all_of({name: identity.find_or_create(name, arrival_ms) for name in received})
    return {name: _newer(found[name], again[name]) for name in received}


def _newer(before: Loaded, now: Loaded) -> Loaded:
    """What was found first, unless it has changed: a new profile knows of its claims only there."""
    same = before.profile.id == now.profile.id and before.version == now.version
    return before if same else now


async def _all_of(waiting: Mapping[str, Awaitable[_T]]) -> dict[str, _T]:
    # All of them come to their end, so that none goes on beside the next attempt.
    results = await asyncio.gather(*waiting.values(), return_exceptions=True)
    found = {}
    for name, result in zip(waiting, results, strict=True):
        if isinstance(result, BaseException):
            raise result
        found[name] = result
    return found


def _by_profile(found: Mapping[str, Loaded], received: _Received) -> Iterable[_Group]:
    groups: dict[str, _Group] = {}
    for name, loaded in found.items():
        group = groups.get(loaded.profile.id)
        if group is None:
            groups[loaded.profile.id] = _Group(loaded, received[name])
        else:
            group.received = in_fold_order([*group.received, *received[name]])
    return groups.values()
