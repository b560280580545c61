"""Conditions that cannot decide anything: they never hold, or always do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgewise.errors import Fault
from edgewise.lint.conflicts import conflict
from edgewise.lint.notes import Place, Subject, note, place_of
from edgewise.model.audience import All, Any, Audience, Constant, Leaf, Node, Not

_REMEDY = "remove it, or correct one of its conditions"


def check_conditions(subject: Subject) -> Iterator[Fault]:
    """Warn of audiences, and of parts of them, that hold for nobody or for everyone."""
    set_aside = {fault.audience_id for fault in subject.ruleset.set_aside}
    for audience in subject.ruleset.audiences:
        if audience.id not in set_aside:
            yield from _check(audience)


def _check(audience: Audience) -> Iterator[Fault]:
    place = Place(audience.file, audience.pointer, audience.id)
    if reason := _why_never(audience.tree):
        yield note("never_matches", place, f'"{audience.id}" never matches: {reason}', _REMEDY)
    elif reason := _why_always(audience.tree):
        message = f'"{audience.id}" matches everyone: {reason}'
        yield note("always_matches", place, message, "an experience for everyone needs no audience")
    else:
        yield from _check_parts(audience.tree, audience)


def _check_parts(node: Node, audience: Audience) -> Iterator[Fault]:
    """Warn of parts, the outermost first, of a tree that itself can go both ways."""
    for child in _children(node):
        place = place_of(_origin(child), audience.id)
        if reason := _why_never(child):
            yield note("never_matches", place, f"a part of the rule never holds: {reason}", _REMEDY)
        elif reason := _why_always(child):
            yield note(
                "always_matches", place, f"a part of the rule always holds: {reason}", _REMEDY
            )
        else:
            yield from _check_parts(child, audience)


def _why_never(node: Node) -> str:
    """Why a tree holds for nobody, or nothing where it may hold."""
    match node:
        case Constant():
            return "" if node.value else "nothing satisfies its conditions"
        case Leaf():
            return conflict([node], [])
        case Not():
            return _why_always(node.child)
        case All():
            reasons = (_why_never(child) for child in node.children)
            return next(filter(None, reasons), "") or _conflict_in(node.children)
        case Any():
            found = [_why_never(child) for child in node.children]
            return found[0] if found and all(found) else ""
        case _:
            return ""


def _why_always(node: Node) -> str:
    """Why a tree holds for everyone, or nothing where it may not."""
    match node:
        case Constant():
            return "nothing is asked" if node.value else ""
        case Not():
            return _why_never(node.child)
        case All():
            found = [_why_always(child) for child in node.children]
            return found[0] if found and all(found) else ""
        case Any():
            reasons = (_why_always(child) for child in node.children)
            return next(filter(None, reasons), "") or _complement_in(node.children)
        case _:
            return ""


def _conflict_in(children: Sequence[Node]) -> str:
    positive = [child for child in children if isinstance(child, Leaf)]
    negative = [
        leaf
        for child in children
        if isinstance(child, Not)
        for leaf in (child.child.children if isinstance(child.child, Any) else (child.child,))
        if isinstance(leaf, Leaf)
    ]
    return conflict(positive, negative)


def _complement_in(children: Sequence[Node]) -> str:
    """A test and its opposite side by side: one of the two holds."""
    tests = [child.test for child in children if isinstance(child, Leaf)]
    for child in children:
        if isinstance(child, Not) and isinstance(child.child, Leaf) and child.child.test in tests:
            return "a condition and its opposite stand side by side"
    return ""


def _children(node: Node) -> Sequence[Node]:
    match node:
        case All() | Any():
            return node.children
        case Not():
            return (node.child,)
        case _:
            return ()


def _origin(node: Node) -> str:
    if isinstance(node, Leaf):
        return node.origin
    return next(filter(None, map(_origin, _children(node))), "")
