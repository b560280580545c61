"""When a provider is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FAULTS: Final = 5
PAUSE_S: Final = 30.0


class Breaker:
    """Pauses questions after some faults in a row, and for as long as a provider wants.

    After a pause for faults one question is tried: its answer ends the trouble, another fault
    begins the next pause.

    Args:
        clock: the time in seconds, from any point on.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._faults = 0
        self._paused_until_s = -1.0

    @property
    def paused_s(self) -> float:
        """How long the pause still lasts, 0 where there is none."""
        return max(self._paused_until_s - self._clock(), 0.0)

    def admits(self, under_way: int) -> bool:
        """Return whether another question may be asked.

        Args:
            under_way: how many have no answer yet.
        """
        return not self.paused_s and (self._faults < FAULTS or not under_way)

    def note_answer(self) -> None:
        """Take note of a question that was answered."""
        self._faults = 0

    def note_fault(self, pause_s: float = 0.0) -> float:
        """Take note of one that was not, and return for how long a pause begins with it.

        Args:
            pause_s: how long the provider wants to be left alone.
        """
        self._faults += 1
        if self._faults >= FAULTS:
            pause_s = max(pause_s, PAUSE_S)
        if pause_s <= self.paused_s:
            return 0.0
        self._paused_until_s = self._clock() + pause_s
        return pause_s
