"""What happens in a replay → the counts of one environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.ruleset import Ruleset
from edgewise.simulate.overlap import pairs_of
from edgewise.simulate.partial import (
    AudienceCounts,
    EnvironmentCounts,
    ExperienceCounts,
    SampledProfile,
)
from edgewise.simulate.visitors import Visitor
from edgewise.simulate.window import Window
from edgewise.stores.codec import encode_record

MOST_SAMPLED = 1_000


class Counting:
    """Adds up what one environment's visitors do; an observer of its replay."""

    def __init__(self, ruleset: Ruleset, window: Window) -> None:
        buckets = max(window.count, 1)
        self._window = window
        self._meant = {one.experience.id: one.audience_id for one in ruleset.experiences}
        self._meant_and_given: Counter[str] = Counter()
        self._positions = {one.id: place for place, one in enumerate(ruleset.audiences)}
        self._audience_sets: Counter[tuple[int, ...]] = Counter()
        self._hashes: list[tuple[int, bytes]] = []
        self._sampled_below = 1 << 63
        self.counts = EnvironmentCounts(
            requests=0,
            events=0,
            duplicates=0,
            profiles=0,
            new=[0] * buckets,
            merged=[0] * buckets,
            audiences={
                one.id: AudienceCounts([0] * buckets, [0] * buckets, [0] * buckets)
                for one in ruleset.audiences
            },
            experiences={
                one.experience.id: ExperienceCounts([0] * len(one.selected))
                for one in ruleset.experiences
            },
            pairs={},
            sample=[],
        )

    def appeared(self, time_ms: int) -> None:
        """Count a visitor who came for the first time."""
        self.counts.new[self._window.bucket_of(time_ms)] += 1

    def changed(self, before: Sequence[str], after: Sequence[str], time_ms: int) -> None:
        """Count the audiences that a visitor entered and left."""
        bucket = self._window.bucket_of(time_ms)
        audiences = self.counts.audiences
        old = set(before)
        for audience_id in old.symmetric_difference(after):
            counts = audiences[audience_id]
            (counts.exits if audience_id in old else counts.entries)[bucket] += 1

    def merged(self, loser: Visitor, time_ms: int) -> None:
        """Count a visitor who turned out to be another one."""
        bucket = self._window.bucket_of(time_ms)
        self.counts.merged[bucket] += 1
        for audience_id in loser.audiences:
            self.counts.audiences[audience_id].merged[bucket] += 1

    def finish(self, visitor: Visitor) -> None:
        """Count a visitor as it is at the end."""
        counts = self.counts
        counts.profiles += 1
        for audience_id in visitor.audiences:
            counts.audiences[audience_id].size += 1
        for audience_id in visitor.ever:
            counts.audiences[audience_id].ever += 1
        for experience_id, index in visitor.given.items():
            counts.experiences[experience_id].variants[index] += 1
            meant = self._meant[experience_id]
            if meant is None or meant in visitor.ever:
                self._meant_and_given[experience_id] += 1
        self._audience_sets[tuple(self._positions[one] for one in visitor.audiences)] += 1
        self._sample(visitor)

    def result(self) -> EnvironmentCounts:
        """Return the counts, after every visitor was finished."""
        self.counts.pairs = pairs_of(self._audience_sets, len(self._positions))
        self._count_held_out()
        self._hashes.sort()
        self.counts.sample = [SampledProfile(*one) for one in self._hashes[:MOST_SAMPLED]]
        return self.counts

    def _count_held_out(self) -> None:
        """Whom an experience is meant for, less those of them who were given it."""
        counts = self.counts
        for experience_id, audience_id in self._meant.items():
            meant = counts.profiles if audience_id is None else counts.audiences[audience_id].ever
            given = self._meant_and_given[experience_id]
            counts.experiences[experience_id].held_out = meant - given

    def _sample(self, visitor: Visitor) -> None:
        profile_hash = hash_of(visitor.profile.id)
        if profile_hash < self._sampled_below:
            self._hashes.append((profile_hash, encode_record(visitor.profile)))
            if len(self._hashes) >= 2 * MOST_SAMPLED:
                self._hashes.sort()
                del self._hashes[MOST_SAMPLED:]
                self._sampled_below = self._hashes[-1][0]


def hash_of(profile_id: str) -> int:
    """Return the number by which examples and samples are chosen, below 2^63."""
    return xxh3_64_intdigest(profile_id.encode()) >> 1


def add_counts(into: EnvironmentCounts, other: EnvironmentCounts) -> None:
    """Add the counts of one partition to those of others."""
    into.requests += other.requests
    into.events += other.events
    into.duplicates += other.duplicates
    into.profiles += other.profiles
    _add_lists(into.new, other.new)
    _add_lists(into.merged, other.merged)
    for audience_id, audience in other.audiences.items():
        mine = into.audiences[audience_id]
        _add_lists(mine.entries, audience.entries)
        _add_lists(mine.exits, audience.exits)
        _add_lists(mine.merged, audience.merged)
        mine.size += audience.size
        mine.ever += audience.ever
    for experience_id, experience in other.experiences.items():
        _add_lists(into.experiences[experience_id].variants, experience.variants)
        into.experiences[experience_id].held_out += experience.held_out
    for pair, count in other.pairs.items():
        into.pairs[pair] = into.pairs.get(pair, 0) + count
    into.sample = sorted([*into.sample, *other.sample])[:MOST_SAMPLED]


def copy_of(counts: EnvironmentCounts) -> EnvironmentCounts:
    """Return counts that can be added to without changing these."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(counts), type=EnvironmentCounts)


def _add_lists(into: list[int], other: Iterable[int]) -> None:
    into[:] = [one + two for one, two in zip(into, other, strict=True)]
