"""Which bit stands for which AND-group, so that groups turn into trees by shifting.

The first groups of all trees lie side by side, then the second groups, and so on:

    bits      0  1  2  3  4 | 5  6  7 | 8        trees in the order c a b e d: most groups first
    group     c1 a1 b1 e1 d1| c2 a2 b2| c3

Shifted by 5 the second row lies on the first, so that `held | held >> 5 | ...` says which trees
hold. Only the first rows are folded so. Groups beyond them are few, and each knows its tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.audiences.bits import Positions
from edgewise.audiences.groups import Group, Groups

MAX_ROWS = 4


class Layout:
    """The bits of the groups of some trees.

    Args:
        trees: the groups of each tree.
    """

    def __init__(self, trees: Sequence[Groups]) -> None:
        order = sorted(range(len(trees)), key=lambda place: -len(trees[place].groups))
        self.groups: list[Group] = []
        self._rows: list[tuple[int, int]] = []
        for row in range(MAX_ROWS):
            width = sum(len(tree.groups) > row for tree in trees)
            self._rows.append((len(self.groups), (1 << width) - 1))
            self.groups += (trees[place].groups[row] for place in order[:width])
        self._beyond = len(self.groups)
        owners: list[int] = []
        for rank, place in enumerate(order):
            for group in trees[place].groups[MAX_ROWS:]:
                self.groups.append(group)
                owners.append(rank)
        self._owners = Positions(tuple(owners))
        self._first = self._rows[0][1]
        self._rows = [row for row in self._rows[1:] if row[1]]
        self._places = Positions(tuple(order))
        self._in_order = order == sorted(order)
        self.size = len(self.groups)

    def trees_of(self, held: int) -> list[int]:
        """Return the places of the trees of which a group holds, ascending."""
        found = held & self._first
        for shift, mask in self._rows:
            found |= held >> shift & mask
        beyond = held >> self._beyond
        if beyond:
            for rank in self._owners.of(beyond):
                found |= 1 << rank
        places = self._places.of(found)
        if not self._in_order:
            places.sort()
        return places
