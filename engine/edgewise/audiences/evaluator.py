"""All audiences of a profile, and all matchers of an event, by compiled predicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any as AnyValue

import msgspec
import xxhash

from edgewise.audiences.compiler import Function, compile_functions
from edgewise.audiences.runtime import Generated
from edgewise.model.audience import All, Any, Audience, CountTest, Leaf, Matcher, Node, Not
from edgewise.model.event import Event
from edgewise.model.profile import Profile

Predicate = Callable[[Profile, int], bool]
EventPredicate = Callable[[Event], bool]


class Evaluator(msgspec.Struct, frozen=True, kw_only=True):
    """Compiled rules.

    Args:
        predicates: audience id → predicate over a profile and the time in milliseconds.
        matchers: every matcher that an audience needs, by id.
        matchers_digest: 8 bytes that name this set of matchers.
        generated: the generated module behind the predicates.
    """

    predicates: dict[str, Predicate]
    matchers: dict[int, Matcher]
    matchers_digest: bytes
    event_predicates: dict[str, tuple[tuple[Matcher, EventPredicate], ...]]
    generated: Generated

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Return the ids of the audiences that a profile belongs to, in answer order."""
        return [
            audience_id
            for audience_id, predicate in self.predicates.items()
            if predicate(profile, now_ms)
        ]

    def match_event(self, event: Event) -> list[Matcher]:
        """Return the matchers that an event satisfies."""
        return [
            matcher
            for matcher, matches in self.event_predicates.get(event.type, ())
            if matches(event)
        ]


def make_evaluator(audiences: Sequence[Audience], label: str) -> Evaluator:
    """Return the evaluator of some audiences, in the order in which they are to be answered."""
    matchers = {
        matcher.id: matcher for audience in audiences for matcher in matchers_of(audience.tree)
    }
    functions = [
        Function(f"audience_{position}", audience.tree)
        for position, audience in enumerate(audiences)
    ]
    event_functions = [
        Function(f"matcher_{position}", matcher.tree, "event")
        for position, matcher in enumerate(matchers.values())
    ]
    generated = compile_functions([*functions, *event_functions], label)
    by_type: dict[str, list[tuple[Matcher, AnyValue]]] = {}
    for function, matcher in zip(event_functions, matchers.values(), strict=True):
        predicate = generated.functions[function.name]
        by_type.setdefault(_event_type(matcher.tree), []).append((matcher, predicate))
    return Evaluator(
        predicates={
            audience.id: generated.functions[function.name]
            for audience, function in zip(audiences, functions, strict=True)
        },
        matchers=matchers,
        matchers_digest=_matchers_digest(matchers),
        event_predicates={name: tuple(pairs) for name, pairs in by_type.items()},
        generated=generated,
    )


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


def _event_type(tree: Node) -> str:
    """The type of event a matcher counts: every parser asks for one, at the top of the tree."""
    for child in tree.children if isinstance(tree, All) else (tree,):
        if isinstance(child, Leaf) and not isinstance(child.test, CountTest):
            test = child.test
            if test.attribute.source == "event_type" and isinstance(test.operand, str):
                return test.operand
    raise ValueError("a matcher must ask for one type of event")


def _matchers_digest(matchers: Iterable[int]) -> bytes:
    ids = b"".join(matcher_id.to_bytes(8, "big") for matcher_id in sorted(matchers))
    return xxhash.xxh3_64_digest(ids)
