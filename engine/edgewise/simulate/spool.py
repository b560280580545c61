"""Records on disk between the pass that finds out who belongs together and the replay.

The spool is one file of records in input order, each behind its length. Beside it an index holds
(offset, key) pairs, from which each partition gets a list of its offsets. So workers share one
file and read what is theirs, in order.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO

import msgspec

from edgewise.simulate.clusters import Clusters
from edgewise.simulate.requests import Record

SPOOL_NAME = "events.spool"
INDEX_NAME = "events.index"

_LENGTH = Struct("<I")
_LENGTH_BYTES = _LENGTH.size
_OFFSET_BYTES = 8
_INDEX_AT_ONCE = 1 << 16
_WRITTEN_AT_ONCE = 1 << 20
_MAPPED_BYTES = 32 << 20
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


class PartitionRecords(msgspec.Struct, frozen=True):
    """The records of one partition: in a shared file, or carried along.

    Args:
        spool, offsets: paths of the spool and of this partition's list of offsets.
        data: the records themselves, each behind its length; then the paths are not used.
    """

    spool: str = ""
    offsets: str = ""
    data: bytes | None = None


class SpoolWriter:
    """Writes records and their index to a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._events: BinaryIO = (folder / SPOOL_NAME).open("wb")
        self._index: BinaryIO = (folder / INDEX_NAME).open("wb")
        self._written = 0
        # What is to be written, as one piece each: a call per record and file costs more.
        self._records = bytearray()
        self._places = array("Q")

    def add(self, record: Record, key: int) -> None:
        """Append a record, which belongs to the cluster of a key."""
        data = _ENCODER.encode(record)
        records, places = self._records, self._places
        places.append(self._written + len(records))
        places.append(key)
        records += _LENGTH.pack(len(data))
        records += data
        if len(records) >= _WRITTEN_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Finish both files."""
        self._write()
        self._events.close()
        self._index.close()

    def _write(self) -> None:
        self._events.write(self._records)
        self._index.write(self._places)
        self._written += len(self._records)
        self._records.clear()
        del self._places[:]


def partition_spool(folder: Path, clusters: Clusters, partitions: int) -> list[PartitionRecords]:
    """Return the records of each partition; whole clusters lie in one.

    Cost: one pass over the index, 16 bytes per record.
    """
    paths = [folder / f"partition-{number:05}.offsets" for number in range(partitions)]
    files = [path.open("wb") for path in paths]
    pending = [array("Q") for _ in paths]
    try:
        for offset, key in _read_index(folder / INDEX_NAME):
            number = clusters.root(key) % partitions
            mine = pending[number]
            mine.append(offset)
            if len(mine) >= _INDEX_AT_ONCE:
                mine.tofile(files[number])
                del mine[:]
        for number, mine in enumerate(pending):
            mine.tofile(files[number])
    finally:
        for file in files:
            file.close()
    spool = str(folder / SPOOL_NAME)
    return [PartitionRecords(spool, str(path)) for path in paths]


def read_records(records: PartitionRecords) -> Iterator[Record]:
    """Iterate over the records of a partition in input order."""
    if records.data is not None:
        yield from _records_in(records.data)
        return
    offsets = array("Q")
    path = Path(records.offsets)
    offsets.frombytes(path.read_bytes())
    if not offsets:
        return
    with (
        Path(records.spool).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as spool,
    ):
        passed = 0
        for offset in offsets:
            if offset - passed >= _MAPPED_BYTES:
                # Its pages would count as this process's memory, up to the size of the spool.
                here = offset - offset % mmap.PAGESIZE
                spool.madvise(mmap.MADV_DONTNEED, passed, here - passed)
                passed = here
            start = offset + _LENGTH_BYTES
            yield _DECODER.decode(spool[start : start + _LENGTH.unpack_from(spool, offset)[0]])


def count_records(records: PartitionRecords) -> int:
    """Return how many records a partition has that is in a shared file."""
    return Path(records.offsets).stat().st_size // _OFFSET_BYTES


def carry_along(records: PartitionRecords) -> PartitionRecords:
    """Return the same records with their data inside, for a process without access to the files."""
    if records.data is not None:
        return records
    parts = []
    for record in read_records(records):
        data = _ENCODER.encode(record)
        parts += [_LENGTH.pack(len(data)), data]
    return PartitionRecords(data=b"".join(parts))


def _records_in(data: bytes) -> Iterator[Record]:
    view = memoryview(data)
    offset = 0
    while offset < len(data):
        start = offset + _LENGTH_BYTES
        offset = start + _LENGTH.unpack_from(view, offset)[0]
        yield _DECODER.decode(view[start:offset])


def _read_index(path: Path) -> Iterator[tuple[int, int]]:
    with path.open("rb") as file:
        while data := file.read(16 * _INDEX_AT_ONCE):
            pairs = array("Q", data)
            yield from zip(pairs[::2], pairs[1::2], strict=True)
