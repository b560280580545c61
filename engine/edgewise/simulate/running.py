"""A whole simulation on one machine: read, divide, replay on all cores, merge; and go on again.

One process replays each request as soon as it is read. Where several do, or where it shall be
possible to go on after an interruption, all state lies in one folder: the spool, and the result of
every partition as soon as there is one. A run that was interrupted goes on with the partitions that
are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType

import msgspec

from edgewise.garbage import resting_collector
from edgewise.simulate.decisions import join_decisions
from edgewise.simulate.dividing import Dividing
from edgewise.simulate.extras import load_extra
from edgewise.simulate.merge import Simulation, merge
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, PartitionReplay, simulate_partition
from edgewise.simulate.processes import replay_in_processes
from edgewise.simulate.requests import first_broken
from edgewise.simulate.result import Result
from edgewise.simulate.rules_input import RulesInput
from edgewise.simulate.scan import Input, Scanned, Scanner, broken_line_error
from edgewise.simulate.spool import count_records
from edgewise.simulate.state import (
    DECISIONS_NAME,
    Checkpoint,
    fingerprint_of,
    forget_partitions,
    full_disk_told,
    load_checkpoint,
    load_partial,
    save_checkpoint,
    save_partial,
    state_folder,
)
from edgewise.simulate.visitors import MAX_OPEN_PROFILES
from edgewise.simulate.window import Window, make_window

EVENTS_PER_PARTITION = 100_000
MOST_PARTITIONS = 512


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulation is run; none of it changes the result.

    Args:
        workers: the number of processes; 1 reads and replays in this one, at the same time.
        max_open: how many profiles each process keeps in memory.
        state: the folder to go on from and to leave state in; None keeps none. Whoever has put the
            result into safety removes it with `remove_state`.
        decisions: the Parquet file that every decision is written to; None writes none.
        scheduler: the address of a Dask cluster's scheduler, whose workers replay instead of
            processes here. They write no decisions.
    """

    workers: int = 1
    max_open: int = MAX_OPEN_PROFILES
    state: Path | None = None
    decisions: Path | None = None
    show_ids: bool = False
    scheduler: str = ""


class Progress:
    """Is told how far a simulation is; this one keeps it to itself."""

    def scanning(self, lines: int, share: float | None) -> None:
        """So many lines were read so far, which are this share of all, 0..1, if that is known."""

    def replaying(self, total: int) -> None:
        """The replay of so many requests begins."""

    def replayed(self, requests: int) -> None:
        """So many more requests were replayed."""


def simulate(
    rules: RulesInput,
    against: RulesInput | None,
    source: Input,
    options: Options,
    progress: Progress | None = None,
) -> Result:
    """Return what rules do to recorded events.

    Errors: InputError for inputs that cannot be read, for a broken line where that is asked for,
        where state of another run is in the way, or where the disk is full.
    """
    progress = progress or Progress()
    if options.scheduler:
        _cluster().check_address(options.scheduler)
    if options.decisions:
        load_extra("edgewise.simulate.parquet", "Writing Parquet")
    with resting_collector(), state_folder(options.state) as folder, full_disk_told(folder):
        if options.workers == 1 and options.state is None and not options.scheduler:
            scanned, partials = _replay_at_once(rules, against, source, folder, options, progress)
        else:
            fingerprint = ""
            if options.state is not None:
                decisions = options.decisions is not None
                fingerprint = fingerprint_of(rules, against, source, decisions=decisions)
            checkpoint = _divide(folder, source, fingerprint, options, progress)
            jobs = list(make_jobs(rules, against, checkpoint, folder, options))
            scanned, partials = checkpoint.scanned, _replay_all(folder, jobs, options, progress)
        if source.strict:
            _refuse_broken(scanned, partials)
        simulation = Simulation(
            rules=rules,
            against=against,
            scanned=scanned,
            window=window_of(scanned),
            show_ids=options.show_ids,
        )
        result = merge(simulation, partials)
        if options.decisions:
            join_decisions(folder / DECISIONS_NAME, options.decisions)
    return result


