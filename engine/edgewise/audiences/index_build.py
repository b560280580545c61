"""Trees → index: which attributes are rare, which groups wait at them, and which get a bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from edgewise.attributes import NOTHING, SOURCES, page_of
from edgewise.audiences.collecting import Masked, collect, make_masked, rests
from edgewise.audiences.counting import Tallies, make_tallies
from edgewise.audiences.groups import Group, Groups, Subject, groups_of
from edgewise.audiences.index import Index, Indexed, IndexedMap
from edgewise.audiences.layout import Layout
from edgewise.audiences.waiting import LazyFinders, waiting_tree
from edgewise.model.audience import Attribute, CountTest, Node

# As many attributes are never rare: to look at a missing one costs a tenth of a microsecond.
MAX_COMMON = 24
# What more groups ask for is not rare: to run them all would cost more than a mask.
MAX_WAITING = 32


def _traits(profile: Any) -> Any:
    return profile.traits


def _query(event: Any) -> Mapping[str, Any]:
    return page_of(event).query or NOTHING


def _properties(event: Any) -> Mapping[str, Any]:
    return event.properties or NOTHING


_MAPPINGS: dict[str, Callable[[Any], Mapping[str, Any]]] = {
    "trait": _traits,
    "query": _query,
    "property": _properties,
}
_DOTTED = frozenset({"trait", "property"})

# Groups by the rarest attribute or tally that they need, with the places of their trees.
Waiting = dict[Subject, list[tuple[int, Group]]]


def make_index(trees: Sequence[Node], subject: str, label: str) -> Index:
    """Return the index of some trees.

    Args:
        subject: "profile" or "event", what all of them read.
        label: what generated code is called, for people.
    """
    grouped = [groups_of(tree) for tree in trees]
    rare = _rare(grouped)
    waiting, with_bits = _divide(grouped, rare)
    layout = Layout(with_bits)
    masked = {
        one: make_masked(layers, layout.size) for one, layers in collect(layout.groups).items()
    }
    inexact = {
        place: [(place, trees[place])] for place, tree in enumerate(grouped) if not tree.exact
    }
    return Index(
        layout=layout,
        everything=(1 << layout.size) - 1,
        fixed=tuple(
            (SOURCES[one.source].read, one.key, found)
            for one, found in masked.items()
            if isinstance(one, Attribute) and one.source not in _MAPPINGS
        ),
        maps=tuple(_maps(masked, waiting, rare, subject, label)),
        tallies=_tallies(grouped, masked, waiting, rare, label),
        doubts=LazyFinders(inexact, subject, label),
    )


def _rare(grouped: Iterable[Groups]) -> dict[Subject, int]:
    """The rare attributes and tallies with the number of groups that ask for each."""
    uses: Counter[Subject] = Counter()
    for tree in grouped:
        for group in tree.groups:
            uses.update({literal.subject for literal in group})
    tallies: list[Subject] = [one for one in uses if isinstance(one, int)]
    mapped: list[Subject] = [
        one
        for one, _ in uses.most_common()
        if isinstance(one, Attribute) and one.source in _MAPPINGS
    ]
    return {one: uses[one] for one in (*mapped[MAX_COMMON:], *tallies) if uses[one] <= MAX_WAITING}


def _divide(grouped: Iterable[Groups], rare: Mapping[Subject, int]) -> tuple[Waiting, list[Groups]]:
    """The groups that need something rare, and for each tree those that do not."""
    waiting: Waiting = {}
    others = []
    for place, tree in enumerate(grouped):
        with_bits = []
        for group in tree.groups:
            needs = [one.subject for one in group if one.subject in rare and not rests(one)]
            if needs:
                rarest = min(needs, key=rare.__getitem__)
                waiting.setdefault(rarest, []).append((place, group))
            else:
                with_bits.append(group)
        others.append(Groups(tuple(with_bits)))
    return waiting, others


def _maps(
    masked: Mapping[Subject, Masked],
    waiting: Waiting,
    rare: Mapping[Subject, int],
    subject: str,
    label: str,
) -> Iterable[IndexedMap]:
    for source, read in _MAPPINGS.items():
        indexed = {
            one: Indexed(one.key, _is_dotted(one), found)
            for one, found in masked.items()
            if isinstance(one, Attribute) and one.source == source
        }
        trees = {
            one: [(place, waiting_tree(group, one)) for place, group in groups]
            for one, groups in waiting.items()
            if isinstance(one, Attribute) and one.source == source
        }
        if indexed or trees:
            yield IndexedMap(
                read=read,
                common=tuple(found for one, found in indexed.items() if one not in rare),
                rare=_by_key({one: [found] for one, found in indexed.items() if one in rare}),
                waiting=LazyFinders(_by_key(trees), subject, label),
            )


def _by_key(found: Mapping[Attribute, Sequence[Any]]) -> dict[str, tuple[Any, ...]]:
    """By key, and for a path also by its first part, since either may be there."""
    by_key: dict[str, tuple[Any, ...]] = {}
    for attribute, ones in found.items():
        key = attribute.key
        for part in {key, key.partition(".")[0]} if _is_dotted(attribute) else (key,):
            by_key[part] = (*by_key.get(part, ()), *ones)
    return by_key


def _is_dotted(attribute: Attribute) -> bool:
    return "." in attribute.key and attribute.source in _DOTTED


def _tallies(
    grouped: Iterable[Groups],
    masked: Mapping[Subject, Masked],
    waiting: Waiting,
    rare: Mapping[Subject, int],
    label: str,
) -> Tallies | None:
    windows = {
        test.matcher.id: test.matcher.window_ms
        for tree in grouped
        for group in tree.groups
        for literal in group
        for test in literal.tests
        if isinstance(test, CountTest)
    }
    if not windows:
        return None
    return make_tallies(
        {one: waiting.get(one, []) for one in windows if one in rare},
        {one: found for one, found in masked.items() if isinstance(one, int)},
        windows,
        label,
    )
