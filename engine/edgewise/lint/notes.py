"""What every check looks at, and how it notes what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from edgewise.errors import Fault
from edgewise.model.audience import All, Any, CountTest, Leaf, Node, Not, Test
from edgewise.model.document import RuleDocument, UnreadFile
from edgewise.ruleset import Ruleset


class Subject(msgspec.Struct, frozen=True):
    """The rules of one environment: as they are served, and as they were written.

    Args:
        unread: files that lie in its folder and are no part of the rules.
    """

    ruleset: Ruleset
    documents: Sequence[RuleDocument]
    unread: Sequence[UnreadFile] = ()


Check = Callable[[Subject], Iterator[Fault]]


class Place(msgspec.Struct, frozen=True):
    """Where a warning belongs, and to which audience or experience."""

    file: str
    pointer: str
    audience_id: str = ""
    experience_id: str = ""


def note(code: str, place: Place, message: str, hint: str = "") -> Fault:
    """Return a warning: what is odd, where, and the remedy."""
    return Fault(
        code=code,
        message=message,
        file=place.file,
        pointer=place.pointer,
        audience_id=place.audience_id,
        experience_id=place.experience_id,
        hint=hint,
    )


def place_of(origin: str, audience_id: str = "") -> Place:
    """Return the place of a condition, whose origin is written as `file#pointer`."""
    file, mark, pointer = origin.partition("#/")
    return Place(file, f"/{pointer}" if mark else "", audience_id)


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Return every test of a tree."""
    match node:
        case Leaf():
            yield node
        case Not():
            yield from leaves_of(node.child)
        case All() | Any():
            for child in node.children:
                yield from leaves_of(child)


def event_tests(node: Node) -> Iterator[tuple[Leaf, Test]]:
    """Return every test of events that a tree counts, with the leaf it was written in."""
    for leaf in leaves_of(node):
        if isinstance(leaf.test, CountTest):
            for inner in leaves_of(leaf.test.matcher.tree):
                if isinstance(inner.test, Test):
                    yield inner, inner.test


def all_tests(node: Node) -> Iterator[tuple[Leaf, Test]]:
    """Return every test of values in a tree, of a profile or of events, with its leaf."""
    for leaf in leaves_of(node):
        if isinstance(leaf.test, Test):
            yield leaf, leaf.test
    yield from event_tests(node)


def texts_of(test: Test) -> Iterator[str]:
    """Return the texts that a test compares with."""
    members = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    yield from (member for member in members if isinstance(member, str))
