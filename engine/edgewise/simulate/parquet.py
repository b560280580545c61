"""Parquet files, with the package polars of the extra `edgewise[simulate]`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from edgewise.simulate.decisions import DecisionRow

_ROWS_AT_ONCE = 20_000

_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.UInt32,
    "line": pl.UInt64,
    "environment": pl.String,
    "profile_id": pl.String,
    "arrival": pl.Datetime("ms", "UTC"),
    "audiences": pl.List(pl.String),
    "experiences": pl.List(pl.Struct({"experience_id": pl.String, "variant_index": pl.UInt16})),
}


def read_rows(path: str) -> Iterator[tuple[int, bytes]]:
    """Iterate over the rows of a file as JSON, each with its number from 1.

    Errors: OSError for a file that cannot be read.
    """
    try:
        frames = pl.scan_parquet(path)
        count = frames.select(pl.len()).collect().item()
        for start in range(0, count, _ROWS_AT_ONCE):
            text = io.BytesIO()
            frames.slice(start, _ROWS_AT_ONCE).collect().write_ndjson(text)
            yield from enumerate(text.getvalue().splitlines(), start + 1)
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error


def write_part(path: Path, rows: Sequence[DecisionRow]) -> None:
    """Write decisions to a file."""
    columns = {
        "source": [row.source for row in rows],
        "line": [row.line for row in rows],
        "environment": [row.environment for row in rows],
        "profile_id": [row.profile_id for row in rows],
        "arrival": [row.arrival_ms for row in rows],
        "audiences": [row.audiences for row in rows],
        "experiences": [
            [{"experience_id": one, "variant_index": index} for one, index in row.variants.items()]
            for row in rows
        ],
    }
    pl.DataFrame(columns, schema=_SCHEMA).write_parquet(path)


def join_parts(paths: Sequence[Path], path: Path) -> None:
    """Write the decisions of some files to one, in the order of the input."""
    if not paths:
        pl.DataFrame(schema=_SCHEMA).write_parquet(path)
        return
    frames = pl.concat([pl.scan_parquet(part) for part in paths])
    frames.sort("source", "line").sink_parquet(path)
