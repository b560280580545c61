"""One decision per request, written out as a replay goes along.

Each partition has a file of its own, in chunks of rows that are in the order of the input. At the
end all chunks are merged: those are in memory whose rows are next, and no others.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush, heapreplace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from struct import Struct
from typing import NamedTuple

import msgspec

from edgewise.errors import InputError
from edgewise.simulate.extras import load_extra
from edgewise.simulate.requests import Record
from edgewise.simulate.visitors import Visitor
from edgewise.simulate.whole import whole_file

_ROWS_AT_ONCE = 4_096
_ROWS_PER_CHUNK = 128
_ROWS_PER_PART = 1_000
_FASTEST = 1
_IN_ORDER = attrgetter("source", "line")


class DecisionRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a visitor got after one request."""

    source: int
    line: int
    environment: str
    profile_id: str
    arrival_ms: int
    audiences: list[str]
    variants: dict[str, int]


_HEADER = Struct("<IQI")  # Source and line of a chunk's first row, and the chunk's size in bytes.
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[DecisionRow])


class DecisionWriter:
    """Writes the decisions of one partition to a file of a folder, in the place of an older one.

    Args:
        folder: where the file goes.
        prefix: what its name starts with.
    Errors: InputError where the file cannot be written.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self._path = folder / f"{prefix}rows"
        self._rows: list[DecisionRow] = []
        with _faults_told(self._path):
            self._path.write_bytes(b"")

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
        """Write what is left, safely onto the disk. Errors: InputError as `add`."""
        self._flush()
        with _faults_told(self._path), self._path.open("rb") as file:
            os.fsync(file.fileno())

    def _flush(self) -> None:
        # Requests of different visitors are not always decided on in the order of the input.
        rows = iter(sorted(self._rows, key=_IN_ORDER))
        with _faults_told(self._path), self._path.open("ab") as file:
            while some := list(islice(rows, _ROWS_PER_CHUNK)):
                data = zlib.compress(_ENCODER.encode(some), _FASTEST)
                file.write(_HEADER.pack(*_IN_ORDER(some[0]), len(data)))
                file.write(data)
        self._rows.clear()


def join_decisions(folder: Path, path: Path) -> None:
    """Write the decisions of all partitions to one file, in the order of the input.

    Errors: InputError where the file cannot be written.
    Cost: the memory for one chunk of each partition, and a few numbers for every chunk.
    """
    parquet = load_extra("edgewise.simulate.parquet", "Writing Parquet")
    merged = _merged(sorted(chunk for rows in folder.glob("*-rows") for chunk in _chunks_of(rows)))
    parts: list[Path] = []
    while some := list(islice(merged, _ROWS_PER_PART)):
        parts.append(folder / f"{len(parts):05}.parquet")
        with _faults_told(parts[-1]):
            parquet.write_part(parts[-1], some)
    with _faults_told(path), whole_file(path) as target:
        parquet.join_parts(parts, target)


class _Chunk(NamedTuple):
    """Where some rows are, by the place of the first of them in the input."""

    source: int
    line: int
    path: Path
    offset: int
    size_bytes: int

    def rows(self) -> Iterator[DecisionRow]:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return iter(_DECODER.decode(zlib.decompress(file.read(self.size_bytes))))


# The place of a row in the input, the number of its chunk, the row, and those behind it.
_Open = tuple[tuple[int, int], int, DecisionRow, Iterator[DecisionRow]]


def _chunks_of(path: Path) -> Iterator[_Chunk]:
    with path.open("rb") as file:
        while header := file.read(_HEADER.size):
            source, line, size_bytes = _HEADER.unpack(header)
            yield _Chunk(source, line, path, file.tell(), size_bytes)
            file.seek(size_bytes, os.SEEK_CUR)


def _merged(chunks: Iterable[_Chunk]) -> Iterator[DecisionRow]:
    """The rows of chunks in order; a chunk is read when its first row is next."""
    heap: list[_Open] = []
    for number, chunk in enumerate(chunks):
        while heap and heap[0][0] < chunk[:2]:
            yield _next_of(heap)
        rows = chunk.rows()
        heappush(heap, (chunk[:2], number, next(rows), rows))
    while heap:
        yield _next_of(heap)


def _next_of(heap: list[_Open]) -> DecisionRow:
    _, number, row, rows = heap[0]
    following = next(rows, None)
    if following is None:
        heappop(heap)
    else:
        heapreplace(heap, (_IN_ORDER(following), number, following, rows))
    return row


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
