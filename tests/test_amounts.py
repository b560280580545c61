"""Numbers of things are written as people read them."""

from __future__ import annotations

from edgewise.amounts import counted


def test_one_is_no_plural() -> None:
    """One thing is named in the singular, any other number in the plural."""
    texts = [counted(number, "visitor") for number in (0, 1, 1_200)]
    assert texts == ["0 visitors", "1 visitor", "1,200 visitors"]
