"""A service over a store in memory, driven without HTTP."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Coroutine
from itertools import count
from typing import Any, TypeVar

from edgewise.decoding import Update, decode_update
from edgewise.identity import Identity, Loaded
from edgewise.model.decision import Outcome
from edgewise.model.document import RuleDocument
from edgewise.model.profiles import Profile
from edgewise.records import Records, id_for_name
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.service import DecisionService
from edgewise.stores.base import ServiceStore
from edgewise.stores.memory import MemoryStore

_T = TypeVar("_T")

ORGANIZATION = "org"
NOW_MS = 1_790_000_000_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000

_serial = count()


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine returns."""
    return asyncio.run(coroutine)


def ruleset_of(
    *audiences: dict[str, Any], environment: str = "main", sticky: tuple[str, ...] = ()
) -> Ruleset:
    """Return the ruleset of some native audiences and sticky experiments of three variants."""
    experiences = [
        {
            "id": experience_id,
            "sticky": True,
            "type": "experiment",
            "components": [{"entry": f"{experience_id}-entry", "variants": ["v1", "v2"]}],
        }
        for experience_id in sticky
    ]
    content = {"audiences": list(audiences), "experiences": experiences}
    return load_ruleset(ORGANIZATION, environment, [RuleDocument("test.yaml", content)])


def performed(name: str, times: int = 1, **members: Any) -> dict[str, Any]:
    """Return an audience of those who performed an event that often, named after both."""
    rule = {"id": f"{name}-{times}", "has performed event": name, "at least": times}
    return {**rule, **members}


def track(name: str = "buy", **members: Any) -> dict[str, Any]:
    """Return a track event with a message id of its own."""
    return event("track", event=name, **members)


def identify(user_id: str, message_id: str | None = None, **traits: Any) -> dict[str, Any]:
    """Return an identify event with a message id of its own, unless one is given."""
    members = {"messageId": message_id} if message_id else {}
    return event("identify", userId=user_id, traits=traits, **members)


def event(kind: str, **members: Any) -> dict[str, Any]:
    """Return an event of a kind with a message id of its own and a time, unless they are given."""
    common = {"messageId": f"message-{next(_serial)}", "timestamp": NOW_MS}
    return {"type": kind, **common, **members}


def update_of(*events: dict[str, Any]) -> Update:
    """Return events as they are decoded from a request."""
    return decode_update(json.dumps({"events": events}).encode())


def name_key(name: str, environment: str = "main") -> str:
    """Return the key of a name."""
    return id_for_name(f"{ORGANIZATION}/{environment}", name)


class Server:
    """A service with a clock that a test sets, and short names for what tests do.

    Args:
        rulesets: the served environments; without any there is one without rules.
    """

    def __init__(self, *rulesets: Ruleset, store: ServiceStore | None = None) -> None:
        served = rulesets or (ruleset_of(),)
        self.now_ms = NOW_MS
        self.store: Any = store or MemoryStore()
        self.service = DecisionService(
            {(one.organization, one.environment): one for one in served},
            self.store,
            clock=lambda: self.now_ms,
            jitter=random.Random(1),
            retention=None,
        )
        self.ruleset = served[0]

    def serve(self, ruleset: Ruleset) -> None:
        """Serve other rules from now on."""
        self.service.rulesets = {(ruleset.organization, ruleset.environment): ruleset}
        self.ruleset = ruleset

    async def send(
        self,
        name: str | None,
        *events: dict[str, Any],
        environment: str = "main",
        preflight: bool = False,
    ) -> Outcome:
        """Return the outcome of an update."""
        update = update_of(*events)
        return await self.service.update(
            ORGANIZATION, environment, name, update, preflight=preflight
        )

    async def profile(self, name: str | None, *events: dict[str, Any]) -> Profile:
        """Return the profile after an update, or as it is where there are no events."""
        if events:
            return (await self.send(name, *events)).profile
        assert name is not None
        return (await self.read(name)).profile

    async def read(self, name: str, environment: str = "main") -> Outcome:
        """Return the outcome of a read."""
        return await self.service.read(ORGANIZATION, environment, name)

    async def erase(self, name: str, environment: str = "main") -> None:
        """Erase a profile."""
        await self.service.erase(ORGANIZATION, environment, name)

    @property
    def records(self) -> Records:
        """What lies in the store."""
        return Records(self.store)

    @property
    def identity(self) -> Identity:
        """The identities of the first environment."""
        return Identity(self.records, self.ruleset)

    async def living(self, name: str) -> Loaded:
        """Return the living profile behind a name, which must exist."""
        found = await self.identity.find(name)
        assert found is not None
        return found
