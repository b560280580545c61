"""Requests in rounds, in each of which all visitors have nothing to do with each other.

Such requests can be replayed step by step together: first all visitors are found, then all events
are counted, then all decisions are made. Code that does one thing again and again stays in the
processor's nearest caches, which takes a quarter off a replay.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.simulate.clusters import Clusters, cluster_key
from edgewise.simulate.requests import Request


class Rounds:
    """Divides requests into rounds; what it was given before is part of who belongs together."""

    def __init__(self) -> None:
        self._clusters = Clusters()

    def divide(self, requests: Sequence[Request]) -> list[list[Request]]:
        """Return requests in rounds, those of one visitor in different ones and in their order."""
        keys = [cluster_key(record.environment, record.name) for record, _ in requests]
        for key, (record, _) in zip(keys, requests, strict=True):
            if record.related:
                self._clusters.link_related(key, record.environment, record.related)
        rounds: list[list[Request]] = []
        passed: dict[int, int] = {}
        for root, request in zip(self._clusters.roots(keys), requests, strict=True):
            place = passed.get(root, 0)
            passed[root] = place + 1
            if place == len(rounds):
                rounds.append([])
            rounds[place].append(request)
        return rounds
