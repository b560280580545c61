"""What profiles must look like, worked out from the writes alone by the simplest means.

The reference sees every write that reached the disk, in order. Of a profile's record it takes only
what was decided elsewhere: the id, the seal and which profiles it has absorbed. All that is counted
or merged it works out again from the events that were logged with the writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgewise.model.log import LogEntry
from edgewise.model.profiles import Erasure, Profile, Record, Redirect
from tests.simulation.rules import STICKY, Event

BREAK_MS = 30 * 60 * 1000


class Violation(AssertionError):
    """The engine did what it must never do."""


@dataclass
class Expected:
    """What one profile must look like.

    Args:
        sessions: (first, last) time of each session; `active` is the place of the active one.
        traits: name → (value, arrival of the write).
        history: the own time of each counted event, and the event, in the order of counting.
        numbers: the serial numbers of the counted events, each of which may be there once.
    """

    stable_id: str
    sealed: bool = False
    sessions: list[tuple[int, int]] = field(default_factory=list)
    active: int = 0
    traits: dict[str, tuple[Any, int]] = field(default_factory=dict)
    pins: dict[str, int] = field(default_factory=dict)
    history: list[tuple[int, Event]] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)
    absorbed: set[str] = field(default_factory=set)

    def count(self, entry: LogEntry) -> None:
        """Take one event in."""
        event: Event = json.loads(entry.event)
        number = number_of(event)
        if number in self.numbers:
            raise Violation(f"event {number} was counted twice")
        self.numbers.add(number)
        self.history.append((entry.time_ms, event))
        self._count_session(entry.time_ms)
        if event["type"] == "identify":
            for name, value in event.get("traits", {}).items():
                self.traits[name] = (value, entry.arrival_ms)
        if event["type"] == "component" and event["experienceId"] in STICKY:
            index = event["variantIndex"]
            if 0 <= index < STICKY[event["experienceId"]]:
                self.pins.setdefault(event["experienceId"], index)

    def _count_session(self, time_ms: int) -> None:
        if self.sessions and time_ms - self.sessions[self.active][1] <= BREAK_MS:
            first, last = self.sessions[self.active]
            self.sessions[self.active] = (first, max(last, time_ms))
        else:
            self.sessions.append((time_ms, time_ms))
            self.active = len(self.sessions) - 1

    def merge(self, other: Expected) -> None:
        """Take another profile in."""
        if self.numbers & other.numbers:
            raise Violation(f"events {self.numbers & other.numbers} were counted twice in a merge")
        if other.sessions:
            newer = not self.sessions or (
                other.sessions[other.active][1] > self.sessions[self.active][1]
            )
            self.active = len(self.sessions) + other.active if newer else self.active
            self.sessions = self.sessions + other.sessions
        for name, (value, written_ms) in other.traits.items():
            if name not in self.traits or written_ms > self.traits[name][1]:
                self.traits[name] = (value, written_ms)
        self.pins = {**other.pins, **self.pins}
        self.history = self.history + other.history
        self.numbers = self.numbers | other.numbers

    def differences(self, profile: Profile) -> dict[str, tuple[object, object]]:
        """What a record says otherwise than it must: (must, is) by name."""
        session = profile.session
        first, last = self.sessions[self.active] if self.sessions else (0, 0)
        closed_ms = sum(last_ms - first_ms for first_ms, last_ms in self.sessions) - (last - first)
        pairs: dict[str, tuple[object, object]] = {
            "stable id": (self.stable_id, profile.stable_id),
            "sessions": (len(self.sessions), session.count),
            "session start": (first, session.started_ms),
            "session end": (last, session.last_ms),
            "closed sessions": (closed_ms, session.closed_ms),
            "traits": ({name: value for name, (value, _) in self.traits.items()}, profile.traits),
            "pins": (self.pins, profile.assignments),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def number_of(event: Event) -> int:
    """Return the serial number that the simulation gives every event, whatever its type."""
    number: int = event["context"]["number"]
    return number


class Reference:
    """All profiles as they must be, and the log as it must be.

    Args:
        adrift: keys of redirects that were written when nothing lived any more where they lead.
    """

    def __init__(self) -> None:
        self.profiles: dict[str, Expected] = {}
        self.logs: dict[str, list[LogEntry]] = {}
        self.counted: list[int] = []
        self.erased: set[int] = set()
        self.adrift: set[str] = set()
        self._redirects: set[str] = set()

    def wrote(self, key: str, record: Record, entries: Sequence[LogEntry]) -> None:
        """A write reached the disk."""
        if isinstance(record, Profile):
            self._wrote_profile(key, record, entries)
        elif isinstance(record, Redirect):
            self._wrote_redirect(key, record)
        else:
            self._wrote_erasure(key, record)

    def appended(self, entries: Iterable[LogEntry]) -> None:
        """Events reached the log without a write: they must be counted all the same."""
        for entry in entries:
            self._log(entry)
            self.profiles[entry.profile_id].count(entry)

    def removed(self, key: str) -> None:
        """A key was removed from the disk: only what an erasure has dealt with may be."""
        if key in self.profiles:
            raise Violation(f"the profile {key[:8]} was removed without an erasure")
        self.adrift.discard(key)
        self._redirects.discard(key)

    def removed_log(self, profile_id: str) -> None:
        """The log of a profile was removed."""
        for key, expected in self.profiles.items():
            if expected.history and profile_id in (key, *expected.absorbed):
                raise Violation(f"a log of the living profile {key[:8]} was removed")
        self.logs.pop(profile_id, None)

    def _wrote_profile(self, key: str, record: Profile, entries: Sequence[LogEntry]) -> None:
        if record.id != key:
            raise Violation(f"the record of {record.id[:8]} lies under {key[:8]}")
        expected = self.profiles.setdefault(key, Expected(stable_id=key))
        if expected.sealed and (entries or set(record.absorbed) != expected.absorbed):
            raise Violation(f"something was added to {key[:8]} while it was sealed")
        expected.sealed = bool(record.merging_into)
        for absorbed_id in record.absorbed:
            if absorbed_id not in expected.absorbed:
                self._absorb(expected, absorbed_id)
        for entry in entries:
            self._log(entry)
            expected.count(entry)

    def _absorb(self, survivor: Expected, absorbed_id: str) -> None:
        survivor.absorbed.add(absorbed_id)
        loser = self.profiles.get(absorbed_id)
        if loser is None:
            return
        if not loser.sealed:
            raise Violation(f"{absorbed_id[:8]} was merged without having been sealed")
        survivor.merge(loser)
        survivor.absorbed |= loser.absorbed
        # What is left of it is empty: its redirect may follow.
        self.profiles[absorbed_id] = Expected(loser.stable_id, sealed=True)

    def _wrote_redirect(self, key: str, record: Redirect) -> None:
        replaced = self.profiles.pop(key, None)
        if replaced is not None and replaced.history:
            raise Violation(f"{key[:8]} became a redirect before its events were elsewhere")
        if record.profile_id == key:
            raise Violation(f"{key[:8]} leads to itself")
        if record.profile_id not in self.profiles and record.profile_id not in self._redirects:
            self.adrift.add(key)
        self._redirects.add(key)

    def _wrote_erasure(self, key: str, record: Erasure) -> None:
        erased = self.profiles.pop(key, None)
        if erased is None:
            raise Violation(f"{key[:8]} was erased without having been there")
        self.erased |= erased.numbers
        for absorbed_id in erased.absorbed & set(record.keys):
            # One that was absorbed and is not a redirect yet.
            left = self.profiles.get(absorbed_id)
            if left is not None and left.sealed and not left.history:
                del self.profiles[absorbed_id]

    def _log(self, entry: LogEntry) -> None:
        self.logs.setdefault(entry.profile_id, []).append(entry)
        self.counted.append(number_of(json.loads(entry.event)))
