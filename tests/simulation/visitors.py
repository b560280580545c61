"""Visitors with several devices, whose clients send the same again until it is acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgewise.decoding import decode_update
from edgewise.errors import ProfileNotFound, ProfileOverload, ServiceUnavailable
from edgewise.model.decision import Outcome
from edgewise.service import DecisionService
from tests.simulation.disk import READ_ONLY
from tests.simulation.processes import START_MS, ConnectionLost, Process
from tests.simulation.reference import Violation
from tests.simulation.rules import (
    ACTIONS,
    DAY_MS,
    ENVIRONMENT,
    ORGANIZATION,
    PATHS,
    PLANS,
    STICKY,
    Event,
)

_MOST_ATTEMPTS = 80
_RETRIED = (ConnectionLost, ProfileOverload, ServiceUnavailable)


@dataclass
class Shared:
    """What all clients of a run share.

    Args:
        acknowledged: the numbers of all events whose request was answered.
        joined: pairs of names that an acknowledged event has said to be the same visitor.
    """

    rng: random.Random
    processes: Sequence[Process]
    users: Sequence[str]
    numbers: int = 0
    acknowledged: list[int] = field(default_factory=list)
    joined: list[tuple[str, str]] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)

    def number(self) -> int:
        """Return a serial number for one event."""
        self.numbers += 1
        return self.numbers

    def process(self) -> Process:
        """Return whichever process the next request reaches."""
        return self.rng.choice(self.processes)


@dataclass(frozen=True)
class Request:
    """A body that may be sent many times, to the same name each time."""

    name: str | None
    body: bytes
    events: tuple[Event, ...]


async def until_answered(
    shared: Shared, work: Callable[[DecisionService], Any], *, read_only: bool = False
) -> Any:
    """Return the answer of a request that is sent again until there is one."""
    last: Exception | None = None
    for attempt in range(_MOST_ATTEMPTS):
        token = READ_ONLY.set(read_only)
        try:
            return await shared.process().call(work)
        except _RETRIED as error:
            last = error
        finally:
            READ_ONLY.reset(token)
        await asyncio.sleep(shared.rng.random() * min(0.05 * 2**attempt, 5))
    raise Violation(f"a request was not answered in {_MOST_ATTEMPTS} attempts") from last


class Device:
    """One client: a browser that keeps the id it was told, or a server that uses its own name."""

    def __init__(self, shared: Shared, name: str | None) -> None:
        self.shared = shared
        self.rng = shared.rng
        self.name = name
        self.keeps_name = name is not None
        self.sent: list[Request] = []

    async def live(self, steps: int) -> None:
        """Do this many things, one after the other or some at once."""
        for _ in range(steps):
            pause_s = self.rng.choice((0.0, 0.01, 1.0, 60.0, 3000.0))
            await asyncio.sleep(pause_s * self.rng.random())
            if self.name is not None and self.rng.random() < 0.15:
                await asyncio.gather(self._act(), self._act())
            else:
                await self._act()

    async def _act(self) -> None:
        dice = self.rng.random()
        if self.name is None:
            await self._first()
        elif dice < 0.08:
            await self._preflight()
        elif dice < 0.16:
            await self._read(self.name)
        elif dice < 0.26 and self.sent:
            # Late, and by whichever process: a queue that delivers again.
            await self._deliver(self.rng.choice(self.sent))
        elif dice < 0.28:
            await self._flood()
        else:
            request = self._request(self.name, self.rng.choice((1, 1, 1, 2, 4)))
            await self._deliver(request)
            self.sent.append(request)

    async def _first(self) -> None:
        """A first visit without an id; a client that gets no answer starts over as somebody new."""
        preflight = self.rng.random() < 0.3
        while self.name is None:
            events = [self._event("page")] if preflight else self._events(2)
            # What identifies the visitor finds the same profile again; the rest is given up.
            same = any(event.get("userId") for event in events) and not preflight
            request = make_request(None, events)
            try:
                if same:
                    outcome = await until_answered(self.shared, updating(request))
                else:
                    outcome = await self._once(request, preflight)
            except _RETRIED:
                continue
            self.name = outcome.profile.id
            if not preflight:
                self._note(request, outcome)

    async def _once(self, request: Request, preflight: bool) -> Outcome:
        token = READ_ONLY.set(preflight)
        try:
            process = self.shared.process()
            return await process.call(updating(request, preflight=preflight))
        finally:
            READ_ONLY.reset(token)

    async def _deliver(self, request: Request) -> None:
        outcome = await until_answered(self.shared, updating(request))
        self._note(request, outcome)
        if not self.keeps_name:
            self.name = outcome.profile.id

    async def _flood(self) -> None:
        """More events than a record remembers, so that it forgets what came before."""
        for _ in range(2):
            request = make_request(self.name, [self._event("track") for _ in range(130)])
            await self._deliver(request)

    async def _preflight(self) -> None:
        index = self.rng.randrange(3)
        view = {"type": "component", "componentId": "c", "experienceId": "sticky-1"}
        event = self._finished({**view, "variantIndex": index})
        request = make_request(self.name, [event, self._event("page")])
        work = updating(request, preflight=True)
        outcome: Outcome = await until_answered(self.shared, work, read_only=True)
        before = outcome.profile.assignments.get("sticky-1")
        if before is not None and before != index:
            return
        # It may have been pinned by an earlier view, never by this one.
        found = await self._found(self.name or "")
        if before is not None and found is not None and not found.profile.assignments:
            raise Violation("a preflight answered a pinned variant")

    async def _read(self, name: str) -> None:
        await self._found(name)

    async def _found(self, name: str) -> Outcome | None:
        try:
            outcome: Outcome = await until_answered(
                self.shared,
                lambda service: service.read(ORGANIZATION, ENVIRONMENT, name),
                read_only=True,
            )
        except ProfileNotFound:
            return None
        return outcome

    def _note(self, request: Request, outcome: Outcome) -> None:
        shared = self.shared
        names = [request.name or outcome.profile.id]
        for event in request.events:
            shared.acknowledged.append(event["context"]["number"])
            if event["type"] in ("identify", "alias") and event.get("userId"):
                names.append(event["userId"])
        shared.joined += [(names[0], name) for name in names[1:]]
        shared.answered.append((names[0], outcome.profile.id))

    def _request(self, name: str | None, count: int) -> Request:
        return make_request(name, self._events(count))

    def _events(self, most: int) -> list[Event]:
        kinds = ("page", "page", "track", "track", "component", "identify", "traits", "alias")
        return [self._event(self.rng.choice(kinds)) for _ in range(self.rng.randint(1, most))]

    def _event(self, kind: str) -> Event:
        rng = self.rng
        if kind == "page":
            return self._finished({"type": "page", "path": rng.choice(PATHS)})
        if kind == "track":
            return self._finished({"type": "track", "event": rng.choice(ACTIONS)})
        if kind == "component":
            experience_id = rng.choice((*STICKY, "unknown"))
            view = {"experienceId": experience_id, "variantIndex": rng.randint(0, 3)}
            return self._finished({"type": "component", "componentId": "c", **view})
        if kind == "alias":
            return self._finished({"type": "alias", "userId": rng.choice(self.shared.users)})
        traits = {"plan": rng.choice(PLANS), rng.choice("xyz"): self.shared.number()}
        user_id = rng.choice(self.shared.users) if kind == "identify" else ""
        return self._finished({"type": "identify", "userId": user_id, "traits": traits})

    def _finished(self, event: Event) -> Event:
        """An event with a number, and with a time and a message id as senders give them."""
        rng = self.rng
        number = self.shared.number()
        context: Event = {"number": number}
        if "path" in event:
            path = event.pop("path")
            context["page"] = {"path": path, "url": f"https://shop.example{path}", "query": {}}
        now_ms = START_MS + int(asyncio.get_running_loop().time() * 1000)
        dice = rng.random()
        if dice < 0.75:
            event["timestamp"] = now_ms
        elif dice < 0.85:
            event["timestamp"] = now_ms - rng.randint(1, 5 * DAY_MS)
        elif dice < 0.95:
            event["originalTimestamp"] = now_ms + rng.randint(1, 3_600_000)
        # What has neither a time of its own nor an id cannot be told from its own resend.
        if ("timestamp" not in event and "originalTimestamp" not in event) or rng.random() < 0.9:
            event["messageId"] = f"m-{number}"
        return {**event, "context": context}


class Eraser:
    """Somebody who has profiles erased, by whichever of their names."""

    def __init__(self, shared: Shared, devices: Sequence[Device]) -> None:
        self.shared = shared
        self.devices = devices

    async def live(self, steps: int) -> None:
        """Erase some profiles, now and then."""
        rng = self.shared.rng
        for _ in range(steps):
            await asyncio.sleep(rng.random() * rng.choice((0.1, 100.0, 3000.0)))
            names = [device.name for device in self.devices if device.name is not None]
            name = rng.choice([*names, *self.shared.users])
            # An impatient client asks twice, and two processes erase at once.
            await asyncio.gather(*(self._erase(name) for _ in range(rng.choice((1, 1, 3)))))

    async def _erase(self, name: str) -> None:
        try:
            await until_answered(
                self.shared, lambda service: service.erase(ORGANIZATION, ENVIRONMENT, name)
            )
        except ProfileNotFound:
            return


def make_request(name: str | None, events: Sequence[Event]) -> Request:
    """Return a request that is encoded once, so that it is the same whenever it is sent."""
    return Request(name, json.dumps({"events": events}).encode(), tuple(events))


def updating(request: Request, *, preflight: bool = False) -> Callable[[DecisionService], Any]:
    """Return the call of a service that sends a request."""
    return lambda service: service.update(
        ORGANIZATION,
        ENVIRONMENT,
        request.name,
        decode_update(request.body),
        preflight=preflight,
    )
