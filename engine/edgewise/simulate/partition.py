"""The replay of one partition: a pure function from its records and the rules to numbers.

Partitions know nothing of each other: visitors that a user id connects lie in one. So it does not
matter in which process, on which machine or in which order they are replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from edgewise.decoding import Update, decode_checked
from edgewise.errors import NamespaceMismatch
from edgewise.garbage import resting_collector
from edgewise.receiving import receive
from edgewise.simulate.comparing import Comparing
from edgewise.simulate.counting import Counting
from edgewise.simulate.decisions import DecisionWriter
from edgewise.simulate.partial import EnvironmentCounts, PartialResult
from edgewise.simulate.replay import Replay
from edgewise.simulate.requests import BrokenLine, Record
from edgewise.simulate.rules_input import RulesInput, compile_rules
from edgewise.simulate.spool import PartitionRecords, read_records
from edgewise.simulate.visitors import MAX_OPEN_PROFILES, Visitor, Visitors
from edgewise.simulate.window import Window

_MOST_BROKEN_KEPT = 20
_REPORTED_EVERY = 1_024


class PartitionJob(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the replay of one partition needs; it pickles.

    Args:
        rules: what is asked about.
        against: what it is compared with, if anything.
        window: the stretch of time of the whole simulation; decisions at the end are as of its
            last arrival.
        max_open: how many profiles are kept in memory.
        decisions: the folder that every decision is written to, if they are asked for.
    """

    number: int
    rules: RulesInput
    against: RulesInput | None
    window: Window
    records: PartitionRecords
    max_open: int = MAX_OPEN_PROFILES
    decisions: str = ""


def simulate_partition(
    job: PartitionJob, progress: Callable[[int], None] | None = None
) -> PartialResult:
    """Return what the replay of one partition found.

    Args:
        progress: is told the number of requests since it was last told, now and then.
    Cost: 15 to 25 µs per event.
    """
    with resting_collector():
        return _simulate(job, progress)


def _simulate(job: PartitionJob, progress: Callable[[int], None] | None) -> PartialResult:
    after = _Side(job.rules, job)
    before = _Side(job.against, job) if job.against else None
    writer = None
    if job.decisions:
        writer = DecisionWriter(Path(job.decisions), f"{job.number:05}-")
    broken = _Broken()
    try:
        for number, record in enumerate(read_records(job.records), 1):
            visitor = _replay(record, after, before, broken)
            if writer and visitor:
                writer.add(record, visitor)
            if progress and number % _REPORTED_EVERY == 0:
                progress(_REPORTED_EVERY)
        if writer:
            writer.close()
        return _result(job, after, before, broken)
    finally:
        after.visitors.close()
        if before:
            before.visitors.close()


def update_of(record: Record) -> Update:
    """Return the events of a record, which were checked when it was read."""
    return Update([decode_checked(raw) for raw in record.events], record.events)


class _Broken:
    """Lines that turn out to be broken during the replay: a count, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[BrokenLine] = []

    def add(self, record: Record, reason: str) -> None:
        self.count += 1
        if len(self.first) < _MOST_BROKEN_KEPT:
            self.first.append(BrokenLine(record.source, record.line, reason))


class _Side:
    """The replay of all environments under one set of rules."""

    def __init__(self, rules: RulesInput, job: PartitionJob) -> None:
        self.visitors = Visitors(job.max_open)
        self.counting: dict[str, Counting] = {}
        self.replays: dict[str, Replay] = {}
        self._last_ms = job.window.last_ms
        for environment, ruleset in compile_rules(rules).items():
            counting = self.counting[environment] = Counting(ruleset, job.window)
            self.replays[environment] = Replay(ruleset, self.visitors, counting)

    def apply(self, record: Record, update: Update) -> Visitor:
        name, arrival_ms = record.name, record.arrival_ms
        replay = self.replays[record.environment]
        visitor = replay.apply(name, receive(update, name, arrival_ms), arrival_ms)
        replay.requests += 1
        replay.events += len(record.events)
        self.visitors.spill()
        return visitor

    def finished(self) -> Iterator[tuple[str, Visitor]]:
        """Every living visitor as it is at the end, with its environment."""
        for visitor in self.visitors.all_visitors():
            yield self.finish(visitor), visitor

    def finish(self, visitor: Visitor) -> str:
        profile = visitor.profile
        environment = f"{profile.organization}/{profile.environment}"
        self.replays[environment].advance(visitor, self._last_ms)
        self.counting[environment].finish(visitor)
        return environment

    def results(self) -> dict[str, EnvironmentCounts]:
        results = {}
        for environment, replay in self.replays.items():
            counts = results[environment] = self.counting[environment].result()
            counts.requests, counts.events = replay.requests, replay.events
            counts.duplicates = replay.duplicates
        return results


def _replay(record: Record, after: _Side, before: _Side | None, broken: _Broken) -> Visitor | None:
    update = update_of(record)
    try:
        visitor = after.apply(record, update)
        if before and record.environment in before.replays:
            before.apply(record, update)
    except NamespaceMismatch as error:
        broken.add(record, error.message)
        return None
    return visitor


def _result(
    job: PartitionJob, after: _Side, before: _Side | None, broken: _Broken
) -> PartialResult:
    comparing = Comparing()
    for environment, visitor in after.finished():
        if before is None:
            continue
        other = before.visitors.visitor(visitor.profile.id)
        if other is not None:
            before.finish(other)
            comparing.compare(environment, other, visitor)
        before.visitors.spill()
    return PartialResult(
        partition=job.number,
        after=after.results(),
        before=before.results() if before else {},
        differences=comparing.differences,
        broken=broken.count,
        broken_lines=broken.first,
    )
