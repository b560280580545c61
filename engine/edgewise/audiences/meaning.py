"""What a tree means, as one text: equal for trees that differ only in place and order."""

from __future__ import annotations

import msgspec

from edgewise.model.audience import All, Any, Constant, CountTest, Leaf, Node, Not, Reference, Test


def meaning_of(node: Node) -> str:
    """Return a canonical text of a tree: origins left out, children sorted."""
    match node:
        case Leaf():
            return _meaning_of_test(node.test)
        case Reference():
            return f"(audience {msgspec.json.encode(node.audience_id).decode()})"
        case Constant():
            return str(node.value).lower()
        case Not():
            return f"(not {meaning_of(node.child)})"
        case All():
            return f"(all {' '.join(sorted(meaning_of(child) for child in node.children))})"
        case Any():
            return f"(any {' '.join(sorted(meaning_of(child) for child in node.children))})"


def _meaning_of_test(test: Test | CountTest) -> str:
    if isinstance(test, CountTest):
        return f"(count {test.operator} {test.count} of {test.matcher.id})"
    parts = (test.attribute.source, test.attribute.key, test.operator, test.operand)
    return msgspec.json.encode(parts).decode()
