"""Tables, which become lists of cards where a page is narrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgewise.simulate.report.markup import Markup, element, join, name_of, spaced

MOST_ROWS = 200


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], texts: Sequence[str] = ()
) -> Markup:
    """Return a table; the first column names the row.

    Args:
        texts: headings of the other columns that hold no numbers.
    """
    kinds = [
        "text" if place == 0 or one in texts else "number" for place, one in enumerate(headings)
    ]
    head = [
        element("th", one, class_=kind, scope="col")
        for one, kind in zip(headings, kinds, strict=True)
    ]
    return element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *(_row(headings, kinds, row) for row in rows)),
        class_="list pairs" if kinds.count("number") > 1 else "list",
    )


def rest_note(total: int, shown: int, what: str) -> Markup:
    """Return a sentence about what a page leaves out; nothing if that is nothing."""
    if total <= shown:
        return Markup()
    return element("p", f"{total - shown:,} more {what} stand in the JSON.", class_="note")


def names(title: str, identifiers: Sequence[str]) -> Markup:
    """Return a titled list of ids in one paragraph; nothing without any."""
    if not identifiers:
        return Markup()
    shown = spaced(element("code", name_of(one)) for one in identifiers[:MOST_ROWS])
    rest = rest_note(len(identifiers), MOST_ROWS, "ids")
    return join([element("h4", title), element("p", shown, class_="names"), rest])


def _row(headings: Sequence[str], kinds: Sequence[str], row: Sequence[str]) -> Markup:
    first, *others = row
    cells = [
        element("td", cell, class_=kind, data_label=heading)
        for heading, kind, cell in zip(headings[1:], kinds[1:], others, strict=True)
    ]
    return element("tr", element("th", first, scope="row", class_="text"), *cells)
