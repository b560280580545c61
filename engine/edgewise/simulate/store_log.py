"""The event log of a store → the requests that it was written by.

The log names the profile that an event was counted for, and no longer the id that the request
named. Both are the same but where a visitor was identified as another one: the identifying event
is logged for the survivor, and nothing follows for the loser. So the first identifying event of
the survivor behind the loser's last event is replayed in the loser's name, and joins the two.

What visitors did with components is logged apart from their visits, and is not replayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from edgewise.errors import InvalidData
from edgewise.model.log import LogEntry, is_interaction_log
from edgewise.model.profiles import Redirect
from edgewise.simulate.requests import Record, claims_of
from edgewise.stores.base import Store
from edgewise.stores.codec import decode_record
from edgewise.stores.urls import open_store

_AT_ONCE = 2_000


class _Losers:
    """Profiles that have become others, each waiting for the event by which it did."""

    def __init__(self, last_places: dict[str, int], survivors: dict[str, str]) -> None:
        self._waiting: dict[str, list[tuple[int, str]]] = {}
        for loser, survivor in survivors.items():
            self._waiting.setdefault(survivor, []).append((last_places[loser], loser))
        for waiting in self._waiting.values():
            waiting.sort(reverse=True)

    def next(self, survivor: str, place: int) -> str | None:
        """Return the loser that an identifying event of a survivor may have joined to it."""
        waiting = self._waiting.get(survivor)
        if not waiting or waiting[-1][0] >= place:
            return None
        return waiting.pop()[1]


def read_store(url: str, since_ms: int, source: int) -> Iterator[Record]:
    """Iterate over the requests of a store's log that arrived at `since_ms` or later.

    Shape: `line` is the number of a request's first entry, from 1.
    Errors: StoreError.
    Cost: two passes over the log, and one read of each profile.
    """
    with asyncio.Runner() as runner:
        store = open_store(url)
        try:
            losers = runner.run(_find_losers(store, since_ms))
            entries = _visits(store, since_ms)
            place = 0
            group: list[LogEntry] = []
            while page := runner.run(_page(entries)):
                for entry in page:
                    if group and not _same_request(group[0], entry):
                        yield _record(group, place - len(group) + 1, losers, source)
                        group = []
                    group.append(entry)
                    place += 1
            if group:
                yield _record(group, place - len(group) + 1, losers, source)
        finally:
            runner.run(store.close())


async def _visits(store: Store, since_ms: int) -> AsyncIterator[LogEntry]:
    async for entry in store.scan_log(since_ms):
        if not is_interaction_log(entry.profile_id):
            yield entry


async def _page(entries: AsyncIterator[LogEntry]) -> list[LogEntry]:
    page: list[LogEntry] = []
    async for entry in entries:
        page.append(entry)
        if len(page) == _AT_ONCE:
            break
    return page


async def _find_losers(store: Store, since_ms: int) -> _Losers:
    last_places: dict[str, int] = {}
    place = 0
    async for entry in _visits(store, since_ms):
        place += 1
        last_places[entry.profile_id] = place
    survivors = {}
    for profile_id in last_places:
        survivor = await _survivor_of(store, profile_id)
        if survivor != profile_id:
            survivors[profile_id] = survivor
    return _Losers(last_places, survivors)


async def _survivor_of(store: Store, profile_id: str) -> str:
    been = set()
    while profile_id not in been:
        been.add(profile_id)
        found = await store.get(profile_id)
        record = None if found is None else decode_record(found[0])
        if not isinstance(record, Redirect):
            break
        profile_id = record.profile_id
    return profile_id


def _same_request(first: LogEntry, entry: LogEntry) -> bool:
    return first.profile_id == entry.profile_id and first.arrival_ms == entry.arrival_ms


def _record(group: list[LogEntry], place: int, losers: _Losers, source: int) -> Record:
    first = group[0]
    user_ids = [user_id for entry in group for user_id in _claims_of(entry)]
    name = first.profile_id
    if user_ids:
        name = losers.next(name, place) or name
    return Record(
        environment=first.environment,
        name=name,
        arrival_ms=first.arrival_ms,
        source=source,
        line=place,
        user_ids=tuple(user_ids),
        events=[entry.event for entry in group],
    )


def _claims_of(entry: LogEntry) -> tuple[str, ...]:
    try:
        return claims_of(entry.event)
    except InvalidData:
        return ()
