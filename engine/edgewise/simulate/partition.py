"""The replay of one partition: a pure function from its records and the rules to numbers.

Partitions know nothing of each other: visitors that a user id connects lie in one. So it does not
matter in which process, on which machine or in which order they are replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec

from edgewise.garbage import resting_collector
from edgewise.model.event import ReceivedEvent
from edgewise.simulate.comparing import Comparing
from edgewise.simulate.counting import Counting
from edgewise.simulate.decisions import DecisionWriter
from edgewise.simulate.partial import EnvironmentCounts, PartialResult
from edgewise.simulate.replay import Refusal, Replay
from edgewise.simulate.requests import (
    BrokenLine,
    Record,
    Request,
    broken_line,
    first_broken,
    received_of,
    update_of,
)
from edgewise.simulate.rounds import Rounds
from edgewise.simulate.rules_input import RulesInput, compile_rules
from edgewise.simulate.scan import REQUESTS_AT_ONCE
from edgewise.simulate.spool import PartitionRecords, read_records
from edgewise.simulate.visitors import MAX_OPEN_PROFILES, Visitor, Visitors
from edgewise.simulate.window import Window

_VISITORS_AT_ONCE = 512

_Received = tuple[Record, Sequence[ReceivedEvent]]


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
    Cost: 20 to 40 µs per event.
    """
    replay = PartitionReplay(job.number, job.rules, job.against, job.max_open, job.decisions)
    with resting_collector(), closing(replay):
        records = read_records(job.records)
        while some := list(islice(records, REQUESTS_AT_ONCE)):
            replay.apply([(record, update_of(record)) for record in some])
            if progress:
                progress(len(some))
        return replay.result(job.window)


class PartitionReplay:
    """The replay of the requests of one partition, in the order of the input; to be closed.

    Args:
        number, rules, against, max_open, decisions: as `PartitionJob` has them.
    """

    def __init__(
        self,
        number: int,
        rules: RulesInput,
        against: RulesInput | None,
        max_open: int = MAX_OPEN_PROFILES,
        decisions: str = "",
    ) -> None:
        self._number = number
        self._after = _Side(rules, max_open)
        self._before = _Side(against, max_open) if against else None
        self._writer = DecisionWriter(Path(decisions), f"{number:05}-") if decisions else None
        self._rounds = Rounds()
        self._broken = 0
        self._broken_lines: list[BrokenLine] = []

    def apply(self, requests: Sequence[Request]) -> None:
        """Replay some requests; many at a time cost less than each by itself."""
        broken: list[BrokenLine] = []
        for of_round in self._rounds.divide(requests):
            by_environment: dict[str, list[_Received]] = {}
            for record, update in of_round:
                received = (record, received_of(record, update))
                by_environment.setdefault(record.environment, []).append(received)
            for environment, mine in by_environment.items():
                broken += self._replay(environment, mine)
        self._broken += len(broken)
        self._broken_lines = first_broken([*self._broken_lines, *broken])
        for side in (self._after, self._before):
            if side:
                side.visitors.spill()

    def result(self, window: Window) -> PartialResult:
        """Return what was found, after the last request.

        Args:
            window: the stretch of time of the whole simulation.
        """
        if self._writer:
            self._writer.close()
        after, before, comparing = self._after, self._before, Comparing()
        for environment, visitor in after.finished(window.last_ms):
            if before is None:
                continue
            other = before.visitors.visitor(visitor.profile.id)
            if other is not None:
                before.finish([other], window.last_ms)
                comparing.compare(environment, other, visitor)
            before.visitors.spill()
        return PartialResult(
            partition=self._number,
            after=after.results(window),
            before=before.results(window) if before else {},
            differences=comparing.differences,
            broken=self._broken,
            broken_lines=self._broken_lines,
        )

    def _replay(self, environment: str, requests: Sequence[_Received]) -> list[BrokenLine]:
        """Replay requests of one environment and one round; return those that could not be."""
        found = self._after.replays[environment].apply(requests)
        if self._before and environment in self._before.replays:
            # Also what was refused: it has been refused here, too, at the same point.
            self._before.replays[environment].apply(requests)
        broken = []
        for (record, _), visitor in zip(requests, found, strict=True):
            if isinstance(visitor, Refusal):
                broken.append(broken_line(record.source, record.line, visitor.message))
            elif self._writer:
                self._writer.add(record, visitor)
        return broken

    def close(self) -> None:
        """Remove what was spilled."""
        self._after.visitors.close()
        if self._before:
            self._before.visitors.close()


class _Side:
    """The replay of all environments under one set of rules."""

    def __init__(self, rules: RulesInput, max_open: int) -> None:
        self.visitors = Visitors(max_open)
        self.counting: dict[str, Counting] = {}
        self.replays: dict[str, Replay] = {}
        for environment, ruleset in compile_rules(rules).items():
            counting = self.counting[environment] = Counting(ruleset)
            self.replays[environment] = Replay(ruleset, self.visitors, counting)

    def finished(self, last_ms: int) -> Iterator[tuple[str, Visitor]]:
        """Every living visitor as it is at the end, with its environment."""
        visitors = self.visitors.all_visitors()
        while some := list(islice(visitors, _VISITORS_AT_ONCE)):
            yield from zip(self.finish(some, last_ms), some, strict=True)

    def finish(self, visitors: Sequence[Visitor], last_ms: int) -> list[str]:
        """Count visitors as they are at the end; return their environments."""
        environments = [f"{one.profile.organization}/{one.profile.environment}" for one in visitors]
        for environment, visitor in zip(environments, visitors, strict=True):
            self.replays[environment].finish(visitor, last_ms)
        for environment, counting in self.counting.items():
            counting.finish(
                [
                    visitor
                    for other, visitor in zip(environments, visitors, strict=True)
                    if other == environment
                ]
            )
        return environments

    def results(self, window: Window) -> dict[str, EnvironmentCounts]:
        results = {}
        for environment, replay in self.replays.items():
            counts = results[environment] = self.counting[environment].result(window)
            counts.requests, counts.events = replay.requests, replay.events
            counts.duplicates = replay.duplicates
        return results
