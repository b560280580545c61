"""Attempts at a write until nobody gets in between, for a while."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from edgewise.errors import ServiceUnavailable, StoreBusy
from edgewise.records import Conflict

RETRY_FOR_S = 2.0

_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05

_T = TypeVar("_T")


async def retried(attempt: Callable[[], Awaitable[_T]], jitter: random.Random) -> _T:
    """Return what an attempt does, made again while there is a conflict or the store is busy.

    Errors: ServiceUnavailable where the last attempt in time failed too.
    """
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + RETRY_FOR_S
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except (Conflict, StoreBusy) as error:
            if loop.time() + pause_s > deadline_s:
                raise ServiceUnavailable("Not applied; send the same again.") from error
        await asyncio.sleep(pause_s * jitter.random())
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
