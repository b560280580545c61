"""References between audiences replaced by what they refer to, so that evaluators never see one."""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from edgewise.audiences.passes import simplify
from edgewise.errors import Fault
from edgewise.model.audience import All, Any, Audience, Constant, Leaf, Node, Not, Reference
from edgewise.parsing import closest

MAX_NODES = 10_000


def link(
    audiences: Mapping[str, Audience], faulty: Set[str]
) -> tuple[dict[str, Audience], list[Fault]]:
    """Return the audiences with every reference replaced, and what could not be.

    An audience never matches if it refers to one that does not exist, that is faulty, or that
    leads back to itself; so does one that would grow beyond `MAX_NODES`.

    Args:
        faulty: ids of audiences that already have a fault.
    """
    linker = _Linker(audiences, faulty)
    linked = {
        audience_id: msgspec.structs.replace(
            audience, tree=linker.tree_of(audience_id) or Constant(False)
        )
        for audience_id, audience in audiences.items()
    }
    return linked, linker.faults


class _Linker:
    def __init__(self, audiences: Mapping[str, Audience], faulty: Set[str]) -> None:
        self.audiences = audiences
        self.faults: list[Fault] = []
        self.trees: dict[str, Node | None] = dict.fromkeys(faulty)
        self.open: list[str] = []

    def tree_of(self, audience_id: str) -> Node | None:
        """The linked tree, None for an audience that cannot be used."""
        if audience_id not in self.trees:
            self.open.append(audience_id)
            self.trees[audience_id] = self._link(self.audiences[audience_id].tree)
            self.open.pop()
        return self.trees[audience_id]

    def _link(self, tree: Node) -> Node | None:
        if not _refers(tree):
            return tree
        before = len(self.faults)
        tree = self._replace(tree)
        if _is_larger(tree, MAX_NODES):
            message = f"with its references this audience has more than {MAX_NODES} conditions"
            self._fault("audience_too_large", message)
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
            message = f'there is no audience "{target}"'
            hint = closest(target, self.audiences)
            self._fault("unknown_audience", message, hint, reference.origin)
        elif target in self.open:
            way = " → ".join((*self.open[self.open.index(target) :], target))
            message = f"the audience refers to itself: {way}"
            self._fault("circular_reference", message, "", reference.origin)
        else:
            tree = self.tree_of(target)
            if tree is not None:
                return tree
            message = f'audience "{target}" has a fault of its own'
            self._fault("faulty_reference", message, "", reference.origin)
        return Constant(False)

    def _fault(self, code: str, message: str, hint: str = "", pointer: str = "") -> None:
        audience = self.audiences[self.open[-1]]
        self.faults.append(
            Fault(
                code=code,
                message=message,
                file=audience.file,
                pointer=pointer or audience.pointer,
                audience_id=audience.id,
                hint=hint,
            )
        )


def _refers(node: Node) -> bool:
    match node:
        case Reference():
            return True
        case Not():
            return _refers(node.child)
        case All() | Any():
            return any(_refers(child) for child in node.children)
        case Leaf() | Constant():
            return False


def _is_larger(node: Node, most: int) -> bool:
    """Count nodes, but only up to `most`: shared subtrees can grow beyond all bounds."""
    size = 0
    pending = [node]
    while pending and size <= most:
        current = pending.pop()
        if isinstance(current, Not):
            pending.append(current.child)
        elif isinstance(current, (All, Any)):
            pending.extend(current.children)
        size += 1
    return size > most
