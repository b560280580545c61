"""The chart of a heat map: a row and a column for each audience."""

from __future__ import annotations

import altair as alt

from edgewise.simulate.report.drawing import ROWS, Drawing, Margins
from edgewise.simulate.report.widths import MEDIUM, NARROW, WIDE

_NAMES = {NARROW: 128, MEDIUM: 176, WIDE: 240}
"""The room for names, by the width of the chart, in pixels."""
_SLACK = 0.88
"""The share of its room that a name may take: fonts of pages differ in width."""
_FULL, _STRONG = 0.8, 0.58
"""From where on a cell needs the other ink for its number: on any screen, on a dark one."""
_ROW_HEIGHT, _LEAST_ROW_HEIGHT = 27, 19
_MANY = 20
_LEAST_FOR_LABELS, _LEAST_FOR_NUMBERS = 16, 24
"""The narrowest cells that each have the number of their column, and one of their own."""


def heat_chart(width: int, audiences: int) -> Drawing:
    """Return the chart of rows with `row` and `column`, both from 1 to the number of audiences.

    A row with a `name` is an audience, and one with `share`, `number` and `title` a pair of them.
    """
    left = _NAMES[width]
    cell = (width - left) / audiences
    # On a phone fewer numbers fit than there are columns, and the last one stands over the edge.
    every, right = (1, 0) if cell >= _LEAST_FOR_LABELS else (5, 5)
    labelled = [one for one in range(1, audiences + 1) if one == 1 or one % every == 0]
    lines = alt.Axis(title=None, ticks=False, bandPosition=0, gridColor="var(--paper)", grid=True)
    columns, rows = lines.copy(), lines.copy()
    columns.orient, columns.labelAngle, columns.values = "top", 0, labelled
    rows.labels = False
    cells = alt.Chart(ROWS).encode(
        x=alt.X("column:O", scale=alt.Scale(padding=0), axis=columns),
        y=alt.Y("row:O", scale=alt.Scale(padding=0), axis=rows),
    )
    edge = 1 if cell > 10 else 0.5
    pairs = cells.transform_filter("isValid(datum.share)")
    layers = [
        pairs.mark_rect(color="var(--accent)", stroke="var(--paper)", strokeWidth=edge).encode(
            fillOpacity=alt.FillOpacity(
                "share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.02, 1])
            ),
            description="title:N",
        ),
        *_names(cells.transform_filter("isValid(datum.name)"), left, edge),
    ]
    if cell >= _LEAST_FOR_NUMBERS:
        layers.append(_numbers(pairs))
    height = _LEAST_ROW_HEIGHT if audiences > _MANY else _ROW_HEIGHT
    whole = alt.layer(*layers, height=alt.Step(height), view=alt.ViewConfig(fill="var(--raised)"))
    return Drawing(whole, width, Margins(left, top=24, right=right, bottom=0))


def _names(audiences: alt.Chart, left: int, edge: float) -> list[alt.Chart]:
    same = audiences.mark_rect(
        color="var(--rule)", stroke="var(--paper)", strokeWidth=edge, aria=False
    )
    places = audiences.mark_text(align="right", color="var(--soft)", aria=False).encode(
        x=alt.value(15 - left), text="row:O"
    )
    names = audiences.mark_text(align="left", limit=(left - 26) * _SLACK)
    return [same, places, names.encode(x=alt.value(20 - left), text="name:N", description="name:N")]


def _numbers(pairs: alt.Chart) -> alt.Chart:
    ink = (
        alt.when(alt.datum.share > _FULL)
        .then(alt.value("var(--on-accent)"))
        .when(alt.datum.share > _STRONG)
        .then(alt.value("var(--on-strong)"))
        .otherwise(alt.value("var(--ink)"))
    )
    return pairs.mark_text(aria=False).encode(text="number:N", color=ink)
