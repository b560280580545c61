"""One update of a profile at a time within a process; the others wait their turn in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager

from edgewise.errors import ProfileOverload, ServiceUnavailable

MAX_WAITING = 64

LONGEST_WAIT_S = 0.9
"""Whoever gets a turn may need two seconds more, and clients give up after three."""


class Lanes:
    """A queue per profile that exists only while somebody is in it.

    Args:
        longest_wait_s: how long one may wait for a turn.
    """

    def __init__(
        self, max_waiting: int = MAX_WAITING, longest_wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self.max_waiting = max_waiting
        self.longest_wait_s = longest_wait_s
        self._waiting: dict[str, deque[asyncio.Future[None]] | None] = {}

    def enter_free(self, key: str) -> bool:
        """Enter a lane that nobody is in; return whether it was free."""
        if key in self._waiting:
            return False
        self._waiting[key] = None
        return True

    async def enter(self, key: str, longest_wait_s: float | None = None) -> None:
        """Return when the lane is the caller's, who must leave it.

        Args:
            longest_wait_s: None stands for what holds for all.
        Errors: ProfileOverload where too many wait already; ServiceUnavailable where the turn
        does not come in time.
        """
        if self.enter_free(key):
            return
        queue = self._waiting[key]
        if queue is None:
            queue = self._waiting[key] = deque()
        if len(queue) >= self.max_waiting:
            raise ProfileOverload(
                "The profile received too many requests in a short amount of time."
            )
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        queue.append(turn)
        wait_s = self.longest_wait_s if longest_wait_s is None else longest_wait_s
        patience = loop.call_later(wait_s, _give_up, turn)
        try:
            await turn
        except ServiceUnavailable:
            if turn in queue:
                queue.remove(turn)
            raise
        except asyncio.CancelledError:
            if _has_come(turn):
                # The lane was handed over in the very moment of the cancellation.
                self.leave(key)
            elif turn in queue:
                queue.remove(turn)
            raise
        finally:
            patience.cancel()

    @asynccontextmanager
    async def hold(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Hold several lanes at once; they are entered in one order, so that nobody waits for ever.

        The waits for all of them together are no longer than that for one.

        Errors: as `enter`.
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self.longest_wait_s
        with ExitStack() as entered:
            for key in sorted(keys):
                await self.enter(key, deadline_s - loop.time())
                entered.callback(self.leave, key)
            yield

    def leave(self, key: str) -> None:
        """Hand the lane to the next in the queue."""
        queue = self._waiting[key]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]


def _has_come(turn: asyncio.Future[None]) -> bool:
    return turn.done() and not turn.cancelled() and turn.exception() is None


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(ServiceUnavailable("The turn did not come; send the same again."))
