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


async def retried(
    attempt: Callable[[], Awaitable[_T]], jitter: random.Random, spent_s: float = 0.0
) -> _T:
    """Return what an attempt does, made again while there is a conflict or the store is busy.

    Args:
        spent_s: how long others before it took. A store that is busy has waited for as long as is
            tried here, so after more than half of that there is none.
    Errors: ServiceUnavailable where the last attempt in time failed too.
    """
    if spent_s > RETRY_FOR_S / 2:
        raise _not_applied()
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + RETRY_FOR_S
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except (Conflict, StoreBusy) as error:
            if loop.time() + pause_s > deadline_s:
                raise _not_applied() from error
        await asyncio.sleep(pause_s * jitter.random())
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _not_applied() -> ServiceUnavailable:
    return ServiceUnavailable("Not applied; send the same again.")
