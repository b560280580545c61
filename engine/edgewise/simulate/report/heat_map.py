"""The heat map of audiences that share visitors."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.amounts import count
from edgewise.simulate.report.figures import percent
from edgewise.simulate.report.markup import Markup, element, name_of
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.result import EnvironmentResult, OverlapResult

MOST_AUDIENCES = 40
MOST_WITH_NUMBERS = 20
"""Above this many audiences the cells are too small for a number."""


def overlap(environment: EnvironmentResult) -> Markup:
    """Return the heat map of the largest audiences that share visitors.

    A cell's strength is the share that both audiences have of the visitors in either.
    """
    if not environment.overlap:
        return element("p", "No visitor is in two audiences at once.", class_="note")
    found = {one for pair in environment.overlap for one in (pair.first, pair.second)}
    sizes = {one.id: one.size for one in environment.audiences}
    ordered = sorted(found, key=lambda one: (-sizes.get(one, 0), one))
    shown = ordered[:MOST_AUDIENCES]
    kept = frozenset(shown)
    pairs = {
        frozenset((one.first, one.second)): one
        for one in environment.overlap
        if one.first in kept and one.second in kept
    }
    return element(
        "div",
        element(
            "p",
            "The share of visitors in both audiences, of those in either, at the end.",
            class_="note",
        ),
        _map(shown, pairs),
        _legend(),
        rest_note(len(ordered), MOST_AUDIENCES, "audiences with overlap"),
    )


def _map(shown: Sequence[str], pairs: dict[frozenset[str], OverlapResult]) -> Markup:
    numbers = [
        element("th", str(place), scope="col", title=one) for place, one in enumerate(shown, 1)
    ]
    rows = [
        element(
            "tr",
            element(
                "th",
                element("span", str(place), class_="place"),
                element("span", name_of(row), class_="label"),
                scope="row",
                title=row,
            ),
            *(_cell(row, column, pairs) for column in shown),
        )
        for place, row in enumerate(shown, 1)
    ]
    density = "dense" if len(shown) > MOST_WITH_NUMBERS else "roomy"
    return element(
        "table",
        element("thead", element("tr", element("td"), *numbers)),
        element("tbody", *rows),
        class_=f"heat {density}",
    )


def _cell(row: str, column: str, pairs: dict[frozenset[str], OverlapResult]) -> Markup:
    if row == column:
        return element("td", class_="same")
    pair = pairs.get(frozenset((row, column)))
    if pair is None:
        return element("td", title=f"{row} and {column}: nobody")
    strength = max(1, round(pair.jaccard * 100))
    return element(
        "td",
        element("span", str(round(pair.jaccard * 100))),
        class_=_shade(strength),
        style=f"--heat:{strength}%",
        title=f"{row} and {column}: {count(pair.profiles)}, {percent(pair.jaccard)} of either",
    )


def _shade(strength: int) -> str:
    """From where on a cell is so strong that its number needs the other ink, dark screens first."""
    return "strong full" if strength > 80 else "strong" if strength > 58 else "weak"


def _legend() -> Markup:
    return element(
        "p",
        "0%",
        element("span", class_="scale"),
        "100%; columns have the numbers of the rows.",
        class_="legend",
    )
