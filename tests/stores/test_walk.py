from __future__ import annotations

import pytest

from edgewise.stores.walk import Walk


def visit(walk: Walk, last_id: int, page: int, most: int = 100) -> list[int]:
    """Walk over the ids 1..last_id and return those that were looked at."""
    looked_at: list[int] = []
    for after in walk.steps(most):
        found = range(after + 1, min(after + page, last_id) + 1)
        looked_at += found
        walk.position = found[-1] if len(found) == page else 0
    return looked_at


@pytest.mark.parametrize("page", [1, 3, 5, 10, 11], ids=str)
def test_once_around(page: int) -> None:
    """A walk from the start looks at every id once, whether or not pages end at the end."""
    assert visit(Walk(), 10, page) == list(range(1, 11))


def test_goes_on() -> None:
    """A walk that was cut short goes on behind where it was."""
    walk = Walk()
    assert visit(walk, 10, page=3, most=2) == [1, 2, 3, 4, 5, 6]
    assert visit(walk, 10, page=3, most=1) == [7, 8, 9]
    assert visit(walk, 10, page=3, most=2) == [10, 1, 2, 3]


def test_around_from_the_middle() -> None:
    """A walk from the middle wraps around and ends where it began, or a page behind."""
    walk = Walk()
    walk.position = 6
    assert visit(walk, 10, page=3) == [7, 8, 9, 10, 1, 2, 3, 4, 5, 6]


def test_behind_the_end() -> None:
    """A walk whose position lies behind a table that has shrunk still sees all of it."""
    walk = Walk()
    walk.position = 500
    assert visit(walk, 4, page=3) == [1, 2, 3, 4]


def test_empty() -> None:
    """A walk over nothing ends."""
    assert visit(Walk(), 0, page=3) == []
