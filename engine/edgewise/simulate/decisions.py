"""One decision per request, written out as a replay goes along."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edgewise.errors import InputError
from edgewise.simulate.extras import load_extra
from edgewise.simulate.requests import Record
from edgewise.simulate.visitors import Visitor
from edgewise.simulate.whole import whole_file

_ROWS_AT_ONCE = 5_000


class DecisionRow(msgspec.Struct, frozen=True, gc=False):
    """What a visitor got after one request."""

    source: int
    line: int
    environment: str
    profile_id: str
    arrival_ms: int
    audiences: list[str]
    variants: dict[str, int]


class DecisionWriter:
    """Writes the decisions of one partition to files of a folder.

    Args:
        folder: where the files go.
        prefix: what their names start with.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._parquet = load_extra("edgewise.simulate.parquet", "Writing Parquet")
        self._folder = folder
        self._prefix = prefix
        self._rows: list[DecisionRow] = []
        self._parts = 0

    def add(self, record: Record, visitor: Visitor) -> None:
        """Write one decision. Errors: InputError where it cannot be written."""
        row = DecisionRow(
            record.source,
            record.line,
            record.environment,
            visitor.profile.id,
            record.arrival_ms,
            visitor.audiences,
            visitor.variants,
        )
        self._rows.append(row)
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        if self._rows:
            self._flush()

    def _flush(self) -> None:
        path = self._folder / f"{self._prefix}{self._parts:05}.parquet"
        try:
            self._parquet.write_part(path, self._rows)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        self._rows.clear()
        self._parts += 1


def join_decisions(folder: Path, path: Path) -> None:
    """Write the decisions of all partitions to one file, in the order of the input.

    Errors: InputError where the file cannot be written.
    """
    parquet = load_extra("edgewise.simulate.parquet", "Writing Parquet")
    try:
        with whole_file(path) as target:
            parquet.join_parts(sorted(folder.glob("*.parquet")), target)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
