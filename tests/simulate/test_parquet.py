"""Rows of Parquet files are lines of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from edgewise.errors import InputError
from edgewise.simulate.decisions import DecisionWriter
from edgewise.simulate.files import read_lines
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from tests.simulate.worlds import (
    MAIN,
    NOON_MS,
    SHOP,
    line,
    write_lines,
    write_rules,
)


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


@pytest.mark.parametrize("name", ["x", 'a "quoted" name'])
def test_null_counts_as_absent(tmp_path: Path, name: str) -> None:
    """A struct has all its members in every row; those that an event did not have are left out."""
    rows = [
        {"traits": {name: 1, "deep": {"a": 1}}, "list": [{"b": 1}, {"c": 2}, None], "userId": "u"},
        {"traits": {"deep": {}}, "list": [], "lone": [[1, None]]},
        {},
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "traits": pl.Struct({name: pl.Int64, "deep": pl.Struct({"a": pl.Int64})}),
        "list": pl.List(pl.Struct({"b": pl.Int64, "c": pl.Int64})),
        "lone": pl.List(pl.Array(pl.Int64, 2)),
        "userId": pl.String,
    }
    assert lines_of(tmp_path, pl.DataFrame(rows, schema=schema)) == rows


def test_same_events_give_the_same_result(tmp_path: Path) -> None:
    """Events as NDJSON and as Parquet are the same events: no trait is lost by being null."""
    paths = [str(tmp_path / name) for name in ("events.ndjson", "events.parquet")]
    lines = [
        line("a", NOON_MS, type="identify", userId="u", traits={"tier": "gold"}),
        line("a", NOON_MS + 1, type="identify", traits={"name": {"first": "A"}}),
        line("a", NOON_MS + 2, type="identify", traits={"name": {"last": "B"}, "tags": ["x"]}),
        line("b", NOON_MS + 3, type="track", event="buy", properties={"price": 1.5}),
        line("b", NOON_MS + 4),
    ]
    write_lines(Path(paths[0]), lines)
    pl.read_ndjson(paths[0]).write_parquet(paths[1])
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP}))
    inputs = [Input(paths=(path,), environments=(MAIN,), environment=MAIN) for path in paths]
    one, other = [simulate(rules, None, source, Options(show_ids=True)) for source in inputs]
    assert one.environments == other.environments
    gold = next(one for one in other.environments[0].audiences if one.id == "gold")
    assert gold.size == 1


def test_brackets_in_a_name_are_no_pattern(tmp_path: Path) -> None:
    """A file is read under its own name, and no other one."""
    path = tmp_path / "events[1].parquet"
    pl.DataFrame({"type": ["page"]}).write_parquet(path)
    assert list(read_lines(str(path))) == [(1, b'{"type":"page"}')]


def test_decisions_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    """A file that finds no room, or no folder, is an error with its path."""
    with pytest.raises(InputError, match=r"gone/0-rows: No such file"):
        DecisionWriter(tmp_path / "gone", "0-")
