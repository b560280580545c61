"""One update of a profile at a time within a process; the others wait their turn in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from edgewise.errors import ProfileOverload

MAX_WAITING = 64


class Lanes:
    """A queue per profile that exists only while somebody is in it."""

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self.max_waiting = max_waiting
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def enter(self, key: str) -> None:
        """Return when the lane is the caller's, who must leave it.

        Errors: ProfileOverload where too many wait already.
        """
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque()
            return
        if len(queue) >= self.max_waiting:
            raise ProfileOverload(
                "The profile received too many requests in a short amount of time."
            )
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # The lane was handed over in the very moment of the cancellation.
                self.leave(key)
            elif turn in queue:
                queue.remove(turn)
            raise

    @asynccontextmanager
    async def hold(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Hold several lanes at once; they are entered in one order, so that nobody waits for ever.

        Errors: ProfileOverload where too many wait in one of them already.
        """
        entered = []
        try:
            for key in sorted(keys):
                await self.enter(key)
                entered.append(key)
            yield
        finally:
            for key in entered:
                self.leave(key)

    def leave(self, key: str) -> None:
        """Hand the lane to the next in the queue."""
        queue = self._waiting[key]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]
