"""The garbage collector at rest while much is built that stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
