"""A whole simulation on one machine: read, divide, replay on all cores, merge; and go on again.

One process replays each request as soon as it is read. Where several do, or where it shall be
possible to go on after an interruption, all state lies in one folder: the spool, and the result of
every partition as soon as there is one. A run that was interrupted goes on with the partitions that
are missing.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import rmtree

import msgspec

from edgewise.errors import InputError
from edgewise.garbage import resting_collector
from edgewise.simulate.decisions import join_decisions
from edgewise.simulate.dividing import Dividing
from edgewise.simulate.extras import load_extra
from edgewise.simulate.files import size_of
from edgewise.simulate.merge import Simulation, merge
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, PartitionReplay, simulate_partition
from edgewise.simulate.result import Result
from edgewise.simulate.rules_input import RulesInput
from edgewise.simulate.scan import Input, Scanned, Scanner
from edgewise.simulate.spool import INDEX_NAME, SPOOL_NAME, PartitionRecords
from edgewise.simulate.visitors import MAX_OPEN_PROFILES
from edgewise.simulate.window import Window, make_window

EVENTS_PER_PARTITION = 100_000
MOST_PARTITIONS = 512

_CHECKPOINT = "checkpoint.msgpack"
_DECISIONS = "decisions"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulation is run; none of it changes the result.

    Args:
        workers: the number of processes; 1 reads and replays in this one, at the same time.
        max_open: how many profiles each process keeps in memory.
        state: the folder to go on from and to leave state in when interrupted; None keeps none.
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


class Checkpoint(msgspec.Struct, frozen=True):
    """What was divided how; `fingerprint` tells whether a run is the same one."""

    fingerprint: str
    scanned: Scanned
    partitions: list[PartitionRecords]


class Progress:
    """Is told how far a simulation is; this one keeps it to itself."""

    def scanning(self, lines: int) -> None:
        """So many lines were read so far."""

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

    Errors: InputError for inputs that cannot be read, or where state of another run is in the way.
    """
    progress = progress or Progress()
    with resting_collector(), _state_folder(options.state) as folder:
        if options.workers == 1 and options.state is None and not options.scheduler:
            scanned, partials = _replay_at_once(rules, against, source, folder, options, progress)
        else:
            fingerprint = _fingerprint(rules, against, source, options)
            checkpoint = _divide(folder, source, fingerprint, options, progress)
            jobs = list(make_jobs(rules, against, checkpoint, folder, options))
            scanned, partials = checkpoint.scanned, _replay_all(folder, jobs, options, progress)
        simulation = Simulation(
            rules=rules,
            against=against,
            scanned=scanned,
            window=window_of(scanned),
            show_ids=options.show_ids,
        )
        result = merge(simulation, partials)
        if options.decisions:
            join_decisions(folder / _DECISIONS, options.decisions)
    if options.state:
        rmtree(options.state)
    return result


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
    (folder / _DECISIONS).mkdir(exist_ok=True)
    return str(folder / _DECISIONS)


@contextmanager
def _state_folder(state: Path | None) -> Iterator[Path]:
    if state is None:
        with tempfile.TemporaryDirectory(prefix="edgewise-simulate-") as name:
            yield Path(name)
        return
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{state}: {error.strerror}") from error
    strangers = [path.name for path in state.iterdir() if not _is_ours(path.name)]
    if strangers:
        raise InputError(f"{state}: this folder holds other files; name one of its own")
    yield state


def _is_ours(name: str) -> bool:
    known = (_DECISIONS, SPOOL_NAME, INDEX_NAME)
    return name in known or name.startswith(("checkpoint.", "partition-"))


def _divide(
    folder: Path, source: Input, fingerprint: str, options: Options, progress: Progress
) -> Checkpoint:
    path = folder / _CHECKPOINT
    if path.exists():
        checkpoint = msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
        if checkpoint.fingerprint != fingerprint:
            raise InputError(
                f"{folder}: this is the state of a run with other inputs, rules or options;"
                " remove it, or name another folder"
            )
        return checkpoint
    with closing(Dividing(folder)) as dividing:
        scanned = Scanner(source, dividing.add, progress.scanning).run()
    count = max(1, min(MOST_PARTITIONS, -(-scanned.events // EVENTS_PER_PARTITION)))
    if scanned.events > EVENTS_PER_PARTITION // 10:
        count = max(count, options.workers)
    checkpoint = Checkpoint(fingerprint, scanned, dividing.partitions(count))
    _write_whole(path, msgspec.msgpack.encode(checkpoint))
    return checkpoint


def _fingerprint(
    rules: RulesInput, against: RulesInput | None, source: Input, options: Options
) -> str:
    """What must be the same for a run to go on; a file that grew is another input."""
    return repr(
        (
            rules.serial,
            against.serial if against else "",
            source,
            [size_of(path) for path in source.paths],
            bool(options.decisions),
        )
    )


def _replay_all(
    folder: Path, jobs: Sequence[PartitionJob], options: Options, progress: Progress
) -> list[PartialResult]:
    done, missing = [], []
    for job in jobs:
        path = _partial_path(folder, job)
        if path.exists():
            done.append(msgspec.msgpack.decode(path.read_bytes(), type=PartialResult))
        else:
            missing.append(job)
    total = sum(Path(job.records.offsets).stat().st_size // 8 for job in missing)
    progress.replaying(total)
    for job, partial in _replay(missing, options, progress.replayed):
        _write_whole(_partial_path(folder, job), msgspec.msgpack.encode(partial))
        done.append(partial)
    return done


def _replay(
    jobs: Sequence[PartitionJob], options: Options, progress: Callable[[int], None]
) -> Iterable[tuple[PartitionJob, PartialResult]]:
    if options.scheduler and jobs:
        cluster = load_extra("edgewise.simulate.cluster", "Replaying on a cluster", "dask")
        found: Iterable[tuple[PartitionJob, PartialResult]] = cluster.replay_on(
            options.scheduler, jobs, progress
        )
        return found
    if options.workers > 1 and len(jobs) > 1:
        return _in_processes(jobs, options.workers, progress)
    return _in_this_process(jobs, progress)


def _in_this_process(
    jobs: Iterable[PartitionJob], progress: Callable[[int], None]
) -> Iterator[tuple[PartitionJob, PartialResult]]:
    for job in jobs:
        yield job, simulate_partition(job, progress)


def _in_processes(
    jobs: Sequence[PartitionJob], workers: int, progress: Callable[[int], None]
) -> Iterator[tuple[PartitionJob, PartialResult]]:
    # A fresh interpreter each: threads that run here already would not survive a fork.
    context = multiprocessing.get_context("spawn")
    count = min(workers, len(jobs))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent) as pool:
        waiting = {pool.submit(simulate_partition, job): job for job in jobs}
        try:
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = waiting.pop(future)
                    partial = future.result()
                    progress(sum(counts.requests for counts in partial.after.values()))
                    yield job, partial
        finally:
            for future in waiting:
                future.cancel()


def _end_with_parent() -> None:
    """Let this worker end when whoever started it is killed, instead of waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _partial_path(folder: Path, job: PartitionJob) -> Path:
    return folder / f"partition-{job.number:05}.result"


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file that is either there completely or not at all."""
    temporary = path.with_suffix(".writing")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
