"""What allocating one visitor to one experience costs, and one more audience in a decision.

python -m benchmarks.bench_allocate              prints JSON
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from benchmarks.plain import NOW_MS, Workload, hex_id
from benchmarks.timing import take_turns
from benchmarks.workloads import w, w_low
from edgewise.allocation import Picker, allocate, make_allocation, make_picker
from edgewise.decide import decide
from edgewise.hashing import MURMUR3, XXH3
from edgewise.model.experience import Experience
from edgewise.model.profiles import Profile

VISITORS = 20_000
SHARES = {"two-way": (1.0, (0.5, 0.5)), "partial": (0.5, (0.2, 0.3, 0.5))}


class MeasuredAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of experience: microseconds per visitor, alone and as decisions do it."""

    mode: str
    shares: str
    allocate_us: float
    pick_us: float


class MeasuredMargins(msgspec.Struct, frozen=True, kw_only=True):
    """What one more audience costs a decision.

    Args:
        matching_us: one with an xxh3 experiment that matches.
        other_ns: one that does not match, in nanoseconds.
    """

    allocations: list[MeasuredAllocation]
    matching_us: float
    other_ns: float


def allocation_cost(mode: str, shares: str) -> MeasuredAllocation:
    """Return what one kind of experience costs."""
    traffic, distribution = SHARES[shares]
    allocation = make_allocation(
        Experience(
            id="homepage-hero",
            kind="nt_experiment",
            audience_id=None,
            traffic_allocation=traffic,
            distribution=distribution,
            components=(),
            allocation=mode,
        )
    )
    pick: Picker[int] = make_picker(allocation, range(len(distribution)))
    chance = random.Random(1)
    ids = [hex_id(chance) for _ in range(VISITORS)]
    alone, picked = take_turns(
        [lambda one: allocate(allocation, one), lambda one: _pick(pick, one)], ids
    )
    return MeasuredAllocation(mode=mode, shares=shares, allocate_us=min(alone), pick_us=min(picked))


def _pick(pick: Picker[int], stable_id: str) -> int | None:
    key = stable_id.encode()
    return pick(key, key)


def decisions(workload: Workload) -> tuple[Callable[[Profile], object], float]:
    """Return a function that decides about a profile, and how many audiences match on average."""
    ruleset = workload.load()
    found = [len(decide(ruleset, one, NOW_MS).audiences) for one in workload.profiles]
    return lambda profile: decide(ruleset, profile, NOW_MS), sum(found) / len(found)


def margins() -> tuple[float, float]:
    """Return microseconds per matching and nanoseconds per other audience: three workloads over
    the same twelve traits, of which two differ in what matches and two in how many there are."""
    visitors = w_low(1000).profiles
    cases = [decisions(w_low(1000)), decisions(w(1000)), decisions(w_low(5000))]
    low_us, high_us, large_us = map(min, take_turns([one for one, _ in cases], visitors))
    low, high, large = (matches for _, matches in cases)
    matching_us = (high_us - low_us) / (high - low)
    rest_us = large_us - low_us - matching_us * (large - low)
    return matching_us, 1000 * rest_us / (4000 - (large - low))


def main() -> None:
    """Measure every kind of experience, then the margins."""
    found = [allocation_cost(mode, shares) for mode in (XXH3, MURMUR3) for shares in SHARES]
    matching_us, other_ns = margins()
    result = MeasuredMargins(allocations=found, matching_us=matching_us, other_ns=other_ns)
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
