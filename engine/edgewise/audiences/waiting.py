"""Groups that wait at a rare attribute: functions that are compiled when it is first met."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from edgewise.audiences.groups import Group, Literal, Subject
from edgewise.audiences.inline import Finder, make_finder
from edgewise.audiences.runtime import Generated
from edgewise.model.audience import All, Leaf, Node, Not
from edgewise.model.audience import Any as AnyOf

Placed = tuple[int, Node]
_Key = TypeVar("_Key")


def waiting_tree(group: Group, rarest: Subject) -> Node:
    """Return a group as a tree: first what is most likely to fail, that others are there too."""
    ordered = sorted(group, key=lambda one: (one.negated, one.subject == rarest))
    return All(tuple(map(_literal_tree, ordered)))


def _literal_tree(literal: Literal) -> Node:
    tree = AnyOf(tuple(map(Leaf, literal.tests)))
    return Not(tree) if literal.negated else tree


class LazyFinders:
    """Makes finders that are compiled at their first call; many attributes are never met.

    Args:
        subject: "profile" or "event".
        label: what generated code is called, for people.
    """

    def __init__(self, subject: str, label: str) -> None:
        self._subject = subject
        self._label = label
        self.generated: list[Generated] = []

    def table(self, trees: Mapping[_Key, Sequence[Placed]]) -> dict[_Key, Finder]:
        """Return a finder for each key; its first call puts the compiled one in its place."""
        table: dict[_Key, Finder] = {}
        for key, placed in trees.items():
            table[key] = self._first_call(table, key, placed)
        return table

    def finder(self, trees: Sequence[Placed]) -> Finder:
        """Return a single finder."""
        table = self.table({None: trees})

        def find(append: Callable[[int], None], subject: Any, now_ms: int) -> None:
            table[None](append, subject, now_ms)

        return find

    def _first_call(self, table: dict[_Key, Finder], key: _Key, trees: Sequence[Placed]) -> Finder:
        def compile_and_find(append: Callable[[int], None], subject: Any, now_ms: int) -> None:
            finder, generated = make_finder(trees, self._subject, self._label)
            self.generated.append(generated)
            table[key] = finder
            finder(append, subject, now_ms)

        return compile_and_find
