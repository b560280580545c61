"""Requests onto disk, and then into partitions that know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgewise.simulate.clusters import Clusters, cluster_key
from edgewise.simulate.requests import Request
from edgewise.simulate.spool import PartitionRecords, SpoolWriter, partition_spool


class Dividing:
    """Spools the requests of all inputs, and finds out which visitors belong together.

    Args:
        folder: where the spool goes, and the lists of what lies in which partition.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spool = SpoolWriter(folder)
        self._clusters = Clusters()

    def add(self, requests: Iterable[Request]) -> None:
        """Spool requests."""
        for record, _ in requests:
            key = cluster_key(record.environment, record.name)
            self._clusters.link_related(key, record.environment, record.related)
            self._spool.add(record, key)

    def close(self) -> None:
        """Finish the spool."""
        self._spool.close()

    def partitions(self, count: int) -> list[PartitionRecords]:
        """Return what lies in each of so many partitions, after the spool was closed."""
        return partition_spool(self._folder, self._clusters, count)
