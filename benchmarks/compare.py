"""Two results side by side, with bands: is a change more than noise?

python -m benchmarks.compare before.json after.json
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

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
    """Return the rows of a file of results."""
    return rows_of(msgspec.json.decode(path.read_bytes(), type=Results).answers)


def main() -> None:
    """Print the table of changes."""
    before, after = (load_rows(Path(name)) for name in sys.argv[1:3])
    for one in changes(before, after):
        values = f"{one.before:10.3g} → {one.after:10.3g}"
        print(f"{one.title:<28} {values}  {one.share:+7.1%}  {one.band}")


if __name__ == "__main__":
    main()
