"""Numbers of things as people read them."""

from __future__ import annotations


def count(number: int) -> str:
    """Return a number with its thousands apart."""
    return f"{number:,}"


def counted(number: int, what: str) -> str:
    """Return a number of things, as `1 visitor` or `1,200 visitors`."""
    return f"{count(number)} {what}" if number == 1 else f"{count(number)} {what}s"
