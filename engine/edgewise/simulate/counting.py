"""What happens in a replay → the counts of one environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.ruleset import Ruleset, ServedExperience
from edgewise.simulate.buckets import Bucket, Buckets
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
    """Adds up what one environment's visitors do; an observer of its replay.

    Whatever grows with the number of audiences is counted by the standard library's own loops.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._buckets = Buckets()
        self._profiles = 0
        self._sizes: Counter[str] = Counter()
        self._ever: Counter[str] = Counter()
        self._given: Counter[tuple[str, int]] = Counter()
        self._meant = {one.experience.id: one.audience_id for one in ruleset.experiences}
        self._meant_and_given: Counter[str] = Counter()
        self._positions = {one.id: place for place, one in enumerate(ruleset.audiences)}
        self._audience_sets: Counter[tuple[int, ...]] = Counter()
        self._hashes: list[tuple[int, bytes]] = []
        self._sampled_below = 1 << 63

    def appeared(self, time_ms: int) -> None:
        """Count a visitor who came for the first time."""
        self._buckets.at(time_ms).new += 1

    def changed(self, before: Sequence[str], after: Sequence[str], time_ms: int) -> None:
        """Count the audiences that a visitor entered and left."""
        bucket = self._buckets.at(time_ms)
        entries, exits = set(after).difference(before), set(before).difference(after)
        if entries:
            bucket.entries.update(entries)
        if exits:
            bucket.exits.update(exits)

    def merged(self, loser: Visitor, time_ms: int) -> None:
        """Count a visitor who turned out to be another one."""
        bucket = self._buckets.at(time_ms)
        bucket.gone += 1
        bucket.merged.update(loser.audiences)

    def finish(self, visitors: Sequence[Visitor]) -> None:
        """Count visitors as they are at the end."""
        self._profiles += len(visitors)
        self._sizes.update(chain.from_iterable([one.audiences for one in visitors]))
        self._ever.update(chain.from_iterable([one.ever for one in visitors]))
        self._given.update(chain.from_iterable([one.given.items() for one in visitors]))
        self._meant_and_given.update(chain.from_iterable(map(self._rightly_given, visitors)))
        places = self._positions.__getitem__
        self._audience_sets.update([tuple(map(places, one.audiences)) for one in visitors])
        for visitor in visitors:
            self._sample(visitor)

    def result(self, window: Window) -> EnvironmentCounts:
        """Return the counts, after every visitor was finished; those of requests are not here."""
        self._hashes.sort()
        buckets = list(self._buckets.of(window))
        return EnvironmentCounts(
            requests=0,
            events=0,
            duplicates=0,
            profiles=self._profiles,
            new=[bucket.new for bucket in buckets],
            merged=[bucket.gone for bucket in buckets],
            audiences={one: self._audience(one, buckets) for one in self._positions},
            experiences={
                one.experience.id: self._experience(one) for one in self._ruleset.experiences
            },
            pairs=pairs_of(self._audience_sets, len(self._positions)),
            sample=[SampledProfile(*one) for one in self._hashes[:MOST_SAMPLED]],
        )

    def _audience(self, audience_id: str, buckets: Iterable[Bucket]) -> AudienceCounts:
        return AudienceCounts(
            [bucket.entries[audience_id] for bucket in buckets],
            [bucket.exits[audience_id] for bucket in buckets],
            [bucket.merged[audience_id] for bucket in buckets],
            self._sizes[audience_id],
            self._ever[audience_id],
        )

    def _experience(self, served: ServedExperience) -> ExperienceCounts:
        experience_id, audience_id = served.experience.id, served.audience_id
        meant = self._profiles if audience_id is None else self._ever[audience_id]
        return ExperienceCounts(
            [self._given[experience_id, index] for index in range(len(served.selected))],
            # Whom it is meant for, less those of them who were given it.
            held_out=meant - self._meant_and_given[experience_id],
        )

    def _rightly_given(self, visitor: Visitor) -> list[str]:
        """The experiences that a visitor was given and that were meant for it once."""
        ever, meant = visitor.ever, self._meant
        return [one for one in visitor.given if meant[one] is None or meant[one] in ever]

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
