"""What an event costs that rules count: matched, folded into a profile, and decided.

    python -m benchmarks.bench_fold                  prints JSON

Rulesets of different sizes take turns. Each event satisfies the same number of matchers, and each
profile has the same number of tallies, so the cost should hardly grow with the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from benchmarks.plain import NOW_MS, Workload
from benchmarks.timing import paired_ratio, take_turns
from benchmarks.workloads import w_event
from edgewise.decide import decide
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset
from edgewise.standing import fold_and_decide

SIZES = (100, 1000, 5000)
REPEATS = 15


class MeasuredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One size: microseconds per event, and how they compare with those of the first size."""

    size: int
    ratio: float
    event_us: float
    match_us: float
    decide_us: float


class Turn:
    """One ruleset, its events and its profiles, new ones each time since folding changes them."""

    def __init__(self, workload: Workload) -> None:
        self.ruleset: Ruleset = workload.load()
        self.events = workload.events
        self._encoded = [msgspec.msgpack.encode(profile) for profile in workload.profiles]

    def fresh(self) -> list[Profile]:
        """Return the profiles as they were."""
        return [msgspec.msgpack.decode(profile, type=Profile) for profile in self._encoded]

    def time_events(self) -> float:
        """Return the microseconds to fold an event and decide."""
        profiles = self.fresh()

        def run(position: int) -> None:
            event = self.events[position]
            fold_and_decide(self.ruleset, profiles[position], [event], NOW_MS)

        return _once(run, range(len(profiles)))

    def time_matching(self) -> float:
        """Return the microseconds to find the matchers that an event satisfies."""
        match_event = self.ruleset.evaluator.match_event
        return _once(
            lambda position: match_event(self.events[position].event), range(len(self.events))
        )

    def time_deciding(self) -> float:
        """Return the microseconds to decide about a profile with tallies."""
        profiles = self.fresh()
        return _once(
            lambda position: decide(self.ruleset, profiles[position], NOW_MS), range(len(profiles))
        )


def _once(function: Callable[[int], object], positions: Sequence[int]) -> float:
    """One counted turn, without the turn before it: it would change what the second one sees."""
    ((time_us,),) = take_turns([function], positions, repeats=1, warm_up=0)
    return time_us


def measure(sizes: Sequence[int] = SIZES, repeats: int = REPEATS) -> list[MeasuredEvent]:
    """Return what events cost under rulesets of some sizes."""
    turns = [Turn(w_event(size)) for size in sizes]
    events: list[list[float]] = [[] for _ in turns]
    matching: list[list[float]] = [[] for _ in turns]
    deciding: list[list[float]] = [[] for _ in turns]
    for repeat in range(repeats + 1):
        for turn, *found in zip(turns, events, matching, deciding, strict=True):
            times = (turn.time_events(), turn.time_matching(), turn.time_deciding())
            if repeat:
                for into, time_us in zip(found, times, strict=True):
                    into.append(time_us)
    return [
        MeasuredEvent(
            size=size,
            ratio=paired_ratio(event_us, events[0]),
            event_us=median(event_us),
            match_us=median(match_us),
            decide_us=median(decide_us),
        )
        for size, event_us, match_us, decide_us in zip(
            sizes, events, matching, deciding, strict=True
        )
    ]


def main() -> None:
    """Measure every size."""
    print(msgspec.json.encode(measure()).decode())


if __name__ == "__main__":
    main()
