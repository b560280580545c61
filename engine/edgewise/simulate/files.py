"""Files of recorded events → numbered lines, whatever they are compressed with."""

from __future__ import annotations

import gzip
import io
import re
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from edgewise.errors import InputError
from edgewise.json_text import BOM
from edgewise.simulate.extras import load_extra

STANDARD_INPUT = "-"

_BUFFER_BYTES = 1 << 20
_MAGIC_BYTES = 4
_GZIP = b"\x1f\x8b"
# A frame, or one to be skipped over, with which those begin that several processes have written.
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)
_PARQUET = b"PAR1"


class Position:
    """How far some files were read, of what they take up on the disk.

    Args:
        paths: all that will be read, each once.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        sizes = [_size_of(path) for path in paths]
        self._total = sum(sizes) if all(sizes) else 0
        self._passed = 0
        self._file: BinaryIO | None = None

    def share(self) -> float | None:
        """Return the share that was read, 0..1; None where nobody can tell, as with a pipe."""
        if not self._total:
            return None
        here = self._file.tell() if self._file is not None else 0
        return min(1.0, (self._passed + here) / self._total)

    def enter(self, file: BinaryIO) -> None:
        """Note the file that is read now."""
        self._file = file

    def leave(self, path: str) -> None:
        """Note that a file was read."""
        self._file = None
        self._passed += _size_of(path)


def read_lines(path: str, position: Position | None = None) -> Iterator[tuple[int, bytes]]:
    """Iterate over the lines of a file, each with its number from 1; empty ones are left out.

    Args:
        position: is told where the reading is.

    Shape: a row of a Parquet file is a line of JSON. What a file is, its first bytes say, and not
    its name.
    Errors: InputError for a file that cannot be read, or that breaks off.
    """
    try:
        with _opened(path) as file:
            if position is not None:
                position.enter(file)
            magic, whole = _begun(file)
            if magic == _PARQUET:
                rows = load_extra("edgewise.simulate.parquet", "Reading Parquet")
                yield from rows.read_rows(path)
            else:
                yield from _lines_of(_plain(whole, magic))
        if position is not None:
            position.leave(path)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def version_of(path: str) -> tuple[int, int, int]:
    """Return numbers that are others as soon as a file is written to. Errors: InputError."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _size_of(path: str) -> int:
    """The bytes of a file on the disk; 0 for what is no such file."""
    try:
        found = Path(path).stat()
    except OSError:
        return 0  # Whoever reads it says so.
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


class _Pipe(io.RawIOBase):
    """A pipe of which some was read, from its beginning on."""

    def __init__(self, begun: bytes, rest: io.BufferedReader) -> None:
        self._begun = begun
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._begun:
            return self._rest.readinto1(buffer)
        some, self._begun = self._begun[: len(buffer)], self._begun[len(buffer) :]
        buffer[: len(some)] = some
        return len(some)


def _begun(file: io.BufferedReader) -> tuple[bytes, BinaryIO]:
    """The first bytes of a file, which a pipe may give one by one, and all of it."""
    magic = file.read(_MAGIC_BYTES)
    if file.seekable():
        file.seek(-len(magic), io.SEEK_CUR)
        return magic, file
    return magic, cast("BinaryIO", io.BufferedReader(_Pipe(magic, file), _BUFFER_BYTES))


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    if path == STANDARD_INPUT:
        yield cast("io.BufferedReader", sys.stdin.buffer)
        return
    with Path(path).open("rb", buffering=_BUFFER_BYTES) as file:
        yield cast("io.BufferedReader", file)


def _plain(file: BinaryIO, magic: bytes) -> BinaryIO:
    if magic.startswith(_GZIP):
        return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=file), _BUFFER_BYTES))
    if _ZSTD.fullmatch(magic):
        frames = load_extra("edgewise.simulate.zstd", "Reading zstd")
        opened: BinaryIO = frames.open_frames(file)
        return opened
    return file


def _lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        text = line.removeprefix(BOM).strip() if number == 1 else line.strip()
        if text:
            yield number, text
