"""Workloads as plain data, and what the same data is in the engine's own forms."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import msgspec

from edgewise.model.document import RuleDocument
from edgewise.model.event import ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, load_ruleset

ORGANIZATION, ENVIRONMENT = "bench", "main"
NOW_MS = 1_790_000_000_000


class Condition(msgspec.Struct, frozen=True):
    """One test: `attribute` is a key of the attributes, dotted for a nested one.

    Shape: `operator` is "eq", "neq", "in", "contains", "prefix", "regex", "gt" or "member".
    """

    attribute: str
    operator: str
    operand: Any


class AudienceSpec(msgspec.Struct, frozen=True):
    """An audience as plain data: true where every condition of one group holds."""

    id: str
    groups: tuple[tuple[Condition, ...], ...]


class Visitor(msgspec.Struct, frozen=True):
    """A visitor as plain data: an id and nested attributes."""

    id: str
    attributes: dict[str, Any]


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What a benchmark decides about.

    Args:
        audiences, visitors: plain data; empty audiences where rules count events.
        document: the same rules as the content of a native rule file.
        profiles: the same visitors as the engine stores them.
        events: one per profile, where the workload is about events.
    """

    name: str
    size: int
    document: dict[str, Any]
    profiles: tuple[Profile, ...]
    audiences: tuple[AudienceSpec, ...] = ()
    visitors: tuple[Visitor, ...] = ()
    events: tuple[ReceivedEvent, ...] = ()

    def load(self) -> Ruleset:
        """Return the ruleset of the document."""
        document = RuleDocument("workload.yaml", self.document)
        return load_ruleset(ORGANIZATION, ENVIRONMENT, [document])


PHRASES = {
    "eq": "equals",
    "neq": "does not equal",
    "in": "is one of",
    "contains": "contains",
    "prefix": "starts with",
    "regex": "matches",
    "gt": "greater than",
    "member": "includes",
}


def native_audience(spec: AudienceSpec) -> dict[str, Any]:
    """Return an audience in the native form."""
    return {
        "id": spec.id,
        "any": [
            {
                "has trait": {
                    condition.attribute: {PHRASES[condition.operator]: condition.operand}
                    for condition in group
                }
            }
            for group in spec.groups
        ],
    }


def experiment_of(audience_id: str) -> dict[str, Any]:
    """Return a 50/50 experiment for an audience."""
    return {
        "id": f"experiment-{audience_id}",
        "type": "experiment",
        "audience": audience_id,
        "allocation": "xxh3",
        "components": [{"entry": f"hero-{audience_id}", "variants": [f"hero-{audience_id}-b"]}],
    }


def native_document(audiences: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return a rule document with an experiment for each audience."""
    audiences = list(audiences)
    experiments = [experiment_of(audience["id"]) for audience in audiences]
    return {"audiences": audiences, "experiences": experiments}


def profile_of(visitor: Visitor) -> Profile:
    """Return a visitor as the engine stores it."""
    return Profile(
        organization=ORGANIZATION,
        environment=ENVIRONMENT,
        id=visitor.id,
        stable_id=visitor.id,
        created_ms=NOW_MS,
        traits=visitor.attributes,
    )


def hex_id(chance: random.Random) -> str:
    """Return 40 hexadecimal characters."""
    return f"{chance.getrandbits(160):040x}"


def of_specs(
    name: str, audiences: tuple[AudienceSpec, ...], visitors: tuple[Visitor, ...]
) -> Workload:
    """Return the workload of some plain audiences and visitors."""
    return Workload(
        name=name,
        size=len(audiences),
        audiences=audiences,
        visitors=visitors,
        document=native_document(map(native_audience, audiences)),
        profiles=tuple(map(profile_of, visitors)),
    )
