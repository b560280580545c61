"""The reference evaluator: slow, obvious, and what every other evaluator must agree with."""

from __future__ import annotations

from edgewise.attributes import read
from edgewise.model.audience import All, Any, Constant, CountTest, Leaf, Node, Not, Reference, Test
from edgewise.model.event import Event
from edgewise.model.profiles import Profile
from edgewise.operators import reference_test


def holds(node: Node, profile: Profile, now_ms: int) -> bool:
    """Return whether a tree holds for a profile at a time; never raises on profile data."""
    match node:
        case Leaf():
            test = node.test
            if isinstance(test, CountTest):
                return reference_test(test.operator)(count_of(test, profile, now_ms), test.count)
            return _test_holds(test, profile)
        case Not():
            return not holds(node.child, profile, now_ms)
        case All():
            return all(holds(child, profile, now_ms) for child in node.children)
        case Any():
            return any(holds(child, profile, now_ms) for child in node.children)
        case Constant():
            return node.value
        case Reference():
            raise ValueError(f"the reference to audience {node.audience_id!r} is not linked")


def matches_event(node: Node, event: Event) -> bool:
    """Return whether a matcher's tree holds for one event."""
    match node:
        case Leaf(test=Test() as test):
            return _test_holds(test, event)
        case Not():
            return not matches_event(node.child, event)
        case All():
            return all(matches_event(child, event) for child in node.children)
        case Any():
            return any(matches_event(child, event) for child in node.children)
        case Constant():
            return node.value
        case Leaf() | Reference():
            raise ValueError("a matcher reads one event only")


def count_of(test: CountTest, profile: Profile, now_ms: int) -> int:
    """Return how many events a count test sees: all of them, or those in its window."""
    matcher = test.matcher
    if not matcher.window_ms:
        return profile.counts.get(matcher.id, 0)
    times = profile.recent.get(matcher.id, ())
    return sum(time_ms >= now_ms - matcher.window_ms for time_ms in times)


def _test_holds(test: Test, subject: Profile | Event) -> bool:
    value = read(test.attribute, subject)
    return value is not None and reference_test(test.operator)(value, test.operand)
