"""`edgewise synth`: believable traffic for demonstrations, load and tests."""

from __future__ import annotations

import gzip
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from edgewise.commands.outputs import STANDARD_OUTPUT
from edgewise.errors import InputError
from edgewise.receiving import parse_time
from edgewise.simulate.extras import load_extra
from edgewise.simulate.synth import DEFAULT_DAYS, DEFAULT_START_MS, Traffic, synthesize
from edgewise.simulate.whole import whole_file

_BATCH = 1_000
_MOST_PROFILES = 100_000_000


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--profiles", type=int, default=10_000, help="visitors, at most")
    parser.add_argument("--events", type=int, default=100_000, help="lines, exactly")
    parser.add_argument("--seed", type=int, default=1, help="another gives other traffic")
    parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="over which it is spread")
    parser.add_argument("--start", metavar="DATE", help="the first day, such as 2026-11-01")
    parser.add_argument(
        "--out",
        metavar="FILE",
        default="",
        help="NDJSON, compressed if named .gz or .zst; - is standard output, as is none in a pipe",
    )
    parser.set_defaults(command=write_traffic)


def write_traffic(options: Namespace) -> int:
    """Write the traffic; return the exit status. Errors: InputError."""
    traffic = Traffic(
        profiles=_between(options.profiles, 1, _MOST_PROFILES, "--profiles"),
        events=_between(options.events, 0, 1 << 40, "--events"),
        seed=options.seed,
        days=_between(options.days, 1, 3650, "--days"),
        start_ms=_start_of(options.start),
    )
    with _opened(options.out) as file:
        lines: list[bytes] = []
        for line in synthesize(traffic):
            lines.append(line)
            if len(lines) == _BATCH:
                file.write(b"\n".join(lines) + b"\n")
                lines.clear()
        file.writelines(line + b"\n" for line in lines)
    return 0


def _between(number: int, least: int, most: int, option: str) -> int:
    if not least <= number <= most:
        raise InputError(f"{option} takes a number from {least} to {most}")
    return number


def _start_of(text: str | None) -> int:
    if text is None:
        return DEFAULT_START_MS
    start_ms = parse_time(text)
    if start_ms is None:
        raise InputError(f'--start: "{text}" is no date; write it like 2026-11-01')
    return start_ms


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_OUTPUT or not (name or sys.stdout.isatty()):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not name:
        raise InputError("that many lines belong into a file: name it with --out")
    try:
        with whole_file(Path(name)) as target, target.open("wb") as raw, _packed(name, raw) as file:
            yield file
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}") from error


@contextmanager
def _packed(name: str, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    if name.endswith(".gz"):
        # Neither name nor time of writing: the same traffic is the same file.
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    elif name.endswith(".zst"):
        frames = load_extra("edgewise.simulate.zstd", "Writing zstd")
        with frames.create_frames(raw) as file:
            yield file
    else:
        yield raw
