"""All audiences of a profile, and all matchers of an event.

Few rules run as one generated function (`edgewise.audiences.inline`); where there are more, the
index takes over (`edgewise.audiences.index`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
import xxhash

from edgewise.audiences.index_build import make_index
from edgewise.audiences.inline import guard_key, make_find
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
        match_event: event → the matchers that it satisfies.
        generated: what those of them that are generated live in.
    """

    ids: tuple[str, ...]
    matchers: dict[int, Matcher]
    matchers_digest: bytes
    find_members: Callable[[Profile, int], list[int]]
    match_event: Callable[[Event], list[Matcher]]
    generated: tuple[Generated | None, ...]

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Return the ids of the audiences that a profile belongs to, in answer order."""
        ids = self.ids
        return [ids[place] for place in self.find_members(profile, now_ms)]


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
    find_members, of_members = _member_finder(audiences, label, index_from)
    match_event, of_matchers = _matcher_finder(matchers.values(), label, index_from)
    return Evaluator(
        ids=tuple(audience.id for audience in audiences),
        matchers=matchers,
        matchers_digest=_matchers_digest(matchers),
        find_members=find_members,
        match_event=match_event,
        generated=(of_members, of_matchers),
    )


def _member_finder(
    audiences: Iterable[Audience], label: str, index_from: int
) -> tuple[Callable[[Profile, int], list[int]], Generated | None]:
    trees = [audience.tree for audience in audiences]
    if sum(map(_size, trees)) < index_from:
        return make_find(trees, "profile", label)
    return make_index(trees, "profile", label).holding, None


def _matcher_finder(
    matchers: Iterable[Matcher], label: str, index_from: int
) -> tuple[Callable[[Event], list[Matcher]], Generated | None]:
    # Those for one type of event next to each other, so that other events pass them all at once.
    ordered = sorted(matchers, key=lambda matcher: guard_key(matcher.tree))
    trees = [matcher.tree for matcher in ordered]
    if sum(map(_size, trees)) < index_from:
        return make_find(trees, "event", label, ordered)
    holding = make_index(trees, "event", label).holding
    return lambda event: [ordered[place] for place in holding(event)], None


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
