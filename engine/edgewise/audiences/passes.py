"""Pure tree → tree passes, in the order of `PASSES`; none changes what a tree means.

`simplify` runs them all. They run once at load, so that evaluators see few shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgewise.audiences.meaning import meaning_of
from edgewise.model.audience import All, Any, Constant, CountTest, Leaf, Node, Not, Reference


def settle_counts(node: Node) -> Node:
    """Replace count tests that every history answers alike by constants; none is negative."""
    match node:
        case Leaf():
            settled = _settled_count(node.test) if isinstance(node.test, CountTest) else None
            return node if settled is None else Constant(settled)
        case All() | Any():
            return type(node)(tuple(map(settle_counts, node.children)))
        case Not():
            return Not(settle_counts(node.child))
        case Reference() | Constant():
            return node


def _settled_count(test: CountTest) -> bool | None:
    if test.operator == "greaterThanInclusive" and test.count <= 0:
        return True
    if test.operator == "lessThan" and test.count <= 0:
        return False
    return None


def fold_constants(node: Node) -> Node:
    """Remove constants below the root, and double negations."""
    match node:
        case Leaf():
            return node
        case Not():
            child = fold_constants(node.child)
            if isinstance(child, Constant):
                return Constant(not child.value)
            return child.child if isinstance(child, Not) else Not(child)
        case All():
            return _fold_children(node, absorbing=False)
        case Any():
            return _fold_children(node, absorbing=True)
        case Reference() | Constant():
            return node


def _fold_children(node: All | Any, *, absorbing: bool) -> Node:
    children = []
    for child in map(fold_constants, node.children):
        if not isinstance(child, Constant):
            children.append(child)
        elif child.value is absorbing:
            return Constant(absorbing)
    return type(node)(tuple(children)) if children else Constant(not absorbing)


def flatten(node: Node) -> Node:
    """Lift `All` out of `All` and `Any` out of `Any`, and drop repetitions."""
    match node:
        case Leaf():
            return node
        case Not():
            child = flatten(node.child)
            # A list of two equal negations has become one.
            return child.child if isinstance(child, Not) else Not(child)
        case All() | Any():
            children = list(_flat_children(node))
            if len(children) > 1:
                children = list({meaning_of(child): child for child in children}.values())
            return children[0] if len(children) == 1 else type(node)(tuple(children))
        case Reference() | Constant():
            return node


def _flat_children(node: All | Any) -> Iterator[Node]:
    for child in map(flatten, node.children):
        if type(child) is type(node):
            yield from child.children
        else:
            yield child


PASSES: tuple[Callable[[Node], Node], ...] = (settle_counts, fold_constants, flatten)


def simplify(node: Node) -> Node:
    """Return a tree of the same meaning after every pass."""
    for run in PASSES:
        node = run(node)
    return node
