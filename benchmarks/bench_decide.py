"""What one decision over all audiences costs, next to the inline floor.

python -m benchmarks.bench_decide W 1000         prints JSON; W, W_low or W_wide
"""

from __future__ import annotations

import sys

import msgspec

from benchmarks import workloads
from benchmarks.floor import Floor, Pair, make_floor
from benchmarks.plain import NOW_MS, Workload
from benchmarks.timing import memory_mb, paired_ratio, percentile_us, take_turns
from edgewise.decide import decide
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset

MAKERS = {"W": workloads.w, "W_low": workloads.w_low, "W_wide": workloads.w_wide}
# A turn should take some milliseconds, and see many different visitors.
AUDIENCES_PER_TURN = 300_000
FEWEST_VISITORS = 100


class MeasuredDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One workload: microseconds per decision, and how they compare with the floor's.

    Args:
        ratio: the median over the repeats of (engine / floor).
        find_us: the part of a decision that finds the audiences.
        matches: how many audiences match on average.
        memory_mb: of the process, the floor and the visitors included.
    """

    workload: str
    size: int
    ratio: float
    ratios: list[float]
    decide_us: float
    p99_us: float
    find_us: float
    floor_us: float
    matches: float
    memory_mb: float


def pairs(ruleset: Ruleset, profile: Profile) -> list[Pair]:
    """Return what the engine decides in the floor's form."""
    variants = decide(ruleset, profile, NOW_MS).variants
    return [(one.experience_id, one.variant_index) for one in variants]


def check_answers(ruleset: Ruleset, floor: Floor, workload: Workload) -> None:
    """Raise AssertionError unless engine and floor decide alike about every visitor."""
    for profile in workload.profiles:
        ours, theirs = pairs(ruleset, profile), floor(profile, NOW_MS)
        if ours != theirs:
            raise AssertionError(
                f"{workload.name}: {profile.id} gets {ours}, by the floor {theirs}"
            )


def measure(workload: Workload) -> MeasuredDecision:
    """Return what decisions of a workload cost; the answers are compared first."""
    ruleset = workload.load()
    floor = make_floor(ruleset)
    check_answers(ruleset, floor, workload)
    wanted = max(FEWEST_VISITORS, AUDIENCES_PER_TURN // workload.size)
    profiles = (workload.profiles * (1 + wanted // len(workload.profiles)))[:wanted]
    find = ruleset.evaluator.find_members
    floor_us, decide_us, find_us = take_turns(
        [
            lambda profile: floor(profile, NOW_MS),
            lambda profile: decide(ruleset, profile, NOW_MS),
            lambda profile: find(profile, NOW_MS),
        ],
        profiles,
    )
    found = [len(pairs(ruleset, profile)) for profile in workload.profiles]
    return MeasuredDecision(
        workload=workload.name,
        size=workload.size,
        ratio=paired_ratio(decide_us, floor_us),
        ratios=[ours / other for ours, other in zip(decide_us, floor_us, strict=True)],
        decide_us=min(decide_us),
        p99_us=percentile_us(lambda profile: decide(ruleset, profile, NOW_MS), profiles, 0.99),
        find_us=min(find_us),
        floor_us=min(floor_us),
        matches=sum(found) / len(found),
        memory_mb=memory_mb(),
    )


def main() -> None:
    """Measure the workload that the command line names."""
    name, size = sys.argv[1], int(sys.argv[2])
    print(msgspec.json.encode(measure(MAKERS[name](size))).decode())


if __name__ == "__main__":
    main()
