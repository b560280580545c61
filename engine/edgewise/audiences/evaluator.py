"""All audiences of a profile, and all matchers of an event.

Few rules run as one generated function (`edgewise.audiences.inline`); where there are more, the
index takes over (`edgewise.audiences.index`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import xxhash

from edgewise.audiences.index_build import make_index
from edgewise.audiences.inline import Find, guard_key, make_find
from edgewise.audiences.runtime import Generated
from edgewise.model.audience import All, Any, Audience, CountTest, Leaf, Matcher, Node, Not
from edgewise.model.event import Event
from edgewise.model.profiles import Profile

# The number of tests from which on the index is quicker: 25 audiences of W(N), 35 of W_low(N).
INDEX_FROM = 130


class Evaluator(msgspec.Struct, frozen=True, kw_only=True):
    """Rules ready to run.

    Args:
        ids: of the audiences, in answer order; a place is a position in here.
        matchers: every matcher that an audience needs, by id.
        matchers_digest: 8 bytes that name this set of matchers.
        find_members: (profile, now_ms) → the places of its audiences, ascending.
        find_matchers: event → positions in `ordered_matchers` of those that it satisfies.
        generated: what those of them that are generated live in.
    """

    ids: tuple[str, ...]
    matchers: dict[int, Matcher]
    matchers_digest: bytes
    find_members: Find
    find_matchers: Find
    ordered_matchers: tuple[Matcher, ...]
    generated: tuple[Generated | None, ...]

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Return the ids of the audiences that a profile belongs to, in answer order."""
        ids = self.ids
        return [ids[place] for place in self.find_members(profile, now_ms)]

    def match_event(self, event: Event) -> list[Matcher]:
        """Return the matchers that an event satisfies."""
        matchers = self.ordered_matchers
        return [matchers[place] for place in self.find_matchers(event)]


def make_evaluator(
    audiences: Sequence[Audience], label: str, *, index_from: int = INDEX_FROM
) -> Evaluator:
    """Return the evaluator of some audiences, in the order in which they are to be answered.

    Args:
        index_from: the number of tests from which on rules are indexed.
    """
    matchers = {
        matcher.id: matcher for audience in audiences for matcher in matchers_of(audience.tree)
    }
    trees = [audience.tree for audience in audiences]
    # Those for one type of event next to each other, so that other events pass them all at once.
    ordered = sorted(matchers.values(), key=lambda matcher: guard_key(matcher.tree))
    matcher_trees = [matcher.tree for matcher in ordered]
    find_members, of_members = _finder(trees, "profile", label, index_from)
    find_matchers, of_matchers = _finder(matcher_trees, "event", label, index_from)
    return Evaluator(
        ids=tuple(audience.id for audience in audiences),
        matchers=matchers,
        matchers_digest=_matchers_digest(matchers),
        find_members=find_members,
        find_matchers=find_matchers,
        ordered_matchers=tuple(ordered),
        generated=(of_members, of_matchers),
    )


def _finder(
    trees: Sequence[Node], subject: str, label: str, index_from: int
) -> tuple[Find, Generated | None]:
    if sum(map(_size, trees)) < index_from:
        return make_find(trees, subject, label)
    return make_index(trees, subject, label).holding, None


def _size(node: Node) -> int:
    """The number of tests in a tree."""
    match node:
        case Not():
            return _size(node.child)
        case All() | Any():
            return sum(map(_size, node.children))
        case _:
            return 1


def matchers_of(node: Node) -> Iterable[Matcher]:
    """Return every matcher that a tree counts with."""
    match node:
        case Leaf(test=CountTest() as test):
            yield test.matcher
        case Not():
            yield from matchers_of(node.child)
        case All() | Any():
            for child in node.children:
                yield from matchers_of(child)


def _matchers_digest(matchers: Iterable[int]) -> bytes:
    ids = b"".join(matcher_id.to_bytes(8, "big") for matcher_id in sorted(matchers))
    return xxhash.xxh3_64_digest(ids)
