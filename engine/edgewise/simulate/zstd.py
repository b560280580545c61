"""Zstandard streams, with the package zstandard of the extra `edgewise[simulate]`."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

import zstandard

_BUFFER_BYTES = 1 << 20


class _Frames(io.RawIOBase):
    """What the decompressor reads, with its errors as those of a file."""

    def __init__(self, reader: zstandard.ZstdDecompressionReader) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            return self._reader.readinto(buffer)
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error


def open_frames(file: BinaryIO) -> BinaryIO:
    """Return the plain bytes of a file of one or more zstd frames."""
    reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    return cast("BinaryIO", io.BufferedReader(_Frames(reader), _BUFFER_BYTES))


def create_frames(file: BinaryIO) -> BinaryIO:
    """Return a writer that compresses into a file; closing it closes the file."""
    writer = zstandard.ZstdCompressor(level=3).stream_writer(file)
    return cast("BinaryIO", io.BufferedWriter(cast("io.RawIOBase", writer), _BUFFER_BYTES))
