"""An event loop whose time passes only while nothing can run: a run takes no longer than its work.

Everything that waits, waits in simulated seconds, and which of two waits ends first depends on
their lengths alone. So a run is the same every time.
"""

from __future__ import annotations

import asyncio
import selectors


class _Patience(selectors.SelectSelector):
    """Instead of waiting for the network, it lets the simulated time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass that a caller is ready to wait; nothing else ever happens."""
        if timeout is None:
            raise RuntimeError("every task waits for another one")
        self.now_s += max(timeout, 0.0)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop that starts at second 0 and never waits."""

    def __init__(self) -> None:
        self._patience = _Patience()
        super().__init__(self._patience)

    def time(self) -> float:
        """Return the simulated seconds since the loop was made."""
        return self._patience.now_s
