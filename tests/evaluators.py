"""Every way to evaluate rules behind one face, so that each test of meaning runs on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from edgewise.audiences.compiler import Function, compile_functions
from edgewise.audiences.evaluator import make_evaluator, matchers_of
from edgewise.audiences.interpret import holds, matches_event
from edgewise.model.audience import Audience, Matcher
from edgewise.model.event import Event
from edgewise.model.profiles import Profile


class Evaluation(Protocol):
    """Some audiences, ready to be evaluated."""

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Return the ids of the audiences that a profile belongs to, in their order."""

    def match_event(self, event: Event) -> list[Matcher]:
        """Return the matchers that an event satisfies."""


class Interpreted:
    """The reference."""

    def __init__(self, audiences: Sequence[Audience]) -> None:
        self.audiences = audiences
        found = (matcher for audience in audiences for matcher in matchers_of(audience.tree))
        self.matchers = list({matcher.id: matcher for matcher in found}.values())

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Walk every tree."""
        return [one.id for one in self.audiences if holds(one.tree, profile, now_ms)]

    def match_event(self, event: Event) -> list[Matcher]:
        """Walk every tree."""
        return [matcher for matcher in self.matchers if matches_event(matcher.tree, event)]


class Predicates:
    """One compiled predicate per audience and per matcher."""

    def __init__(self, audiences: Sequence[Audience]) -> None:
        self.matchers = Interpreted(audiences).matchers
        members = [Function(f"member_{i}", one.tree) for i, one in enumerate(audiences)]
        matches = [
            Function(f"matches_{i}", one.tree, "event") for i, one in enumerate(self.matchers)
        ]
        self.generated = compile_functions([*members, *matches], "test")
        functions = self.generated.functions
        self.predicates = {
            one.id: functions[function.name]
            for one, function in zip(audiences, members, strict=True)
        }
        self.event_predicates = [functions[function.name] for function in matches]

    def members(self, profile: Profile, now_ms: int) -> list[str]:
        """Ask every predicate, and hold it to answer true or false and nothing else."""
        answers = {id_: ask(profile, now_ms) for id_, ask in self.predicates.items()}
        assert all(isinstance(answer, bool) for answer in answers.values())
        return [id_ for id_, answer in answers.items() if answer]

    def match_event(self, event: Event) -> list[Matcher]:
        """Ask every predicate over events."""
        asked = zip(self.matchers, self.event_predicates, strict=True)
        return [matcher for matcher, ask in asked if ask(event)]


def ruleset_evaluator(audiences: Sequence[Audience]) -> Evaluation:
    """Return the evaluator that rulesets use."""
    return make_evaluator(audiences, "test")


def indexed_evaluator(audiences: Sequence[Audience]) -> Evaluation:
    """Return the evaluator that large rulesets use, also where there are few rules."""
    return make_evaluator(audiences, "test", index_from=0)


# A further evaluator is tested like the others once it stands here; the first is the reference.
EVALUATORS: dict[str, Callable[[Sequence[Audience]], Evaluation]] = {
    "interpreted": Interpreted,
    "predicates": Predicates,
    "ruleset": ruleset_evaluator,
    "indexed": indexed_evaluator,
}
