"""Visitors that are not in memory."""

from __future__ import annotations

import pytest

from edgewise.errors import InputError
from edgewise.simulate.visitors import Spill


def test_a_disk_without_room_is_told() -> None:
    """Where the database may not grow, the message names its folder and what can be done."""
    spill = Spill()
    try:
        spill.put(iter([("a", b"1")]))
        spill._connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(InputError, match=r"edgewise-spill-.*is full.*TMPDIR"):
            spill.put((str(number), bytes(1_000)) for number in range(100))
    finally:
        spill.close()
