"""The heat map of audiences that share visitors."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.amounts import count
from edgewise.printable import shortened
from edgewise.simulate.report.drawing import Row
from edgewise.simulate.report.figures import percent
from edgewise.simulate.report.heat_chart import heat_chart
from edgewise.simulate.report.markup import Markup, element
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.report.widths import at_each_width
from edgewise.simulate.result import EnvironmentResult, OverlapResult

MOST_AUDIENCES = 40
_LONGEST_TITLE = 60


def overlap(environment: EnvironmentResult) -> Markup:
    """Return the heat map of the largest audiences that share visitors.

    A cell's strength is the share that both audiences have of the visitors in either.
    """
    if not environment.overlap:
        return element("p", "No visitor is in two audiences at once.", class_="note")
    found = {one for pair in environment.overlap for one in (pair.first, pair.second)}
    sizes = {one.id: one.size for one in environment.audiences}
    ordered = sorted(found, key=lambda one: (-sizes.get(one, 0), one))
    places = {one: place for place, one in enumerate(ordered[:MOST_AUDIENCES], 1)}
    rows = [*_audiences(places), *_cells(environment.overlap, places)]
    sentence = f"Overlap of {count(len(places))} audiences"
    return element(
        "div",
        element(
            "p",
            "The share of visitors in both audiences, of those in either, at the end.",
            class_="note",
        ),
        at_each_width(lambda width: heat_chart(width, len(places)).svg(sentence, rows)),
        _legend(),
        rest_note(len(ordered), MOST_AUDIENCES, "audiences with overlap"),
    )


def _audiences(places: dict[str, int]) -> list[Row]:
    return [{"row": place, "column": place, "name": one} for one, place in places.items()]


def _cells(pairs: Sequence[OverlapResult], places: dict[str, int]) -> list[Row]:
    """Each pair stands on both sides of the diagonal."""
    return [
        {
            "row": places[row],
            "column": places[column],
            "share": pair.jaccard,
            "number": str(round(pair.jaccard * 100)),
            "title": " and ".join(shortened(one, _LONGEST_TITLE) for one in (row, column))
            + f": {count(pair.profiles)}, {percent(pair.jaccard)} of either",
        }
        for pair in pairs
        if pair.first in places and pair.second in places
        for row, column in ((pair.first, pair.second), (pair.second, pair.first))
    ]


def _legend() -> Markup:
    return element(
        "p",
        "0%",
        element("span", class_="scale"),
        "100%; columns have the numbers of the rows.",
        class_="legend",
    )
