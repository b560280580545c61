"""The rules of the simulated environment in several revisions, and what they mean in plain words.

Each rule is stated once, as data: the engine gets it in the native form, the reference counts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgewise.model.document import RuleDocument
from edgewise.ruleset import Ruleset, load_ruleset

ORGANIZATION = "org"
ENVIRONMENT = "main"
DAY_MS = 86_400_000

STICKY = {"sticky-1": 3, "sticky-2": 2}
"""Sticky experiences, the same in every revision, with the number of their variants."""

PATHS = ("/a", "/b")
ACTIONS = ("buy", "look")
PLANS = ("free", "pro")

Event = dict[str, Any]


@dataclass(frozen=True)
class CountRule:
    """An audience of those with at least `count` events of one kind, ever or within some days."""

    kind: str
    name: str
    count: int
    days: int = 0

    @property
    def audience_id(self) -> str:
        """The rule in one word."""
        return f"{self.kind}{self.name.replace('/', '-')}-{self.count}-{self.days}"

    def counts(self, event: Event) -> bool:
        """Whether the rule is about an event."""
        if self.kind == "page":
            path = event.get("context", {}).get("page", {}).get("path")
            return bool(event["type"] == "page" and path == self.name)
        return bool(event["type"] == "track" and event["event"] == self.name)

    def holds(self, history: Sequence[tuple[int, Event]], now_ms: int) -> bool:
        """Whether a history of times and events satisfies the rule."""
        earliest_ms = now_ms - self.days * DAY_MS if self.days else 0
        times = [time_ms for time_ms, event in history if self.counts(event)]
        return sum(time_ms >= earliest_ms for time_ms in times) >= self.count

    def raw(self) -> dict[str, Any]:
        """The audience as a person would write it."""
        asked: dict[str, Any]
        if self.kind == "page":
            asked = {"has viewed page": {"path": self.name}}
        else:
            asked = {"has performed event": self.name}
        if self.days:
            asked["within"] = f"{self.days} days"
        return {"id": self.audience_id, **asked, "at least": self.count}


@dataclass(frozen=True)
class Revision:
    """One state of the rules: what the engine serves and what the reference checks."""

    rules: tuple[CountRule, ...]
    ruleset: Ruleset


def make_revision(rng: random.Random) -> Revision:
    """Return a random choice of rules."""
    names = [("page", path) for path in PATHS] + [("track", action) for action in ACTIONS]
    rules: dict[str, CountRule] = {}
    for _ in range(rng.randint(2, 6)):
        kind, name = rng.choice(names)
        rule = CountRule(kind, name, rng.choice((1, 2, 3, 5, 9)), rng.choice((0, 0, 1, 3)))
        rules[rule.audience_id] = rule
    audiences = [rule.raw() for rule in rules.values()]
    audiences.append({"id": "pro", "has trait": {"plan": "pro"}})
    content = {"audiences": audiences, "experiences": [*map(_sticky, STICKY)]}
    ruleset = load_ruleset(ORGANIZATION, ENVIRONMENT, [RuleDocument("simulated.yaml", content)])
    return Revision(tuple(rules.values()), ruleset)


def _sticky(experience_id: str) -> dict[str, Any]:
    variants = [f"v{index}" for index in range(1, STICKY[experience_id])]
    return {
        "id": experience_id,
        "sticky": True,
        "type": "experiment",
        "components": [{"entry": f"{experience_id}-entry", "variants": variants}],
    }
