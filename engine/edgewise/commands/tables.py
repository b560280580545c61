"""Tables of text: a column is as wide as its widest cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgewise.printable import printable


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return the names of the columns in capitals and a line for each row."""
    table = [[name.upper() for name in columns]]
    table += [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
