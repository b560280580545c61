"""The chart of numbers before and after, a line for each that changes."""

from __future__ import annotations

from typing import NamedTuple

import altair as alt

from edgewise.simulate.report.drawing import ROWS, Drawing, Margins, whole_ticks
from edgewise.simulate.report.widths import MEDIUM, NARROW, WIDE

_MARGINS = Margins(left=0, top=44, right=0, bottom=4)
_SLACK = 0.85
"""The share of its room that a name may take: fonts of pages differ in width."""


class _Places(NamedTuple):
    """Where things stand in a line, in pixels.

    Args:
        height: of a line.
        name_room: how wide a name may be; it starts at the left.
        scale: where the scale begins and ends.
        numbers, note: where the text ends.
        above, below: how far name and numbers, scale and note lie from the middle of the line.
    """

    height: int
    name_room: int
    scale: tuple[int, int]
    numbers: int
    note: int
    above: int = 0
    below: int = 0


_PLACES = {
    NARROW: _Places(46, 196, (9, 232), NARROW, NARROW, above=-11, below=10),
    MEDIUM: _Places(30, 170, (186, 364), 476, MEDIUM),
    WIDE: _Places(30, 226, (250, 740), 870, WIDE),
}


def change_chart(width: int, top: int) -> Drawing:
    """Return the chart of rows with `line`, `name`, `before`, `after`, `numbers`, `note`, `title`.

    `before` or `after` may be None, for what is on one side only.

    Args:
        top: the largest number of any row.
    """
    places = _PLACES[width]
    lines = alt.Chart(ROWS).encode(y=alt.Y("line:O", axis=None))
    marks = lines.mark_rule(
        yOffset=places.below, color="var(--soft)", strokeWidth=2, aria=False
    ).encode(x=_scale(places, top), x2="after")
    both = marks.transform_filter("isValid(datum.before) && isValid(datum.after)")
    # The ring of before is wider than the dot of after, so that both are seen in one place.
    ring = _dots(lines, "before", _scale(places, top, "before")).mark_point(
        yOffset=places.below, shape="circle", size=150, filled=True,
        color="var(--paper)", stroke="var(--other)", strokeWidth=2.5,
    )  # fmt: skip
    dot = _dots(lines, "after", _scale(places, top, "after")).mark_point(
        yOffset=places.below, shape="circle", size=64, filled=True, color="var(--accent)"
    )
    names = lines.mark_text(align="left", dy=places.above, limit=places.name_room * _SLACK).encode(
        x=alt.value(0), text="name:N", description="name:N"
    )
    numbers = lines.mark_text(align="right", dy=places.above, aria=False).encode(
        x=alt.value(places.numbers), text="numbers:N"
    )
    notes = lines.mark_text(align="right", dy=places.below, color="var(--soft)", aria=False).encode(
        x=alt.value(places.note), text="note:N"
    )
    track = lines.mark_rule(yOffset=places.below, color="var(--rule)", aria=False).encode(
        x=alt.value(places.scale[0]), x2=alt.value(places.scale[1])
    )
    layers = alt.layer(
        track, both, ring, dot, names, numbers, notes, height=alt.Step(places.height)
    )
    return Drawing(layers, width, _MARGINS)


def _dots(lines: alt.Chart, field: str, x: alt.X) -> alt.Chart:
    return lines.transform_filter(f"isValid(datum.{field})").encode(
        x=x, description="title:N", opacity=alt.value(1)
    )


def _scale(places: _Places, top: int, field: str = "before") -> alt.X:
    start, end = places.scale
    ticks = max(2, (end - start) // 90)
    axis = alt.Axis(
        orient="top",
        format=",d",
        grid=not places.above,
        tickCount=whole_ticks("x", ticks),
        ticks=False,
        titleAlign="left",
        titleAnchor="start",
        titleX=start,
    )
    scale = alt.Scale(range=[start, end], domain=[0, max(1, top)], nice=ticks)
    return alt.X(f"{field}:Q", title="visitors", scale=scale, axis=axis)
