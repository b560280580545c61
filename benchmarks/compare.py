"""Two results side by side, with bands: is a change more than noise?

Both are of `python -m benchmarks`, or both of `python -m benchmarks.bench_peers`.

python -m benchmarks.compare before.json after.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.peers.results import Entry, Report
from benchmarks.rows import Row, rows_of
from benchmarks.runner import Results

# The same code measured twice differs by up to a tenth.
NOISE = 0.1
LARGE = 0.3


class Change(msgspec.Struct, frozen=True):
    """One row before and after; `share` is the change as a share of what was before."""

    title: str
    before: float
    after: float
    more_is_better: bool = False

    @property
    def share(self) -> float:
        """How much larger it has become."""
        return self.after / self.before - 1 if self.before else 0.0

    @property
    def band(self) -> str:
        """What the change amounts to."""
        size = abs(self.share)
        if size <= NOISE:
            return "same"
        word = "slower" if (self.share > 0) != self.more_is_better else "faster"
        return f"much {word}" if size > LARGE else word


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """Return the rows that both results have."""
    found = {row.title: row.value for row in before}
    return [
        Change(row.title, earlier, row.value, row.more_is_better)
        for row in after
        if row.value is not None and (earlier := found.get(row.title)) is not None
    ]


def load_rows(path: Path) -> list[Row]:
    """Return the rows of a file of results; of the peers, how many times faster the engine is.

    Errors: OSError, and msgspec.DecodeError for a file that holds no results.
    """
    data = path.read_bytes()
    try:
        return [_peer_row(entry) for entry in msgspec.json.decode(data, type=Report).entries]
    except msgspec.ValidationError:
        return rows_of(msgspec.json.decode(data, type=Results).answers)


def _peer_row(entry: Entry) -> Row:
    return Row(
        title=f"{entry.label}, N = {entry.size:,}",
        unit="×",
        value=entry.to_ours,
        limit=None,
        goal=None,
        more_is_better=True,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the table of changes; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    for name in ("before", "after"):
        parser.add_argument(name, type=Path, help="a file of results")
    options = parser.parse_args(arguments)
    found = []
    for path in (options.before, options.after):
        try:
            found.append(load_rows(path))
        except OSError as error:
            parser.error(f"{path}: {error.strerror}")
        except msgspec.DecodeError as error:
            parser.error(f"{path}: no results of a benchmark: {error}")
    for one in (changed := changes(*found)):
        values = f"{one.before:10.3g} → {one.after:10.3g}"
        print(f"{one.title:<40} {values}  {one.share:+7.1%}  {one.band}")
    if not changed:
        parser.error("the two have no row in common")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