def _refuse_broken(scanned: Scanned, partials: Iterable[PartialResult]) -> None:
    """Let the first line be an error that was found to be broken only in the replay."""
    broken = first_broken(one for partial in partials for one in partial.broken_lines)
    if broken:
        raise broken_line_error(scanned, broken[0])


def window_of(scanned: Scanned) -> Window:
    """Return the stretch of time that some inputs cover."""
    return make_window(scanned.first_ms, scanned.last_ms) if scanned.requests else Window()


def make_jobs(
    rules: RulesInput,
    against: RulesInput | None,
    checkpoint: Checkpoint,
    folder: Path,
    options: Options,
) -> Iterator[PartitionJob]:
    """Iterate over the jobs of all partitions."""
    decisions = _decisions_folder(folder, options)
    for number, records in enumerate(checkpoint.partitions):
        yield PartitionJob(
            number=number,
            rules=rules,
            against=against,
            window=window_of(checkpoint.scanned),
            records=records,
            max_open=options.max_open,
            decisions=decisions,
        )


def _replay_at_once(
    rules: RulesInput,
    against: RulesInput | None,
    source: Input,
    folder: Path,
    options: Options,
    progress: Progress,
) -> tuple[Scanned, list[PartialResult]]:
    """Replay each request when it is read, all in one partition."""
    decisions = _decisions_folder(folder, options)
    with closing(PartitionReplay(0, rules, against, options.max_open, decisions)) as replay:
        scanned = Scanner(source, replay.apply, progress.scanning).run()
        return scanned, [replay.result(window_of(scanned))]


def _decisions_folder(folder: Path, options: Options) -> str:
    """The folder that partitions write their decisions to; empty where nobody asks for them."""
    if not options.decisions:
        return ""
    (folder / DECISIONS_NAME).mkdir(exist_ok=True)
    return str(folder / DECISIONS_NAME)


def _divide(
    folder: Path, source: Input, fingerprint: str, options: Options, progress: Progress
) -> Checkpoint:
    found = load_checkpoint(folder, fingerprint)
    if found is not None:
        return found
    forget_partitions(folder)
    with closing(Dividing(folder)) as dividing:
        scanned = Scanner(source, dividing.add, progress.scanning).run()
    count = max(1, min(MOST_PARTITIONS, -(-scanned.events // EVENTS_PER_PARTITION)))
    if scanned.events > EVENTS_PER_PARTITION // 10:
        count = max(count, options.workers)
    partitions = dividing.partitions(count)
    if options.state is None:
        return Checkpoint(fingerprint, scanned, partitions, {})
    return save_checkpoint(folder, fingerprint, scanned, partitions)


def _replay_all(
    folder: Path, jobs: Sequence[PartitionJob], options: Options, progress: Progress
) -> list[PartialResult]:
    done, missing = [], []
    for job in jobs:
        partial = load_partial(folder, job.number)
        if partial is None:
            missing.append(job)
        else:
            done.append(partial)
    progress.replaying(sum(count_records(job.records) for job in missing))
    for job, partial in _replay(missing, options, progress.replayed):
        if options.state is not None:
            save_partial(folder, job.number, partial)
        done.append(partial)
    return done


def _replay(
    jobs: Sequence[PartitionJob], options: Options, progress: Callable[[int], None]
) -> Iterable[tuple[PartitionJob, PartialResult]]:
    if options.scheduler and jobs:
        found: Iterable[tuple[PartitionJob, PartialResult]] = _cluster().replay_on(
            options.scheduler, jobs, progress
        )
        return found
    if options.workers > 1 and len(jobs) > 1:
        return replay_in_processes(jobs, options.workers, progress)
    return _in_this_process(jobs, progress)


def _cluster() -> ModuleType:
    return load_extra("edgewise.simulate.cluster", "Replaying on a cluster", "dask")


def _in_this_process(
    jobs: Iterable[PartitionJob], progress: Callable[[int], None]
) -> Iterator[tuple[PartitionJob, PartialResult]]:
    for job in jobs:
        yield job, simulate_partition(job, progress)
