"""Partitions replayed by processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from edgewise.errors import InputError
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, simulate_partition


def replay_in_processes(
    jobs: Sequence[PartitionJob], workers: int, progress: Callable[[int], None]
) -> Iterator[tuple[PartitionJob, PartialResult]]:
    """Iterate over jobs and what their replay found, in the order they finish.

    Errors: InputError where a process was ended from outside.
    """
    # A fresh interpreter each: threads that run here already would not survive a fork.
    context = multiprocessing.get_context("spawn")
    count = min(workers, len(jobs))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin) as pool:
        waiting: dict[Future[PartialResult], PartitionJob] = {}
        try:
            with _uninterrupted():
                waiting |= {pool.submit(simulate_partition, job): job for job in jobs}
            while waiting:
                finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = waiting.pop(future)
                    partial = future.result()
                    progress(sum(counts.requests for counts in partial.after.values()))
                    yield job, partial
        except BrokenProcessPool as error:
            raise InputError(
                "a process of the replay was ended, perhaps for want of memory; take fewer"
                " --workers, or keep fewer profiles open with --max-open-profiles"
            ) from error
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let the processes that the block starts hear of no interruption before they are ready."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Get a process of a pool ready: it ends with whoever started it, and in silence."""
    # Where it is ignored, as behind `&` in a script, it stays so.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with_parent()


def end_with_parent() -> None:
    """Let this process end when whoever started it is killed, instead of waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
