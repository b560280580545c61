"""Walking a large table in small steps, once around and over again."""

from __future__ import annotations

from collections.abc import Iterator


class Walk:
    """A position in a table of ascending ids that outlives one visit.

    Shape: `position` is the last id that was looked at; 0 is in front of the first.
    """

    def __init__(self) -> None:
        self.position = 0

    def steps(self, most: int) -> Iterator[int]:
        """Yield the position to go on from, at most `most` times and once around the table.

        The caller looks at some rows above it and then sets `position` to the last of them, or
        to 0 at the end of the table.
        """
        start = self.position
        wrapped = start == 0
        for _ in range(most):
            yield self.position
            if self.position == 0:
                if wrapped:
                    return
                wrapped = True
            elif wrapped and self.position >= start > 0:
                return
