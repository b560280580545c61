"""Groups that wait at a rare attribute, as functions that are compiled when it is first met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from edgewise.audiences.groups import Group, Literal, Subject
from edgewise.audiences.inline import Finder, make_finder
from edgewise.audiences.runtime import Generated
from edgewise.model.audience import All, Leaf, Node, Not
from edgewise.model.audience import Any as AnyOf

Placed = tuple[int, Node]
_Key = TypeVar("_Key")


def waiting_tree(group: Group, met: Subject) -> Node:
    """Return a group as a tree: first what is most likely to fail, that others are there too.

    Args:
        met: what it waits at, which is there when the tree is asked.
    """
    ordered = sorted(group, key=lambda one: (one.negated, one.subject == met))
    return All(tuple(map(_literal_tree, ordered)))


def _literal_tree(literal: Literal) -> Node:
    tree = AnyOf(tuple(map(Leaf, literal.tests)))
    return Not(tree) if literal.negated else tree


class LazyFinders(dict[_Key, Finder]):
    """Key → finder of some trees, compiled when it is first asked for; many never are.

    Args:
        trees: by key, with the places of the trees; these are all keys that can be asked for.
        subject: "profile" or "event", what the trees read.
        label: what generated code is called, for people.
    """

    def __init__(self, trees: Mapping[_Key, Sequence[Placed]], subject: str, label: str) -> None:
        super().__init__()
        self.trees = trees
        self.generated: list[Generated] = []
        self._subject = subject
        self._label = label

    def __missing__(self, key: _Key) -> Finder:
        finder, generated = make_finder(self.trees[key], self._subject, self._label)
        self.generated.append(generated)
        self[key] = finder
        return finder
