"""Trees → index: literals collected per attribute, and their bits turned into masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import reduce
from operator import and_
from typing import Any, TypeVar

import msgspec

from edgewise.attributes import NOTHING, SOURCES, page_of
from edgewise.audiences.bits import mask_of
from edgewise.audiences.groups import Group, Groups, Literal, groups_of
from edgewise.audiences.index import Index, Indexed, IndexedMap, IndexedTally
from edgewise.audiences.inline import Finder, make_finder
from edgewise.audiences.layout import Layout
from edgewise.audiences.lookups import Lookup, make_lookup, make_order_lookup
from edgewise.audiences.runtime import Generated
from edgewise.audiences.texts import is_slow
from edgewise.model.audience import All, Attribute, CountTest, Leaf, Node, Not, Test
from edgewise.model.audience import Any as AnyOf
from edgewise.operators import reference_test

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

Subject = Attribute | int
_Key = TypeVar("_Key")


def make_index(trees: Sequence[Node], subject: str, label: str) -> Index:
    """Return the index of some trees, all over profiles or all over events.

    Args:
        subject: "profile" or "event".
        label: what generated code is called, for people.
    """
    grouped = [groups_of(tree) for tree in trees]
    rare = _rare(grouped)
    masked: list[Groups] = []
    waiting: dict[Subject, list[tuple[int, Node]]] = {}
    for place, tree in enumerate(grouped):
        bits = []
        for group in tree.groups:
            needs = [one.subject for one in group if one.subject in rare and not rests(one)]
            if needs:
                rarest = min(needs, key=rare.__getitem__)
                waiting.setdefault(rarest, []).append((place, _waiting_tree(group, rarest)))
            else:
                bits.append(group)
        masked.append(Groups(tuple(bits)))
    layout = Layout(masked)
    collected = _collect(layout.groups)
    finders = LazyFinders(subject, label)
    return Index(
        layout=layout,
        everything=(1 << layout.size) - 1,
        fixed=tuple(
            (SOURCES[one.source].read, _indexed(one, found, layout.size))
            for one, found in collected.items()
            if isinstance(one, Attribute) and one.source not in _MAPPINGS
        ),
        maps=tuple(_maps(collected, waiting, rare.keys(), layout.size, finders)),
        tallies=tuple(
            _tally(one, found, layout.size)
            for one, found in collected.items()
            if isinstance(one, int)
        ),
        waiting=finders.table(
            {one: trees for one, trees in waiting.items() if isinstance(one, int)}
        ),
        doubts=finders.table(
            {place: [(place, trees[place])] for place, tree in enumerate(grouped) if not tree.exact}
        ),
        generated=finders.generated,
    )


class LazyFinders:
    """Makes tables of finders that are compiled when they are first called.

    A rare attribute is met rarely, and many are never met at all.
    """

    def __init__(self, subject: str, label: str) -> None:
        self._subject = subject
        self._label = label
        self.generated: list[Generated] = []

    def table(self, trees: Mapping[_Key, Sequence[tuple[int, Node]]]) -> dict[_Key, Finder]:
        """Return a finder for each key; its first call puts the compiled one in its place."""
        table: dict[_Key, Finder] = {}
        for key, waiting in trees.items():
            table[key] = self._first_call(table, key, waiting)
        return table

    def _first_call(
        self, table: dict[_Key, Finder], key: _Key, trees: Sequence[tuple[int, Node]]
    ) -> Finder:
        def compile_and_find(append: Callable[[int], None], subject: Any, now_ms: int) -> None:
            finder, generated = make_finder(trees, self._subject, self._label)
            self.generated.append(generated)
            table[key] = finder
            finder(append, subject, now_ms)

        return compile_and_find


def rests(literal: Literal) -> bool:
    """Return whether a literal holds while its attribute is missing, or its count 0."""
    test = literal.tests[0]
    at_rest = isinstance(test, CountTest) and reference_test(test.operator)(0, test.count)
    return at_rest is not literal.negated


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


def _waiting_tree(group: Group, rarest: Subject) -> Node:
    """A group as a tree: first what is most likely to fail, that other attributes are there."""
    ordered = sorted(group, key=lambda one: (one.negated, one.subject == rarest))
    return All(tuple(map(_literal_tree, ordered)))


def _literal_tree(literal: Literal) -> Node:
    tree = AnyOf(tuple(map(Leaf, literal.tests)))
    return Not(tree) if literal.negated else tree


class _Collected(msgspec.Struct):
    """What groups with a bit say of one attribute or tally: by layer, literals and their bits."""

    layers: list[dict[Literal, list[int]]] = []

    def resting(self, size: int) -> list[int]:
        """The resting mask of each layer."""
        everything = (1 << size) - 1
        return [
            everything
            ^ mask_of((bit for one, bits in layer.items() if not rests(one) for bit in bits), size)
            for layer in self.layers
        ]

    def masks(self, size: int) -> dict[Test | CountTest, int]:
        """The bits of each test, layers side by side."""
        bits_of: dict[Test | CountTest, list[int]] = {}
        for number, layer in enumerate(self.layers):
            for literal, bits in layer.items():
                for test in literal.tests:
                    bits_of.setdefault(test, []).extend(number * size + bit for bit in bits)
        return {test: mask_of(bits, size * len(self.layers)) for test, bits in bits_of.items()}

    def concerns(self, size: int) -> int:
        """The groups that have a literal on it."""
        return mask_of(
            (bit for layer in self.layers for bits in layer.values() for bit in bits), size
        )


def _collect(groups: Iterable[Group]) -> dict[Subject, _Collected]:
    collected: dict[Subject, _Collected] = {}
    for bit, group in enumerate(groups):
        seen: Counter[Subject] = Counter()
        for literal in group:
            subject = literal.subject
            layers = collected.setdefault(subject, _Collected()).layers
            if seen[subject] == len(layers):
                layers.append({})
            layers[seen[subject]].setdefault(literal, []).append(bit)
            seen[subject] += 1
    return collected


def _indexed(attribute: Attribute, found: _Collected, size: int) -> Indexed:
    resting = found.resting(size)
    masks = {one: mask for one, mask in found.masks(size).items() if isinstance(one, Test)}
    return Indexed(
        key=attribute.key,
        resting=reduce(and_, resting),
        changes=_folded(make_lookup(masks), resting, size),
        concerns=found.concerns(size),
        slow=is_slow(masks),
        dotted=_is_dotted(attribute),
    )


def _tally(matcher_id: int, found: _Collected, size: int) -> IndexedTally:
    resting = found.resting(size)
    masks = {one: mask for one, mask in found.masks(size).items() if isinstance(one, CountTest)}
    return IndexedTally(
        matcher_id=matcher_id,
        window_ms=next(iter(masks)).matcher.window_ms,
        resting=reduce(and_, resting),
        changes=_folded(_count_changes(masks), resting, size),
    )


def _count_changes(masks: Mapping[CountTest, int]) -> Lookup:
    """Which bits differ from those at a count of 0."""
    holding = make_order_lookup((one.operator, one.count, mask) for one, mask in masks.items())
    at_rest = holding(0)
    return lambda count: holding(count) ^ at_rest


def _folded(changes: Lookup, resting: Sequence[int], size: int) -> Lookup:
    """The changes of several layers as changes of their AND."""
    if len(resting) == 1:
        return changes
    folded = reduce(and_, resting)
    layers = [(number * size, mask) for number, mask in enumerate(resting)]

    def look_up(value: Any) -> int:
        changed = changes(value)
        standing = -1
        for shift, mask in layers:
            standing &= mask ^ changed >> shift
        return standing & everything ^ folded

    everything = (1 << size) - 1
    return look_up


def _maps(
    collected: Mapping[Subject, _Collected],
    waiting: Mapping[Subject, Sequence[tuple[int, Node]]],
    rare: Set[Subject],
    size: int,
    finders: LazyFinders,
) -> Iterable[IndexedMap]:
    for source, read in _MAPPINGS.items():
        found = {
            subject: _indexed(subject, one, size)
            for subject, one in collected.items()
            if isinstance(subject, Attribute) and subject.source == source
        }
        waiting_at = {
            subject: ones
            for subject, ones in waiting.items()
            if isinstance(subject, Attribute) and subject.source == source
        }
        if found or waiting_at:
            yield IndexedMap(
                read=read,
                common=tuple(one for subject, one in found.items() if subject not in rare),
                rare=_by_key({one: (found[one],) for one in found if one in rare}),
                waiting=finders.table(_by_key(waiting_at)),
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
