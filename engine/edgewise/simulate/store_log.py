"""The event log of a store → the requests that it was written by.

The log names the profile that an event was counted for, and the first event that was counted after
profiles had been joined tells which; so nothing has to be guessed from what the events claim. Of a
request it holds what was new, in the order in which it was folded. Where one request ends and the
next one begins it does not say: events of one profile and one arrival are one request, unless
something shows that they were not.

What visitors did with components is logged apart from their visits, and is not replayed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from edgewise.errors import InvalidData
from edgewise.model.event import JOINED, Joins
from edgewise.model.log import LogEntry, is_interaction_log
from edgewise.simulate.requests import Record, joins_of
from edgewise.stores.base import Store
from edgewise.stores.urls import open_store

_AT_ONCE = 2_000
_JOINED = f'"{JOINED}":'.encode()


def read_store(url: str, since_ms: int, source: int) -> Iterator[Record]:
    """Iterate over the requests of a store's log that arrived at `since_ms` or later.

    Errors: StoreError.
    Cost: one pass over the log.
    """
    with asyncio.Runner() as runner:
        store = open_store(url)
        try:
            yield from requests_in(_entries(runner, store, since_ms), source)
        finally:
            runner.run(store.close())


def requests_in(entries: Iterable[LogEntry], source: int) -> Iterator[Record]:
    """Iterate over the requests that some entries of a log came with.

    Shape: `line` is the number of a request's first entry among those of visits, from 1.
    """
    group: list[LogEntry] = []
    number = 1
    for entry in entries:
        if is_interaction_log(entry.profile_id):
            continue
        if group and not _same_request(group[-1], entry):
            yield _record(group, number, source)
            number += len(group)
            group = []
        group.append(entry)
    if group:
        yield _record(group, number, source)


def _entries(runner: asyncio.Runner, store: Store, since_ms: int) -> Iterator[LogEntry]:
    entries = store.scan_log(since_ms)
    while page := runner.run(_page(entries)):
        yield from page


async def _page(entries: AsyncIterator[LogEntry]) -> list[LogEntry]:
    page: list[LogEntry] = []
    async for entry in entries:
        page.append(entry)
        if len(page) == _AT_ONCE:
            break
    return page


def _same_request(last: LogEntry, entry: LogEntry) -> bool:
    return (
        last.profile_id == entry.profile_id
        and last.arrival_ms == entry.arrival_ms
        # Within a request events fold by their time, and its first one tells what was joined.
        and last.time_ms <= entry.time_ms
        and not _joins_of(entry)
    )


def _record(group: list[LogEntry], number: int, source: int) -> Record:
    first = group[0]
    return Record(
        environment=first.environment,
        name=first.profile_id,
        arrival_ms=first.arrival_ms,
        source=source,
        line=number,
        related=tuple(one for pair in _joins_of(first) for one in pair),
        events=[entry.event for entry in group],
        logged=tuple((entry.message_key, entry.time_ms) for entry in group),
    )


def _joins_of(entry: LogEntry) -> Joins:
    if _JOINED not in entry.event:
        return ()
    try:
        return joins_of(entry.event)
    except InvalidData:
        return ()  # Whoever checks the request says what is wrong with it.
