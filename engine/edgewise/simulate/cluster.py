"""Partitions replayed by the workers of a Dask cluster.

Each job carries its records, as workers cannot read the spool. A worker that dies takes nothing
along: the scheduler still has its jobs and gives them to another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

import dask
from distributed import Client, Future, KilledWorker, Security, as_completed
from msgspec.structs import replace

from edgewise.errors import InputError
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, simulate_partition
from edgewise.simulate.spool import carry_along

JOBS_PER_WORKER = 2
"""One to work on, and one that is there when it is done; more would only fill the memory."""

_ADDRESS = re.compile(r"(tcp|tls)://([^\s/:]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})")
_HIGHEST_PORT = 65_535
_PATIENCE_S = 30
_SETTINGS = {
    # Records travel with their jobs on purpose, so that they outlive any worker.
    "distributed.admin.large-graph-warning-threshold": "1GiB",
    "distributed.comm.timeouts.connect": f"{_PATIENCE_S}s",
}


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler, before anything is read.

    Errors: InputError, also for TLS that Dask is not configured for.
    """
    form = _ADDRESS.fullmatch(address)
    if not form or not 0 < int(form[3]) <= _HIGHEST_PORT:
        raise InputError(
            f'--on: "{address}" is no address; write it like tcp://scheduler:8786, or tls://'
        )
    try:
        context = Security().get_connection_args("client")["ssl_context"]
    except (OSError, ValueError) as error:
        raise InputError(f"--on: the certificates in Dask's configuration: {error}") from error
    if form[1] == "tls" and context is None:
        raise InputError(
            f"--on: {address} needs certificates; name them in Dask's configuration, below"
            " distributed.comm.tls"
        )


def replay_on(
    address: str, jobs: Sequence[PartitionJob], progress: Callable[[int], None]
) -> Iterator[tuple[PartitionJob, PartialResult]]:
    """Iterate over jobs and what their replay on a cluster found, in the order they finish.

    Args:
        address: of the scheduler, such as "tcp://127.0.0.1:8786", that was checked.
    Errors: InputError for a cluster that does not answer, has no workers or cannot replay.
    """
    with _connected(address) as client:
        waiting = iter(jobs)
        open_jobs: dict[str, PartitionJob] = {}

        def submit_more() -> list[Future]:
            room = _most_open(client) - len(open_jobs)
            futures = []
            for job in islice(waiting, max(0, room)):
                future = _submit(client, job)
                open_jobs[future.key] = job
                futures.append(future)
            return futures

        finishing = as_completed(submit_more(), loop=client.loop)
        for future in finishing:
            job, partial = open_jobs.pop(future.key), _partial(future)
            # A future that is let go is forgotten by the cluster, its records included.
            future.release()
            finishing.update(submit_more())
            progress(sum(counts.requests for counts in partial.after.values()))
            yield job, partial


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    with dask.config.set(_SETTINGS):
        try:
            client = Client(address, timeout=_PATIENCE_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{address}: no scheduler of a Dask cluster answers") from error
        try:
            _wait_for_workers(client, address)
            yield client
        finally:
            client.close()


def _wait_for_workers(client: Client, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_S)
    except TimeoutError as error:
        raise InputError(f"{address}: the cluster has no workers") from error


def _most_open(client: Client) -> int:
    # With no worker left for a moment there is still room for one, or nothing would ever go on.
    threads: int = sum(client.nthreads().values())
    return max(1, threads) * JOBS_PER_WORKER


def _submit(client: Client, job: PartitionJob) -> Future:
    carried = replace(job, records=carry_along(job.records))
    # Never remembered from another run: a job's key is its own.
    return client.submit(simulate_partition, carried, pure=False)


def _partial(future: Future) -> PartialResult:
    try:
        partial: PartialResult = future.result()
    except KilledWorker as error:
        raise InputError("the cluster gave up: its workers die while they replay") from error
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the cluster cannot replay, its workers need this version of edgewise: {error}"
        ) from error
    return partial
