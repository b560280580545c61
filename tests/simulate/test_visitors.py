"""Visitors that are not in memory."""

from __future__ import annotations

import pytest

from edgewise.errors import InputError
from edgewise.model.profiles import Profile
from edgewise.simulate.visitors import Spill, Visitors


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


@pytest.mark.parametrize("most", [1, 5, 40])
def test_no_more_profiles_stay_open_than_may(most: int) -> None:
    """However many came at once, those that were seen last stay, and all are still there."""
    visitors = Visitors(most)
    ids = [f"{number:064}" for number in range(100)]
    for one in ids:
        visitors.adopt(
            Profile(organization="o", environment="e", id=one, stable_id=one, created_ms=1)
        )
    visitors.spill()
    kept = list(visitors._open)
    assert 0 < len(kept) <= most
    assert kept == ids[-len(kept) :]
    assert sorted(one.profile.id for one in visitors.all_visitors()) == ids
    visitors.close()
