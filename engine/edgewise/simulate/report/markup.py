"""Elements of a page as text; whatever stands inside of them is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is markup already; every other text is escaped where it enters an element."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str) -> Markup:
    """Return an element.

    Args:
        children: markup, or text that is escaped.
        attributes: a trailing underscore is left out, and inner ones become hyphens.
    """
    return Markup(f"<{name}{_attributes(attributes)}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Return parts one after the other, with text escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def spaced(parts: Iterable[str]) -> Markup:
    """Return parts with a space behind each, at which a line may break."""
    return join(piece for part in parts for piece in (part, " "))


def name_of(identifier: str) -> Markup:
    """Return an id or a name, which may hold any characters of any direction of writing."""
    return element("bdi", identifier)


def _attributes(attributes: dict[str, str]) -> str:
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
    )
