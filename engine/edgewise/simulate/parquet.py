"""Parquet files, with the package polars of the extra `edgewise[simulate]`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import GenericAlias
from typing import Any

import msgspec
import polars as pl

from edgewise.simulate.decisions import DecisionRow

_ROWS_AT_ONCE = 20_000
_ROWS_PER_GROUP = 10_000

_ENCODER = msgspec.json.Encoder()

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

    Shape: binary columns are texts, and members that are null are left out: a struct has all of
    its members in every row, whether the event had them or not. In a list, null stays.
    Errors: OSError for a file that cannot be read, or that holds what JSON cannot.
    """
    try:
        frames = pl.scan_parquet(path, glob=False)
        schema = frames.collect_schema()
        texts = _texts(schema)
        decode = _decoder_without_nulls(schema)
        count = frames.select(pl.len()).collect().item()
        for start in range(0, count, _ROWS_AT_ONCE):
            frame = frames.slice(start, _ROWS_AT_ONCE).collect()
            for number, line in enumerate(_lines_of(frame, texts, start), start + 1):
                yield number, _ENCODER.encode(decode(line))
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error


def write_part(path: Path, rows: Sequence[DecisionRow]) -> None:
    """Write decisions to a file. Errors: OSError for a file that cannot be written."""
    # Lists of dictionaries become a column three times as fast by way of JSON.
    lines = _ENCODER.encode_lines(
        {
            "source": row.source,
            "line": row.line,
            "environment": row.environment,
            "profile_id": row.profile_id,
            "arrival": row.arrival_ms,
            "audiences": row.audiences,
            "experiences": [
                {"experience_id": one, "variant_index": index}
                for one, index in row.variants.items()
            ],
        }
        for row in rows
    )
    try:
        frame = pl.read_ndjson(lines, schema={**_SCHEMA, "arrival": pl.Int64})
        frame.cast({"arrival": _SCHEMA["arrival"]}).write_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error


def join_parts(paths: Sequence[Path], path: Path) -> None:
    """Write the decisions of some files to one, in the order of the files.

    Errors: OSError for a file that cannot be written.
    """
    try:
        if not paths:
            pl.DataFrame(schema=_SCHEMA).write_parquet(path)
            return
        frames = pl.scan_parquet(list(paths), glob=False)
        frames.sink_parquet(path, row_group_size=_ROWS_PER_GROUP)
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error


def _lines_of(frame: pl.DataFrame, texts: dict[str, pl.DataType], start: int) -> list[bytes]:
    place = f"in rows {start + 1} to {start + len(frame)}"
    for name, dtype in texts.items():
        try:
            frame = frame.with_columns(pl.col(name).cast(dtype))
        except pl.exceptions.PolarsError:
            raise OSError(f'the binary column "{name}" is no UTF-8 {place}') from None
    lines = io.BytesIO()
    try:
        frame.write_ndjson(lines)
    # So the library gives up on a time that it has no date for.
    except pl.exceptions.PanicException:
        raise OSError(f"a value, such as a time, cannot be written as JSON {place}") from None
    return lines.getvalue().splitlines()


def _texts(schema: pl.Schema) -> dict[str, pl.DataType]:
    """The columns that hold something binary, which some writers take for texts, as texts."""
    types = {name: _text(dtype) for name, dtype in schema.items()}
    return {name: dtype for name, dtype in types.items() if dtype != schema[name]}


def _text(dtype: Any) -> Any:
    match dtype:
        case pl.Binary():
            return pl.String()
        case pl.List():
            return pl.List(_text(dtype.inner))
        case pl.Array():
            return pl.Array(_text(dtype.inner), dtype.size)
        case pl.Struct():
            return pl.Struct({field.name: _text(field.dtype) for field in dtype.fields})
    return dtype


def _decoder_without_nulls(schema: pl.Schema) -> Callable[[bytes], Any]:
    try:
        row = _object_type(schema.items())
    # No type has names with quotes, backslashes or control characters. This is three times slower.
    except ValueError:
        return lambda line: _without_nulls(msgspec.json.decode(line))
    return msgspec.json.Decoder(row).decode


def _object_type(members: Iterable[tuple[str, Any]]) -> Any:
    """A type of JSON objects whose members are left out where they are null."""
    fields = [
        (f"_{place}", _json_type(dtype), msgspec.field(default=None, name=name))
        for place, (name, dtype) in enumerate(members)
    ]
    return msgspec.defstruct("Row", fields, omit_defaults=True, gc=False)


def _json_type(dtype: Any) -> Any:
    match dtype:
        case pl.Struct():
            return _object_type((field.name, field.dtype) for field in dtype.fields) | None
        case pl.List() | pl.Array():
            return GenericAlias(list, (_json_type(dtype.inner),)) | None
    return Any


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value
