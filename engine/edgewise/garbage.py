"""The garbage collector: at rest while much is built that stays, and calm while requests come."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG_OBJECTS = 10_000


@contextmanager
def resting_collector() -> Iterator[None]:
    """Keep the garbage collector from running inside the block.

    Rules are many small objects without cycles. Looking through them again and again while they are
    made takes as long as making them. Of two blocks at the same time the first to end wakes it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def calm_collector() -> None:
    """Let the garbage collector look at what requests leave behind, seldom, and at nothing else.

    For a process that serves: to be called once, after what it serves was loaded. Nearly all that a
    request leaves is freed by reference counts; what was loaded stays for good.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
