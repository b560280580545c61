"""Which visitors must be replayed together: those that a user id connects."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from edgewise.records import id_for_name, is_server_made

_REMEMBERED_NAMES = 200_000


@lru_cache(maxsize=_REMEMBERED_NAMES)
def cluster_key(environment: str, name: str) -> int:
    """Return 64 bits that stand for an id: the same for a name and for the id it makes.

    Two ids with the same bits only come to lie in one partition, which harms nothing.
    """
    profile_id = name if is_server_made(name) else id_for_name(environment, name)
    return int(profile_id[:16], 16)


def _claim_keys(environment: str, user_id: str) -> tuple[int, ...]:
    """The keys that a user id may stand for: a hash may be an id of ours, or a name."""
    by_name = int(id_for_name(environment, user_id)[:16], 16)
    own = cluster_key(environment, user_id)
    return (own,) if own == by_name else (own, by_name)


class Clusters:
    """A union-find over the ids that user ids connect; all other ids are clusters of their own.

    Cost: memory grows with the identified visitors only.
    """

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def link_related(self, key: int, environment: str, related: Iterable[str]) -> None:
        """Note that a key belongs together with the ids that a request relates it to."""
        for name in related:
            for other in _claim_keys(environment, name):
                self.link(key, other)

    def link(self, one: int, other: int) -> None:
        """Note that two keys belong together."""
        one, other = self.root(one), self.root(other)
        if one != other:
            self._parents[max(one, other)] = min(one, other)

    def roots(self, keys: Iterable[int]) -> list[int]:
        """Return the keys that stand for the clusters of some keys."""
        parents = self._parents
        return [self.root(key) if key in parents else key for key in keys]

    def root(self, key: int) -> int:
        """Return the key that stands for the cluster of a key."""
        parents = self._parents
        root = key
        while (parent := parents.get(root)) is not None:
            root = parent
        while key != root:
            parents[key], key = root, parents[key]
        return root
