"""Zstandard streams, with the package zstandard of the extra `edgewise[simulate]`."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

import zstandard

_BUFFER_BYTES = 1 << 20

# Little, because a few bytes may stand for very many.
_READ_BYTES = 4096


class _Frames(io.RawIOBase):
    """The plain bytes of frames, one after the other; one that breaks off is an error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._rest = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._plain:
            data = self._rest or self._file.read(_READ_BYTES)
            self._rest = b""
            if not data:
                if self._frame is not None:
                    raise OSError("the file breaks off within a compressed frame")
                return 0
            self._decompress(data)
        size = min(len(buffer), len(self._plain))
        buffer[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _decompress(self, data: bytes) -> None:
        frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        try:
            self._plain = memoryview(frame.decompress(data))
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from error
        self._frame = None if frame.eof else frame
        if frame.eof:
            self._rest = frame.unused_data


def open_frames(file: BinaryIO) -> BinaryIO:
    """Return the plain bytes of a file of one or more zstd frames."""
    return cast("BinaryIO", io.BufferedReader(_Frames(file), _BUFFER_BYTES))


def create_frames(file: BinaryIO) -> BinaryIO:
    """Return a writer that compresses into a file; closing it closes the file."""
    writer = zstandard.ZstdCompressor(level=3).stream_writer(file)
    return cast("BinaryIO", io.BufferedWriter(cast("io.RawIOBase", writer), _BUFFER_BYTES))
