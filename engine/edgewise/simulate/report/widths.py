"""Charts that are as wide as the page, of which a reader sees the one that suits."""

from __future__ import annotations

from collections.abc import Callable

from edgewise.simulate.report.markup import Markup, element, join

CARD = 346
"""Pixels of a chart among others; pages show it from 0.83 to 1.16 times as wide."""
NARROW, MEDIUM, WIDE = 346, 580, 1_000
"""Pixels of charts for phones, for tablets and paper, and for desks.

Each is shown from 0.83 to 1.45 times as wide, so that its text is neither too small nor too large.
"""


def at_each_width(draw: Callable[[int], Markup]) -> Markup:
    """Return one chart at three widths; the style sheet shows one of them."""
    drawn = {"narrow": NARROW, "medium": MEDIUM, "wide": WIDE}
    return join(element("div", draw(width), class_=f"at {name}") for name, width in drawn.items())
