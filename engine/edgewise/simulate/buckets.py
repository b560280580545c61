"""Counts per stretch of time, while it is not known yet how long the whole time is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from edgewise.simulate.window import HOUR_MS, Window, bucket_width


class Bucket:
    """What happened in one stretch of time; audiences by their ids."""

    __slots__ = ("entries", "exits", "gone", "merged", "new")

    def __init__(self) -> None:
        self.new = 0
        self.gone = 0
        self.entries: Counter[str] = Counter()
        self.exits: Counter[str] = Counter()
        self.merged: Counter[str] = Counter()

    def add(self, other: Bucket) -> None:
        """Add what happened in a part of this stretch."""
        self.new += other.new
        self.gone += other.gone
        self.entries.update(other.entries)
        self.exits.update(other.exits)
        self.merged.update(other.merged)


class Buckets:
    """Hours, and wider buckets as soon as those of the result are wider for certain."""

    def __init__(self) -> None:
        self._width_ms = HOUR_MS
        self._buckets: defaultdict[int, Bucket] = defaultdict(Bucket)

    def __len__(self) -> int:
        return len(self._buckets)

    def at(self, time_ms: int) -> Bucket:
        """Return the bucket that owns a time."""
        place = time_ms // self._width_ms
        if place not in self._buckets:
            self._widen_for(place)
            place = time_ms // self._width_ms
        return self._buckets[place]

    def of(self, window: Window) -> Iterator[Bucket]:
        """Iterate over the buckets of a window, in which all times were that were counted."""
        self._widen(window.bucket_ms)
        first = window.first_ms // window.bucket_ms
        for place in range(first, first + max(window.count, 1)):
            yield self._buckets.get(place) or Bucket()

    def _widen_for(self, place: int) -> None:
        places = (place, *self._buckets)
        # What a width is good for is a whole number of it, so that two times which are no further
        # apart never lie in buckets which are.
        self._widen(bucket_width((max(places) - min(places)) * self._width_ms))

    def _widen(self, width_ms: int) -> None:
        if width_ms <= self._width_ms:
            return
        narrow, factor = self._buckets, width_ms // self._width_ms
        self._width_ms = width_ms
        self._buckets = defaultdict(Bucket)
        for place, bucket in narrow.items():
            self._buckets[place // factor].add(bucket)
