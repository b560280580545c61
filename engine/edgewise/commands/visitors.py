"""Which requests of a recording are those of one visitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from edgewise.amounts import count
from edgewise.errors import InputError
from edgewise.simulate.clusters import Clusters, cluster_key
from edgewise.simulate.requests import Record

NOBODY = "visitor"
"""The name of a visitor whom no request names."""

_MOST_NAMED = 3


class Visit(msgspec.Struct, frozen=True):
    """The requests of one visitor, and of those who become one with it, in their order.

    Args:
        name: a name or an id of the visitor.
        visitors: how many visitors there are in the recording.
        nameless: how many requests were left out because they name nobody.
    """

    name: str
    records: list[Record]
    visitors: int
    nameless: int = 0


def pick_visitor(records: Sequence[Record], wanted: str, place: str) -> Visit:
    """Return the requests of a visitor.

    Requests that name nobody are those of the only visitor there is; beside several they are left
    out.

    Args:
        records: requests of one environment, at least one.
        wanted: a name or an id of the visitor; empty for the only one there is. Where no request
            names anybody, it is the name that the visitor gets.
        place: where the requests are from, for messages.
    Errors: InputError where there is no such visitor, or where there are several and none is
        wanted.
    """
    visitors = _Visitors(records)
    names = visitors.names
    if len(names) > 1:
        return _one_of_many(records, visitors, wanted, place)
    own = next(iter(names.values()), "")
    if wanted and own and visitors.root_of(wanted) not in names:
        raise InputError(f'{place}: there is no visitor "{wanted}", but only "{own}"')
    theirs = [_named(record, own or wanted or NOBODY) for record in records]
    return Visit(wanted or own or NOBODY, theirs, 1)


class _Visitors:
    """Who is named by some requests of one environment.

    Shape: `names` has the first name of each visitor, under what stands for it.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._environment = records[0].environment
        self._clusters = Clusters()
        named = [record for record in records if record.name]
        for record in named:
            key = cluster_key(self._environment, record.name)
            self._clusters.link_related(key, self._environment, record.related)
        self.names: dict[int, str] = {}
        for name in dict.fromkeys(record.name for record in named):
            self.names.setdefault(self.root_of(name), name)

    def root_of(self, name: str) -> int:
        """Return what stands for the visitor of a name or an id."""
        return self._clusters.root(cluster_key(self._environment, name))


def _one_of_many(records: Sequence[Record], visitors: _Visitors, wanted: str, place: str) -> Visit:
    names = visitors.names
    if not wanted:
        raise InputError(
            f"{place}: these are the events of {count(len(names))} visitors ({_shown(names)});"
            f' pick one with --id, as in --id "{next(iter(names.values()))}"'
        )
    root = visitors.root_of(wanted)
    if root not in names:
        message = f'there is no visitor "{wanted}" among {count(len(names))} ({_shown(names)})'
        raise InputError(f"{place}: {message}")
    theirs = [one for one in records if one.name and visitors.root_of(one.name) == root]
    return Visit(wanted, theirs, len(names), sum(not one.name for one in records))


def _named(record: Record, name: str) -> Record:
    return record if record.name else msgspec.structs.replace(record, name=name)


def _shown(names: Mapping[int, str]) -> str:
    shown = [f'"{name}"' for name in [*names.values()][:_MOST_NAMED]]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {count(rest)} more" if rest else "")
