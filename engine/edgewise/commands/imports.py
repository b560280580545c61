"""`edgewise imports list|retry|drop --store URL`: what could not be applied of imports."""

from __future__ import annotations

import argparse
import asyncio
import json
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable

from edgewise.clock import now_ms
from edgewise.commands.arguments import FORMAT_HELP
from edgewise.commands.existing import open_existing
from edgewise.commands.tables import text_table
from edgewise.errors import InputError, StoreCorrupt
from edgewise.importing import decode_part
from edgewise.stores.import_queue import BuriedPart, ImportQueue
from edgewise.values import time_text

_PAGE = 500
_COLUMNS = ("id", "environment", "profile", "events", "attempts", "queued", "reason")


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    _add_store(parser, None)
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="name the buried parts, with the reason")
    listing.add_argument("--format", choices=("table", "json"), default="table", help=FORMAT_HELP)
    listing.set_defaults(command=lambda options: _run(options, _list))

    retry = actions.add_parser("retry", help="queue buried parts anew")
    retry.set_defaults(command=lambda options: _run(options, _retry))

    drop = actions.add_parser("drop", help="remove buried parts for good")
    drop.set_defaults(command=lambda options: _run(options, _drop))

    for action in (retry, drop):
        chosen = action.add_mutually_exclusive_group(required=True)
        chosen.add_argument("ids", nargs="*", type=int, default=[], help="as listed")
        chosen.add_argument("--all", action="store_true", help="every buried part")
    for action in (listing, retry, drop):
        _add_store(action, argparse.SUPPRESS)


def _add_store(parser: ArgumentParser, default: str | None) -> None:
    parser.add_argument("--store", default=default, metavar="URL", help="sqlite:///path.db")


def _run(options: Namespace, action: Callable[[Namespace, ImportQueue], Awaitable[int]]) -> int:
    async def with_store() -> int:
        if options.store is None:
            raise InputError("name the store: --store sqlite:///path.db")
        store = open_existing(options.store)
        try:
            return await action(options, store.queue)
        finally:
            await store.close()

    return asyncio.run(with_store())


async def _list(options: Namespace, queue: ImportQueue) -> int:
    rows = [_row_of(part) async for part in _buried(queue)]
    state = await queue.state()
    if options.format == "json":
        parts = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        print(json.dumps({"waiting": state.waiting, "buried": parts}, indent=2))
        return 0
    if rows:
        print(text_table(_COLUMNS, rows), end="\n\n")
    print(f"{state.waiting} waiting, {state.buried} buried")
    return 0


async def _retry(options: Namespace, queue: ImportQueue) -> int:
    queued_ms = now_ms()
    return await _settle(options, queue, lambda part_id: queue.revive(part_id, queued_ms), "queued")


async def _drop(options: Namespace, queue: ImportQueue) -> int:
    return await _settle(options, queue, queue.drop, "removed")


async def _settle(
    options: Namespace,
    queue: ImportQueue,
    settle: Callable[[int], Awaitable[bool]],
    done: str,
) -> int:
    ids = [part.id async for part in _buried(queue)] if options.all else options.ids
    missing = [part_id for part_id in ids if not await settle(part_id)]
    print(f"{len(ids) - len(missing)} {done}")
    if missing:
        raise InputError(f"not buried: {', '.join(map(str, missing))}")
    return 0


async def _buried(queue: ImportQueue) -> AsyncIterator[BuriedPart]:
    after = 0
    while page := await queue.buried(after, _PAGE):
        for part in page:
            yield part
        after = page[-1].id


def _row_of(part: BuriedPart) -> tuple[object, ...]:
    queued = time_text(part.queued_ms)
    try:
        found = decode_part(part.data)
    except StoreCorrupt:
        return (part.id, "", "", "", part.attempts, queued, part.reason)
    return (
        part.id,
        f"{found.organization}/{found.environment}",
        found.profile.names[0],
        len(found.profile.events),
        part.attempts,
        queued,
        part.reason,
    )
