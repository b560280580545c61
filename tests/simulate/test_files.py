"""Lines of files, whatever the files are."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import polars as pl
import pytest
import zstandard

from edgewise.errors import InputError
from edgewise.simulate.files import Position, read_lines

TEXT = b'{"a":1}\n\n{"b":2}\r\n{"c":3}'
SKIPPABLE_FRAME = bytes.fromhex("502a4d18 04000000 01020304")
LINES = [(1, b'{"a":1}'), (3, b'{"b":2}'), (4, b'{"c":3}')]


def two_frames(text: bytes) -> bytes:
    """Two zstd frames in a row, as when files are concatenated."""
    compressor = zstandard.ZstdCompressor()
    return compressor.compress(text[:10]) + compressor.compress(text[10:])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TEXT, id="plain"),
        pytest.param(b"\xef\xbb\xbf" + TEXT, id="byte-order-mark"),
        pytest.param(gzip.compress(TEXT), id="gzip"),
        pytest.param(gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:]), id="two-gzip-members"),
        pytest.param(two_frames(TEXT), id="two-zstd-frames"),
        pytest.param(SKIPPABLE_FRAME + two_frames(TEXT), id="zstd-of-several-processes"),
    ],
)
def test_lines_have_their_numbers(tmp_path: Path, data: bytes) -> None:
    """Whatever the compression, lines come out alike and empty ones keep their numbers."""
    path = tmp_path / "events"
    path.write_bytes(data)
    assert list(read_lines(str(path))) == LINES


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hyphen stands for standard input, which may be compressed too."""
    stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(gzip.compress(TEXT))))
    monkeypatch.setattr(sys, "stdin", stream)
    assert list(read_lines("-")) == LINES


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param(TEXT, LINES, id="plain"),
        pytest.param(gzip.compress(TEXT), LINES, id="gzip"),
        pytest.param(two_frames(TEXT), LINES, id="zstd"),
        pytest.param(b"{}", [(1, b"{}")], id="two-bytes"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_a_pipe_that_gives_one_byte_at_first(
    monkeypatch: pytest.MonkeyPatch, data: bytes, lines: list[tuple[int, bytes]]
) -> None:
    """What a pipe is, is not decided on less than its first four bytes."""

    class Pipe(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer)  # type: ignore[arg-type]
            return super().readinto(view[:1] if self.tell() < 6 else view)

        def seekable(self) -> bool:
            return False

    stream = io.TextIOWrapper(io.BufferedReader(Pipe(data)))
    monkeypatch.setattr(sys, "stdin", stream)
    assert list(read_lines("-")) == lines


def test_rows_of_parquet_are_lines(tmp_path: Path) -> None:
    """A row becomes an object with nested members, numbered from 1."""
    path = tmp_path / "events.parquet"
    pl.DataFrame({"type": ["page", "track"], "context": [{"x": 1}, {"x": None}]}).write_parquet(
        path
    )
    assert list(read_lines(str(path))) == [
        (1, b'{"type":"page","context":{"x":1}}'),
        (2, b'{"type":"track","context":{}}'),
    ]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(gzip.compress(TEXT)[:-9], id="gzip-breaks-off"),
        pytest.param(two_frames(TEXT)[:-3], id="zstd-breaks-off"),
        pytest.param(zstandard.compress(TEXT * 999)[:9], id="zstd-breaks-off-early"),
        pytest.param(b"\x28\xb5\x2f\xfdnothing", id="no-zstd"),
        pytest.param(b"PAR1 not really", id="no-parquet"),
    ],
)
def test_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    """A file that cannot be read to its end is an error with its name."""
    path = tmp_path / "events"
    path.write_bytes(data)
    with pytest.raises(InputError, match="events: "):
        list(read_lines(str(path)))


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is an error with its name and the reason."""
    with pytest.raises(InputError, match="nowhere: No such file"):
        list(read_lines(str(tmp_path / "nowhere")))


@pytest.mark.parametrize("compress", [bytes, gzip.compress, two_frames])
def test_the_share_that_was_read_grows_up_to_all(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    """Of two files of one size the first is half of the input, whatever they are packed with."""
    paths = [str(tmp_path / name) for name in ("a", "b")]
    noise = Random(1).randbytes(2_000_000).hex().encode()
    text = b"\n".join(noise[start : start + 4_000] for start in range(0, len(noise), 4_000))
    for path in paths:
        Path(path).write_bytes(compress(text))
    position = Position(paths)
    shares = [position.share()]
    for path in paths:
        shares += [position.share() for _ in read_lines(path, position)]
        shares.append(position.share())
    known = [one for one in shares if one is not None]
    assert shares == sorted(known)
    assert shares[0] == 0
    assert shares[1_001] == 0.5
    assert shares[-1] == 1
    assert len(set(shares)) > 4


def test_nobody_knows_how_much_of_a_pipe_was_read(tmp_path: Path) -> None:
    """With standard input, or a file that is not there, no share is made up."""
    path = tmp_path / "a"
    path.write_bytes(TEXT)
    assert Position([str(path), "-"]).share() is None
    assert Position([str(tmp_path / "nowhere")]).share() is None
