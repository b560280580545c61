"""Which visitors take part in an experience, and which variant each of them gets.

Both modes come down to comparing a hash, an integer from 0 to 2^32 - 1, with integer bounds that
are found once per experience. The bounds say exactly what the modes' formulas over fractions say:

    mode      bucket of a hash      in traffic                    variant
    murmur3   hash / (2^32 - 1)     bucket <  traffic_allocation  first with start <= bucket <= end
    xxh3      hash / 2^32           bucket <  traffic_allocation  the one with start <= bucket < end

Start and end of a range are sums of the shares from the left, in double precision. A bucket that
lies in no range is the baseline.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

import mmh3
import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.hashing import (
    HASH_COUNT,
    MURMUR3,
    low_bytes,
    murmur3_32,
    xxh3_halves,
    xxh3_seed,
)
from edgewise.model.experience import Experience

T = TypeVar("T")
_LOW_HALF = HASH_COUNT - 1
# (stable_id in UTF-8, its low bytes) → what the visitor gets, or None outside the traffic.
Picker = Callable[[bytes, bytes], T | None]


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """An experience's shares as bounds of hashes.

    Args:
        mode: "murmur3" or "xxh3".
        traffic_bound: in the traffic are the hashes below it; 0 is nobody.
        variant_bounds: ascending; variant i owns the hashes from bound i - 1 (or 0), included, to
            bound i, excluded. Hashes from the last bound on are the baseline.
        traffic_prefix, distribution_prefix: what murmur3 hashes in front of the stable_id.
        seed: the seed of xxh3.
        traffic_allocation, ranges: the shares behind the bounds, for explanations.
    """

    mode: str
    traffic_bound: int
    variant_bounds: tuple[int, ...]
    traffic_prefix: str
    distribution_prefix: str
    seed: int
    traffic_allocation: float
    ranges: tuple[tuple[float, float], ...]


class AllocationExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Where one visitor lies in an experience's traffic and distribution.

    Units: buckets are from 0 to 1; in murmur3 both ends can occur, in xxh3 1 cannot. `ranges` are
    (start, end) per variant index; murmur3 owns both ends and the first range wins, xxh3 owns the
    start only. `variant_index` is None outside the traffic.
    """

    mode: str
    traffic_bucket: float
    traffic_allocation: float
    in_traffic: bool
    distribution_bucket: float
    ranges: tuple[tuple[float, float], ...]
    variant_index: int | None


def make_allocation(experience: Experience) -> Allocation:
    """Return the allocation of an experience."""
    ends = tuple(accumulate(experience.distribution))
    of_murmur3 = experience.allocation == MURMUR3
    traffic = experience.traffic_allocation
    return Allocation(
        mode=experience.allocation,
        traffic_bound=_murmur3_below(traffic) if of_murmur3 else _xxh3_below(traffic),
        variant_bounds=tuple(
            _murmur3_up_to(end) if of_murmur3 else _xxh3_below(end) for end in ends
        ),
        traffic_prefix=f"traffic-{experience.id}-",
        distribution_prefix=f"distribution-{experience.id}-",
        seed=xxh3_seed(experience.id),
        traffic_allocation=traffic,
        ranges=tuple(zip((0.0, *ends), ends, strict=False)),
    )


def allocate(allocation: Allocation, stable_id: str) -> int | None:
    """Return the variant index of a visitor, or None for one outside the traffic.

    Cost: 0.3 us with xxh3, 0.5 us with murmur3 (two hashes, of longer texts).
    """
    traffic_hash, distribution_hash = _hashes(allocation, stable_id)
    if traffic_hash >= allocation.traffic_bound:
        return None
    index = bisect_right(allocation.variant_bounds, distribution_hash)
    return index if index < len(allocation.variant_bounds) else 0


def two_way_bound(allocation: Allocation) -> int | None:
    """Return the bound of the low half of the xxh3 hash below which a visitor gets variant 0 and
    from which on 1; None where an allocation asks for more than that."""
    everyone = allocation.mode != MURMUR3 and allocation.traffic_bound == HASH_COUNT
    if everyone and allocation.variant_bounds[1:] == (HASH_COUNT,):
        return allocation.variant_bounds[0]
    return None


def make_picker(allocation: Allocation, choices: Sequence[T]) -> Picker[T]:
    """Return a function that allocates a visitor and picks its choice: `allocate` in one step.

    Args:
        choices: one per variant index.

    Cost: 0.15 us with xxh3, 0.3 us with murmur3.
    """
    bounds = allocation.variant_bounds
    # Position i is what the hashes between bound i - 1 and bound i get; the rest is the baseline.
    by_range = (*choices[: len(bounds)], choices[0])
    if allocation.mode == MURMUR3:
        return _murmur3_picker(allocation, bounds, by_range)
    seed, traffic_bound = allocation.seed, allocation.traffic_bound << 32

    def pick(utf8: bytes, low: bytes) -> T | None:
        hash_ = xxh3_64_intdigest(utf8, seed)
        return by_range[bisect_right(bounds, hash_ & _LOW_HALF)] if hash_ < traffic_bound else None

    return pick


def _murmur3_picker(
    allocation: Allocation, bounds: tuple[int, ...], by_range: tuple[T, ...]
) -> Picker[T]:
    traffic_prefix = low_bytes(allocation.traffic_prefix)
    distribution_prefix = low_bytes(allocation.distribution_prefix)
    traffic_bound = allocation.traffic_bound
    hash_of = mmh3.hash

    def pick(utf8: bytes, low: bytes) -> T | None:
        if hash_of(traffic_prefix + low, 0, False) >= traffic_bound:
            return None
        return by_range[bisect_right(bounds, hash_of(distribution_prefix + low, 0, False))]

    return pick


def explain_allocation(allocation: Allocation, stable_id: str) -> AllocationExplanation:
    """Return what `allocate` returns for a visitor, with the numbers that led to it."""
    traffic_hash, distribution_hash = _hashes(allocation, stable_id)
    divisor = HASH_COUNT - 1 if allocation.mode == MURMUR3 else HASH_COUNT
    variant_index = allocate(allocation, stable_id)
    return AllocationExplanation(
        mode=allocation.mode,
        traffic_bucket=traffic_hash / divisor,
        traffic_allocation=allocation.traffic_allocation,
        in_traffic=variant_index is not None,
        distribution_bucket=distribution_hash / divisor,
        ranges=allocation.ranges,
        variant_index=variant_index,
    )


def _hashes(allocation: Allocation, stable_id: str) -> tuple[int, int]:
    if allocation.mode == MURMUR3:
        return (
            murmur3_32(allocation.traffic_prefix + stable_id),
            murmur3_32(allocation.distribution_prefix + stable_id),
        )
    return xxh3_halves(stable_id.encode("utf-8", "surrogatepass"), allocation.seed)


def _murmur3_unit(hash_: int) -> float:
    return hash_ / (HASH_COUNT - 1)


def _murmur3_below(share: float) -> int:
    """Return how many hashes have a bucket below the share, by the clients' own division."""
    return bisect_left(range(HASH_COUNT), share, key=_murmur3_unit)


def _murmur3_up_to(end: float) -> int:
    """Return how many hashes have a bucket up to and including the end of a range."""
    return bisect_right(range(HASH_COUNT), end, key=_murmur3_unit)


def _xxh3_below(share: float) -> int:
    """Return how many hashes have a bucket below the share; scaling by 2^32 is exact."""
    return min(math.ceil(share * HASH_COUNT), HASH_COUNT)
