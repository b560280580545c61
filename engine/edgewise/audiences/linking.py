"""References between audiences replaced by what they refer to, so that evaluators never see one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set

import msgspec

from edgewise.audiences.passes import simplify
from edgewise.errors import Fault
from edgewise.model.audience import All, Any, Audience, Constant, Leaf, Node, Not, Reference
from edgewise.parsing import closest

MAX_NODES = 10_000
# Generated expressions nest as deep as their trees, and parsers of Python stop at 200 brackets.
MAX_LEVELS = 100


def link(
    audiences: Mapping[str, Audience], faulty: Set[str]
) -> tuple[dict[str, Audience], list[Fault]]:
    """Return the audiences with every reference replaced, and what could not be.

    An audience never matches if it refers to one that does not exist, that is faulty, or that
    leads back to itself; so does one that would grow beyond `MAX_NODES` or `MAX_LEVELS`.

    Args:
        faulty: ids of audiences that already have a fault.
    """
    linker = _Linker(audiences, faulty)
    for audience_id in audiences:
        linker.link(audience_id)
    linked = {
        audience_id: msgspec.structs.replace(
            audience, tree=linker.trees[audience_id] or Constant(False)
        )
        for audience_id, audience in audiences.items()
    }
    return linked, linker.faults


def unknown_references(audience: Audience, tree: Node, known: Collection[str]) -> list[Fault]:
    """Return a fault for each reference of a tree to an audience that does not exist.

    Args:
        tree: what the audience was written as; one with a fault is not linked.
    """
    return [
        _unknown(audience, reference, known)
        for reference in references_of(tree)
        if reference.audience_id not in known
    ]


class _Linker:
    def __init__(self, audiences: Mapping[str, Audience], faulty: Set[str]) -> None:
        self.audiences = audiences
        self.faults: list[Fault] = []
        # The linked trees so far; None for an audience that cannot be used.
        self.trees: dict[str, Node | None] = dict.fromkeys(faulty)
        # From the audience that linking began with to the one being linked, each with the
        # references that are still to be followed. A chain may be longer than Python's stack.
        self.open: dict[str, Iterator[Reference]] = {}

    def link(self, audience_id: str) -> None:
        """Link an audience, after those that it refers to."""
        self._open(audience_id)
        while self.open:
            current, references = next(reversed(self.open.items()))
            following = next(references, None)
            if following is None:
                self.trees[current] = self._linked(current)
                del self.open[current]
            elif following.audience_id in self.audiences:
                self._open(following.audience_id)

    def _open(self, audience_id: str) -> None:
        if audience_id not in self.trees and audience_id not in self.open:
            self.open[audience_id] = references_of(self.audiences[audience_id].tree)

    def _linked(self, audience_id: str) -> Node | None:
        tree = self.audiences[audience_id].tree
        if next(references_of(tree), None) is None:
            return tree
        before = len(self.faults)
        tree = self._replace(tree)
        if _is_too_large(tree):
            message = f"with its references this audience has more than {MAX_NODES} conditions"
            self._fault("audience_too_large", f"{message} or {MAX_LEVELS} levels")
        return simplify(tree) if len(self.faults) == before else None

    def _replace(self, node: Node) -> Node:
        match node:
            case Reference():
                return self._resolve(node)
            case Not():
                return Not(self._replace(node.child))
            case All() | Any():
                return type(node)(tuple(self._replace(child) for child in node.children))
            case Leaf() | Constant():
                return node

    def _resolve(self, reference: Reference) -> Node:
        target = reference.audience_id
        if target not in self.audiences:
            self.faults.append(_unknown(self._current(), reference, self.audiences))
        elif target in self.open:
            ids = list(self.open)
            way = " → ".join((*ids[ids.index(target) :], target))
            message = f"the audience refers to itself: {way}"
            self._fault("circular_reference", message, reference.origin)
        else:
            tree = self.trees[target]
            if tree is not None:
                return tree
            message = f'audience "{target}" has a fault of its own'
            self._fault("faulty_reference", message, reference.origin)
        return Constant(False)

    def _current(self) -> Audience:
        return self.audiences[next(reversed(self.open))]

    def _fault(self, code: str, message: str, pointer: str = "") -> None:
        self.faults.append(_fault_of(self._current(), code, message, pointer))


def _unknown(audience: Audience, reference: Reference, known: Collection[str]) -> Fault:
    target = reference.audience_id
    message = f'there is no audience "{target}"'
    hint = closest(target, known)
    return _fault_of(audience, "unknown_audience", message, reference.origin, hint)


def _fault_of(
    audience: Audience, code: str, message: str, pointer: str = "", hint: str = ""
) -> Fault:
    return Fault(
        code=code,
        message=message,
        file=audience.file,
        pointer=pointer or audience.pointer,
        audience_id=audience.id,
        hint=hint,
    )


def references_of(node: Node) -> Iterator[Reference]:
    """Return every reference in a tree."""
    match node:
        case Reference():
            yield node
        case Not():
            yield from references_of(node.child)
        case All() | Any():
            for child in node.children:
                yield from references_of(child)


def _is_too_large(node: Node) -> bool:
    """Count nodes, but only up to the limit: shared subtrees can grow beyond all bounds."""
    size = 0
    pending = [(node, 1)]
    while pending:
        current, level = pending.pop()
        size += 1
        if size > MAX_NODES or level > MAX_LEVELS:
            return True
        if isinstance(current, Not):
            pending.append((current.child, level + 1))
        elif isinstance(current, (All, Any)):
            pending += [(child, level + 1) for child in current.children]
    return False
