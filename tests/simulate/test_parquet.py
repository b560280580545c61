"""Rows of Parquet files are lines of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from edgewise.errors import InputError
from edgewise.simulate.files import read_lines


def lines_of(tmp_path: Path, frame: pl.DataFrame) -> list[Any]:
    """Write a file, read it, and return what its lines say."""
    path = tmp_path / "events.parquet"
    frame.write_parquet(path)
    return [msgspec.json.decode(line) for _, line in read_lines(str(path))]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        pytest.param([b"a", "Zoë".encode(), None], None, ["a", "Zoë", None], id="column"),
        pytest.param([[b"a", None], []], None, [["a", None], []], id="list"),
        pytest.param([[b"a", b"b"]], pl.Array(pl.Binary, 2), [["a", "b"]], id="array"),
        pytest.param(
            [{"x": 1, "y": [{"z": b"a"}]}], None, [{"x": 1, "y": [{"z": "a"}]}], id="struct"
        ),
    ],
)
def test_binary_columns_are_texts(
    tmp_path: Path, values: list[Any], dtype: Any, expected: list[Any]
) -> None:
    """Some writers know no texts; what they write is read as one, wherever it stands."""
    frame = pl.DataFrame({"column": pl.Series(values, dtype=dtype)})
    assert [line.get("column") for line in lines_of(tmp_path, frame)] == expected


@pytest.mark.parametrize(
    ("column", "fault"),
    [
        pytest.param(
            pl.Series([b"a", b"\xff"]),
            'the binary column "column" is no UTF-8 in rows 1 to 2',
            id="binary",
        ),
        pytest.param(
            pl.Series([0, 2**62]).cast(pl.Datetime("ms")),
            "a value, such as a time, cannot be written as JSON in rows 1 to 2",
            id="time",
        ),
    ],
)
def test_what_json_cannot_hold_is_told(tmp_path: Path, column: pl.Series, fault: str) -> None:
    """Bytes that are no text, and a time beyond all calendars, end it with file and rows."""
    with pytest.raises(InputError, match=f"events.parquet: {fault}"):
        lines_of(tmp_path, pl.DataFrame({"column": column}))


def test_brackets_in_a_name_are_no_pattern(tmp_path: Path) -> None:
    """A file is read under its own name, and no other one."""
    path = tmp_path / "events[1].parquet"
    pl.DataFrame({"type": ["page"]}).write_parquet(path)
    assert list(read_lines(str(path))) == [(1, b'{"type":"page"}')]
