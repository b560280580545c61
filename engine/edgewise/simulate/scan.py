"""One pass over all inputs: which requests they hold, from when to when, and what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from operator import lt

import msgspec
import xxhash

from edgewise.errors import InputError, InvalidData
from edgewise.simulate.files import Position, read_lines
from edgewise.simulate.mapping import LineMapping
from edgewise.simulate.requests import (
    MOST_BROKEN_SHOWN,
    BrokenLine,
    LineReader,
    Record,
    Request,
    broken_line,
    checked,
)
from edgewise.simulate.store_log import read_store

REQUESTS_AT_ONCE = 512


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be replayed.

    Args:
        paths: files in log order; "-" is standard input.
        store: the URL of a store whose log is read instead of files; empty without.
        since_ms: from which arrival on, for a store.
        environments: what lines may name, as "organization/environment".
        environment: whose a line is that names none; empty makes such a line broken.
        strict: whether the first broken line ends it.
    """

    paths: tuple[str, ...] = ()
    store: str = ""
    since_ms: int = 0
    environments: tuple[str, ...] = ()
    environment: str = ""
    mapping: LineMapping | None = None
    strict: bool = False


class Scanned(msgspec.Struct):
    """What one pass over the inputs found.

    Args:
        lines: requests and broken lines together.
        first_ms, last_ms: the earliest and the latest arrival; both 0 without requests.
        out_of_order: requests that arrived before the one in front of them.
        digest: what all events and their visitors come down to, as hex digits.
    """

    sources: list[str]
    lines: int = 0
    requests: int = 0
    events: int = 0
    first_ms: int = 0
    last_ms: int = 0
    out_of_order: int = 0
    broken: int = 0
    broken_lines: list[BrokenLine] = []
    digest: str = ""


class Scanner:
    """Reads inputs, and hands on what they hold.

    Args:
        take: is given the requests that can be replayed, many at a time, in the order of the input.
        progress: is told the number of lines now and then, and which share of the input they are,
            where that is known.
    """

    def __init__(
        self,
        source: Input,
        take: Callable[[list[Request]], None],
        progress: Callable[[int, float | None], None] | None = None,
    ) -> None:
        self._input = source
        self._take = take
        self._progress = progress
        self._hash = xxhash.xxh3_128()
        self._latest_ms = 0
        self._position = Position(source.paths)
        self.scanned = Scanned(
            [source.store.partition("?")[0]] if source.store else [*source.paths]
        )

    def run(self) -> Scanned:
        """Return what was found, after every line was read.

        Errors: InputError for an unreadable file, and for a broken line where that is asked for.
        """
        scanned = self.scanned
        requests: list[Request] = []
        for found in _requests_of(self._input, self._position):
            if isinstance(found, BrokenLine):
                scanned.lines += 1
                self._break(found)
                continue
            requests.append(found)
            if len(requests) == REQUESTS_AT_ONCE:
                self._pass_on(requests)
                requests = []
        if requests:
            self._pass_on(requests)
        scanned.digest = blake2b(self._hash.digest(), digest_size=16).hexdigest()
        return scanned

    def _pass_on(self, requests: list[Request]) -> None:
        scanned = self.scanned
        arrivals = [record.arrival_ms for record, _ in requests]
        scanned.out_of_order += sum(map(lt, arrivals, [self._latest_ms, *arrivals]))
        self._latest_ms = arrivals[-1]
        scanned.last_ms = max(scanned.last_ms, *arrivals)
        scanned.first_ms = min(scanned.first_ms or arrivals[0], *arrivals)
        parts = []
        for record, _ in requests:
            parts.append(record.name.encode())
            parts += record.events
        self._hash.update(b"".join(parts))
        scanned.lines += len(requests)
        scanned.requests += len(requests)
        scanned.events += len(parts) - len(requests)
        self._take(requests)
        if self._progress:
            self._progress(scanned.lines, self._position.share())

    def _break(self, broken: BrokenLine) -> None:
        scanned = self.scanned
        if self._input.strict:
            raise broken_line_error(scanned, broken)
        scanned.broken += 1
        if len(scanned.broken_lines) < MOST_BROKEN_SHOWN:
            scanned.broken_lines.append(broken)


def _requests_of(source: Input, position: Position) -> Iterator[Request | BrokenLine]:
    if source.store:
        for record in read_store(source.store, source.since_ms, 0):
            try:
                yield _logged(record, source.environments)
            except InvalidData as error:
                yield broken_line(record.source, record.line, error.message)
        return
    for number, path in enumerate(source.paths):
        reader = LineReader(source.environments, source.environment, number)
        for line, data in read_lines(path, position):
            try:
                yield reader.read(line, source.mapping.apply(data) if source.mapping else data)
            except InvalidData as error:
                yield broken_line(number, line, error.message)


def _logged(record: Record, environments: Sequence[str]) -> Request:
    if record.environment not in environments:
        raise InvalidData(f'the rules have no environment "{record.environment}"')
    return checked(record)


def broken_line_error(scanned: Scanned, broken: BrokenLine) -> InputError:
    """Return the error that a broken line is where it ends a run."""
    return InputError(f"{scanned.sources[broken.source]}, line {broken.line}: {broken.reason}")
