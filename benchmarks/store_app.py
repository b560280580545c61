"""An ASGI callable that reads an event, stores as much as the engine does, and decides nothing.

It is what is left of a request without the engine: how near to the bare callable anything can come
that keeps what it was sent.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from starlette.types import Receive, Scope, Send
from xxhash import xxh3_64_intdigest

from benchmarks.bare_app import BODY, START
from edgewise.model.event import Event
from edgewise.model.log import LogEntry
from edgewise.stores.sqlite import SqliteStore


class _Update(msgspec.Struct):
    events: list[Event]


_DECODER = msgspec.json.Decoder(_Update)
_known: dict[str, tuple[bytes, int]] = {}
_stores: list[SqliteStore] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    if not _stores:
        _stores.append(SqliteStore(Path(os.environ["EDGEWISE_BENCH_STORE"])))
    (store,) = _stores
    body = (await receive())["body"]
    message_id = _DECODER.decode(body).events[0].message_id or ""
    key = scope["path"].rpartition("/")[2]
    record, version = _known.get(key) or await store.get(key) or (b"", 0)
    entry = LogEntry("demo/main", key, xxh3_64_intdigest(message_id.encode()), 0, 1, body)
    # Writes go in the order in which they were asked for, so the next version is known before.
    _known[key] = (record, version + 1)
    assert await store.put_if(key, record, version, (entry,), 1) is not None
    await send(START)
    await send(BODY)
