"""The stores that every scenario runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from edgewise.stores.base import ServiceStore
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore

Scenario = Callable[[ServiceStore], Awaitable[None]]
Run = Callable[[Scenario], None]

OPENERS: dict[str, tuple[Callable[[Path], ServiceStore], Callable[[], Any]]] = {
    "memory": (lambda directory: MemoryStore(), asyncio.new_event_loop),
    "sqlite-normal": (lambda directory: SqliteStore(directory / "a.db"), asyncio.new_event_loop),
    "sqlite-full": (
        lambda directory: SqliteStore(directory / "a.db", "full"),
        asyncio.new_event_loop,
    ),
    "sqlite-uvloop": (lambda directory: SqliteStore(directory / "a.db"), uvloop.new_event_loop),
}
