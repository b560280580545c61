"""An environment's rules, validated, compiled and ready to decide; never changed after the load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import xxhash

from edgewise.allocation import make_allocation
from edgewise.audiences.evaluator import Evaluator, make_evaluator
from edgewise.audiences.meaning import meaning_of
from edgewise.documents import ParsedRules, parse_documents
from edgewise.errors import Fault, RulesError
from edgewise.experiences.answers import selected_variants
from edgewise.fold import FoldRules
from edgewise.garbage import resting_collector
from edgewise.model.audience import Audience
from edgewise.model.document import RuleDocument
from edgewise.model.experience import Experience
from edgewise.model.profiles import Record
from edgewise.relevance import make_relevance
from edgewise.selection import Selection, ServedExperience, make_selection

__all__ = ["Ruleset", "ServedExperience", "load_ruleset"]


class Ruleset(msgspec.Struct, frozen=True, kw_only=True, weakref=True):
    """What decisions are made with.

    Args:
        names: "organization/environment", as the log, lanes and queues call it.
        digest: 8 hex characters that change when a decision could.
        audiences, experiences: in answer order, by id without regard to case.
        shared_variables: keys of variables that several experiences set.
        evaluator: decides all audiences of a profile, and all matchers of an event.
        selection: leads from matched audiences to variants.
        fold_rules: what the fold needs of it.
        set_aside: faults of app-written audiences and experiences, which never match.
    """

    organization: str
    environment: str
    names: str
    digest: str
    audiences: tuple[Audience, ...]
    experiences: tuple[ServedExperience, ...]
    shared_variables: frozenset[str]
    evaluator: Evaluator
    selection: Selection
    fold_rules: FoldRules
    set_aside: tuple[Fault, ...]

    def serves(self, record: Record) -> bool:
        """Return whether a record is one of this environment."""
        return record.environment == self.environment and record.organization == self.organization


@resting_collector()
def load_ruleset(organization: str, environment: str, documents: Iterable[RuleDocument]) -> Ruleset:
    """Return the ruleset of an environment's documents.

    Errors: RulesError with every fault in native rules; what app-written rules get wrong is set
    aside instead and named in `set_aside`.
    """
    rules = parse_documents(documents)
    if rules.faults:
        raise RulesError(rules.faults)
    experiences = tuple(_serve(experience) for experience in rules.experiences)
    names = f"{organization}/{environment}"
    evaluator = make_evaluator(rules.audiences, names)
    return Ruleset(
        organization=organization,
        environment=environment,
        names=names,
        digest=_digest(rules),
        audiences=rules.audiences,
        experiences=experiences,
        shared_variables=_shared_variables(experiences),
        evaluator=evaluator,
        selection=make_selection(evaluator.ids, experiences),
        fold_rules=FoldRules(
            match_event=evaluator.match_event,
            sticky_variants=_sticky_variants(experiences),
            respects_refusal=rules.respects_refusal,
            relevance=make_relevance(rules.audiences),
        ),
        set_aside=rules.set_aside,
    )


def _serve(experience: Experience) -> ServedExperience:
    return ServedExperience(
        experience=experience,
        audience_id=experience.audience_id,
        sticky=experience.sticky,
        allocation=make_allocation(experience),
        selected=selected_variants(experience),
    )


def _sticky_variants(experiences: Sequence[ServedExperience]) -> Mapping[str, int]:
    return {served.experience.id: len(served.selected) for served in experiences if served.sticky}


def _shared_variables(experiences: Iterable[ServedExperience]) -> frozenset[str]:
    keys = Counter(key for served in experiences for key in served.selected[0].variable_keys)
    return frozenset(key for key, count in keys.items() if count > 1)


def _digest(rules: ParsedRules) -> str:
    hasher = xxhash.xxh3_64()
    for audience in rules.audiences:
        hasher.update(f"{audience.id} {meaning_of(audience.tree)}\n".encode())
    for experience in rules.experiences:
        unplaced = msgspec.structs.replace(experience, name="", description="", file="", pointer="")
        hasher.update(msgspec.json.encode(unplaced))
    if rules.respects_refusal:
        hasher.update(b"respects refusal")
    return hasher.hexdigest()[:8]
