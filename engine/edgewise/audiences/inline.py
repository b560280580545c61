"""All trees at once as one generated function, which gives the places of those that hold.

The quickest way for few trees: no call per tree, and an attribute that several tests read is read
once. Trees next to each other that begin with the same test of a text share one look at it. Two
audiences that ask for a plan, one of them also for a device, become

    def find(profile, now_ms=0):
        traits = profile.traits
        r0 = traits.get(_c0)
        found = []
        append = found.append
        if (
            (v == _c1 if (v := r0).__class__ is _str else v is not None and _equal(v, _c1))
        ):
            append(0)
        if (
            (
                (v == _c2 if (v := r0).__class__ is _str else v is not None and _equal(v, _c2))
                and (profile.device == _c3)
            )
        ):
            append(1)
        return found
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any as AnyValue

from edgewise.attributes import SOURCES
from edgewise.audiences.compiler import HELPERS, INDENT, SourceWriter
from edgewise.audiences.runtime import Generated, generate
from edgewise.model.audience import All, Any, Attribute, CountTest, Leaf, Node, Not, Test

# Python reads a hundred levels of indentation; rules would not gain from more than a few.
_DEEPEST = 8

# (append, subject, now_ms): calls `append` with the place of each tree that holds.
Finder = Callable[..., None]
# (subject, now_ms): returns what is given for each of the trees that hold, in their order.
Find = Callable[..., list[AnyValue]]


def make_finder(
    trees: Iterable[tuple[int, Node]], subject: str, label: str
) -> tuple[Finder, Generated]:
    """Return a finder of some trees, and the generated module that it lives in.

    Args:
        trees: with the place that is given for each.
        subject: "profile" or "event", what the trees read.
    """
    writer = InlineWriter()
    actions = [(tree, f"append({place})") for place, tree in trees]
    source = writer.inline_function("find", f"append, {subject}, now_ms=0", actions)
    generated = generate(source, HELPERS | writer.constants, label)
    return generated.functions["find"], generated


def make_find(
    trees: Sequence[Node], subject: str, label: str, gives: Sequence[AnyValue] | None = None
) -> tuple[Find, Generated]:
    """Return what `make_finder` does, as a function that returns a list.

    Args:
        gives: what is given for each tree, if not its place.
    """
    writer = InlineWriter()
    given = map(str, range(len(trees))) if gives is None else map(writer.constant, gives)
    actions = [(tree, f"append({one})") for tree, one in zip(trees, given, strict=True)]
    source = writer.inline_function(
        "find",
        f"{subject}, now_ms=0",
        actions,
        before=("found = []", "append = found.append"),
        after=("return found",),
    )
    generated = generate(source, HELPERS | writer.constants, label)
    return generated.functions["find"], generated


class InlineWriter(SourceWriter):
    """Writes one function for many trees; reads of shared attributes come first."""

    def __init__(self) -> None:
        super().__init__()
        self._shared: dict[Attribute, str] = {}
        self._reads: list[str] = []

    def inline_function(
        self,
        name: str,
        arguments: str,
        actions: Iterable[tuple[Node, str]],
        before: Sequence[str] = (),
        after: Sequence[str] = (),
    ) -> str:
        """Return the source of a function that does something for each tree that holds.

        Args:
            actions: trees, each with one statement.
            before, after: further statements around them.
        """
        actions = list(actions)
        self._used = set()
        uses = Counter(attribute for tree, _ in actions for attribute in _attributes(tree))
        for attribute, count in uses.items():
            if count > 1:
                self._share(attribute)
        body = self._actions(actions, 1)
        head = [f"{INDENT}{line}" for line in (*self._reads, *before)]
        lines = [f"def {name}({arguments}):", *self._locals(), *head, *body]
        lines += [f"{INDENT}{line}" for line in after] if after or actions else [f"{INDENT}pass"]
        return "\n".join([*lines, ""])

    def _actions(self, actions: Iterable[tuple[Node, str]], depth: int) -> list[str]:
        pad = INDENT * depth
        lines: list[str] = []
        for guard, run in groupby(actions, key=lambda pair: _guard_of(pair[0])):
            some = list(run)
            if guard is not None and len(some) > 1 and depth < _DEEPEST:
                rest = [(_without_guard(tree), action) for tree, action in some]
                lines += [f"{pad}if (", *self._node(_first_leaf(some[0][0]), depth + 1)]
                lines += [f"{pad}):", *self._actions(rest, depth + 1)]
                continue
            for tree, action in some:
                lines += [f"{pad}if (", *self._node(tree, depth + 1)]
                lines += [f"{pad}):", f"{pad}{INDENT}{action}"]
        return lines

    def _share(self, attribute: Attribute) -> None:
        name = f"r{len(self._shared)}"
        self._reads.append(f"{name} = {super()._read(attribute)}")
        self._shared[attribute] = name

    def _read(self, attribute: Attribute) -> str:
        return self._shared.get(attribute) or super()._read(attribute)


def guard_key(node: Node) -> list[str]:
    """Return a key by which trees are next to each other that begin with the same tests of texts.

    Those share one look at each of them.
    """
    key: list[str] = []
    while (guard := _guard_of(node)) is not None:
        key += [guard.attribute.source, guard.attribute.key, str(guard.operand)]
        node = _without_guard(node)
    return key


def _guard_of(node: Node) -> Test | None:
    """The test that a tree begins with, where that is for one text and all others need it too."""
    first = _first_leaf(node)
    if not (isinstance(first, Leaf) and isinstance(first.test, Test)):
        return None
    test = first.test
    is_text = SOURCES[test.attribute.source].kind == "text"
    return test if is_text and test.operator == "equal" else None


def _first_leaf(node: Node) -> Node:
    return node.children[0] if isinstance(node, All) and node.children else node


def _without_guard(node: Node) -> Node:
    rest = node.children[1:] if isinstance(node, All) else ()
    return rest[0] if len(rest) == 1 else All(rest)


def _attributes(node: Node) -> Iterator[Attribute]:
    match node:
        case Leaf():
            if not isinstance(node.test, CountTest):
                yield node.test.attribute
        case Not():
            yield from _attributes(node.child)
        case All() | Any():
            for child in node.children:
                yield from _attributes(child)
