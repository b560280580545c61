"""Servers of the shop that send the events of several visitors at once, or have them imported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from edgewise.decoding import decode_update
from edgewise.grouping import group_events
from edgewise.model.imports import ImportedProfile
from edgewise.service import DecisionService
from tests.simulation.reference import number_of
from tests.simulation.rules import ENVIRONMENT, ORGANIZATION, Event
from tests.simulation.visitors import Device, Shared, until_answered


class Partner:
    """A client that knows visitors by the ids of their devices, by user ids, and by its own names.

    Args:
        imported: receives the numbers of all events whose import was accepted.
    """

    def __init__(self, shared: Shared, devices: Sequence[Device], imported: list[int]) -> None:
        self.shared = shared
        self.rng = shared.rng
        self.devices = devices
        self.imported = imported

    async def live(self, steps: int) -> None:
        """Send so many batches and imports, and some of them again."""
        sent: list[tuple[bool, bytes]] = []
        for _ in range(steps):
            await asyncio.sleep(self.rng.random() * self.rng.choice((0.1, 10.0, 3000.0)))
            if sent and self.rng.random() < 0.2:
                request = self.rng.choice(sent)
            else:
                request = (self.rng.random() < 0.6, self._body())
                sent.append(request)
            await self._send(*request)

    def _body(self) -> bytes:
        events: list[Event] = []
        names = [self._name() for _ in range(self.rng.randint(1, 4))]
        for _ in range(self.rng.choice((1, 3, 8))):
            (event,) = self.devices[0]._events(1)
            events.append({**event, "anonymousId": self.rng.choice(names)})
        return json.dumps({"events": events}).encode()

    def _name(self) -> str:
        known = [device.name for device in self.devices if device.name is not None]
        return self.rng.choice([*known, *self.shared.users, f"customer-{self.rng.randrange(3)}"])

    async def _send(self, later: bool, body: bytes) -> None:
        work = importing(body) if later else batching(body)
        await until_answered(self.shared, work)
        for event in json.loads(body)["events"]:
            (self.imported if later else self.shared.acknowledged).append(number_of(event))
            user_id = event.get("userId")
            if event["type"] in ("identify", "alias") and user_id:
                self.shared.joined.append((event["anonymousId"], user_id))


def batching(body: bytes) -> Callable[[DecisionService], Any]:
    """Return the call of a service that applies a batch."""
    return lambda service: service.apply_batch(
        ORGANIZATION, ENVIRONMENT, group_events(decode_update(body)), preflight=False
    )


def importing(body: bytes) -> Callable[[DecisionService], Any]:
    """Return the call of a service that queues an import."""
    groups = group_events(decode_update(body))
    profiles = [ImportedProfile((name,), tuple(update.raws)) for name, update in groups.items()]
    return lambda service: service.enqueue_import(ORGANIZATION, ENVIRONMENT, profiles)
