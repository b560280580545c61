"""One library at one size, in a process of its own: first the answers, then the times.

    python -m benchmarks.peers.worker NAME SIZE

prints one line of JSON. Nothing in this process may reach another machine: a connection that the
library tries to open ends it. Times are processor time of this thread, so that what else the
machine does counts for nobody; all libraries decide in the thread that asks.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from benchmarks.floor import make_floor
from benchmarks.peers.libraries import Library, library
from benchmarks.peers.machine import this_machine
from benchmarks.peers.results import Checked, Run
from benchmarks.peers.shapes import Pair, Prepared
from benchmarks.plain import NOW_MS, AudienceSpec, Visitor, Workload, experiment_of
from benchmarks.workloads import w
from edgewise.decide import decide
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset

REPEATS = 9
CHECKED_DECISIONS = 40_000
CHUNK_NS = 200_000_000
PASS_NS = 50_000_000

Adapter = Any
"""A module with `label`, `prepare` and `decide`."""


class WrongAnswerError(Exception):
    """A library answered other than the engine: its rules are said wrongly, so no time counts."""


def forbid_connections() -> None:
    """End the process with an error when Python code opens a connection or asks for a name."""

    def watch(event: str, args: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            raise RuntimeError(f"{event} in a benchmark that is to stay offline: {args[1:]}")

    sys.addaudithook(watch)


def run(one: Library, size: int) -> Run:
    """Return the times of a library on W(size).

    Errors: WrongAnswerError where an answer differs.
    """
    workload = w(size)
    ruleset = workload.load()
    floor = make_floor(ruleset)
    adapter = importlib.import_module(f"benchmarks.peers.bench_{one.name}")
    prepared: Prepared = adapter.prepare(workload.audiences, workload.visitors)
    checked = check(one, adapter, prepared, workload, ruleset)
    profiles, inputs = workload.profiles, prepared.inputs
    engine, ask = prepared.engine, adapter.decide
    # Like floor and library, without the list of audience ids that `decide` answers besides.
    find_members, variants = ruleset.evaluator.find_members, ruleset.selection.variants

    def of_floor(position: int) -> object:
        return floor(profiles[position], NOW_MS)

    def of_ours(position: int) -> object:
        profile = profiles[position]
        return variants(find_members(profile, NOW_MS), profile)

    def of_library(position: int) -> object:
        return ask(engine, inputs[position])

    chunk = chunk_size(of_library, len(profiles))
    times = interleaved((of_floor, of_ours, of_library), chunk, len(profiles))
    return Run(
        name=one.name,
        label=adapter.label,
        version=importlib.metadata.version(adapter.label),
        machine=this_machine(),
        size=size,
        checked=checked,
        visitors_per_repeat=chunk,
        floor_us=times[0],
        ours_us=times[1],
        library_us=times[2],
    )


def check(
    one: Library, adapter: Adapter, prepared: Prepared, workload: Workload, ruleset: Ruleset
) -> Checked:
    """Return what was compared.

    Errors: WrongAnswerError for another audience, another variant where the hash is the engine's,
    or a split that is not even: further than 4 sigma from one half.
    """
    count = min(len(prepared.inputs), max(20, CHECKED_DECISIONS // workload.size))
    pairs = ones = 0
    for position in range(count):
        answer = adapter.decide(prepared.engine, prepared.inputs[position])
        visitor = workload.visitors[position]
        compare(
            one,
            answer,
            our_pairs(workload.audiences, ruleset, workload.profiles[position]),
            visitor,
        )
        pairs += len(answer)
        ones += sum(index for _, index in answer)
    share_b = ones / pairs
    if abs(share_b - 0.5) > 4 * 0.5 / math.sqrt(pairs):
        raise WrongAnswerError(f"{one.label} gives variant 1 to {share_b:.3f} of {pairs}")
    return Checked(
        profiles=count, decisions=count * workload.size, pairs=pairs, share_b=round(share_b, 4)
    )


def our_pairs(audiences: Sequence[AudienceSpec], ruleset: Ruleset, profile: Profile) -> list[Pair]:
    """Return what the engine decides, by audience."""
    by_experience = {experiment_of(one.id)["id"]: one.id for one in audiences}
    decision = decide(ruleset, profile, NOW_MS)
    return [(by_experience[one.experience_id], one.variant_index) for one in decision.variants]


def compare(one: Library, answer: list[Pair], expected: list[Pair], visitor: Visitor) -> None:
    """Return nothing where an answer is right.

    Errors: WrongAnswerError, with the first of what differs.
    """
    given, wanted = dict(answer), dict(expected)
    different = sorted(given.keys() ^ wanted.keys())
    if not different and not one.splits:
        different = sorted(key for key in given if given[key] != wanted[key])
    if different or len(given) != len(answer):
        raise WrongAnswerError(
            f"{one.label} differs for {len(different)} audiences of visitor {visitor.id}, "
            f"first {different[:3]}"
        )


Timed = Callable[[int], object]


def chunk_size(call: Timed, most: int) -> int:
    """Return how many visitors one repeat of a slow library can bear; 5 at least."""
    call(0)
    started = time.thread_time_ns()
    for position in range(3):
        call(position)
    once = (time.thread_time_ns() - started) / 3
    return max(5, min(most // 3, int(CHUNK_NS / once)))


def interleaved(calls: Sequence[Timed], chunk: int, visitors: int) -> list[list[float]]:
    """Return microseconds by call and repeat; a repeat times each call on the same visitors."""
    times: list[list[float]] = [[] for _ in calls]
    gc.collect()
    gc.disable()
    for repeat in range(REPEATS):
        start = repeat * chunk
        positions = [(start + step) % visitors for step in range(chunk)]
        for call, into in zip(calls, times, strict=True):
            into.append(per_call_us(call, positions))
        gc.collect()
    gc.enable()
    return times


def per_call_us(call: Timed, positions: Sequence[int]) -> float:
    """Return microseconds per call over as many passes as it takes to find the caches warm.

    A slow library's repeat lasts long enough by itself. A quick one's would be over before the
    processor has forgotten what the one in front of it did.
    """
    passes, spent = 0, 0
    while spent < PASS_NS:
        started = time.thread_time_ns()
        for position in positions:
            call(position)
        spent += time.thread_time_ns() - started
        passes += 1
    return spent / passes / len(positions) / 1_000


def main() -> None:
    """Print one run as JSON."""
    forbid_connections()
    name, size = sys.argv[1], int(sys.argv[2])
    sys.stdout.buffer.write(msgspec.json.encode(run(library(name), size)) + b"\n")


if __name__ == "__main__":
    main()
