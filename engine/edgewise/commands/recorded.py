"""One visitor of a recording, as it was at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import msgspec

from edgewise.amounts import counted
from edgewise.commands.events import Recording, read_recording
from edgewise.commands.replaying import replay_visitor
from edgewise.commands.visitors import pick_visitor
from edgewise.errors import InputError
from edgewise.model.event import TimedEvent
from edgewise.model.profiles import Profile
from edgewise.printable import printable
from edgewise.ruleset import Ruleset
from edgewise.simulate.requests import Record
from edgewise.values import time_text


class RecordedVisitor(msgspec.Struct, frozen=True):
    """A visitor and what it did.

    Args:
        at_ms: the time that the visitor is as of.
        is_timed: whether the recording tells of any time.
        notes: what of the recording was left out, a line each.
    """

    profile: Profile
    events: list[TimedEvent]
    at_ms: int
    is_timed: bool
    notes: tuple[str, ...]


def find_recorded(
    path: str,
    ruleset: Ruleset,
    environments: Iterable[str],
    wanted: str,
    at_ms: int | None,
    now_ms: int,
) -> RecordedVisitor:
    """Return a visitor of the recording in a file.

    Args:
        path: of the file; "-" is standard input.
        environments: all that lines may name, as "organization/environment".
        wanted: a name or an id of the visitor; empty for the only one.
        at_ms: what arrived later is left out; None for when the last request of all arrived.
        now_ms: when a request arrived that tells no time, in a recording that tells none.
    Errors: InputError, also for a broken line, unless there are several visitors. It is told on
        standard error then, for nobody knows whose it is.
    """
    recording = read_recording(path, sorted(environments), ruleset.names)
    records = _timed(recording.records, now_ms if at_ms is None else at_ms)
    if at_ms is None:
        at_ms = max((record.arrival_ms for record in records), default=now_ms)
    own = [record for record in records if record.environment == ruleset.names]
    heard = [record for record in own if record.arrival_ms <= at_ms]
    if not heard:
        raise InputError(recording.first_broken or _nothing(path, ruleset.names, own, at_ms))
    until = "" if len(heard) == len(own) else f" up to {time_text(at_ms)}"
    visit = pick_visitor(heard, wanted, path + until)
    if recording.broken:
        _tell_broken(recording, alone=visit.visitors == 1)
    found = replay_visitor(ruleset, visit.records, visit.name)
    if found is None:
        raise InputError(f'{path}{until}: there are no events of "{wanted}"')
    left_out = (
        (len(own) - len(heard), f"that arrived after {time_text(at_ms)}"),
        (len(records) - len(own), f"of another environment than {ruleset.names}"),
        (visit.nameless, "without a name"),
    )
    profile, events = found
    return RecordedVisitor(
        profile,
        events,
        at_ms,
        any(record.arrival_ms for record in recording.records),
        tuple(
            f"Left out: {counted(number, 'request')} {why}." for number, why in left_out if number
        ),
    )


def _timed(records: Sequence[Record], otherwise_ms: int) -> list[Record]:
    """Requests with their arrivals: one that tells no time came with the one before it."""
    last_ms = next((one.arrival_ms for one in records if one.arrival_ms), otherwise_ms)
    timed = []
    for record in records:
        last_ms = record.arrival_ms or last_ms
        timed.append(record if record.arrival_ms else _arrived(record, last_ms))
    return timed


def _arrived(record: Record, arrival_ms: int) -> Record:
    return msgspec.structs.replace(record, arrival_ms=arrival_ms)


def _nothing(path: str, environment: str, own: Sequence[Record], at_ms: int) -> str:
    if not own:
        return f"{path}: there are no events of {environment} in it"
    first = time_text(min(record.arrival_ms for record in own))
    return f"{path}: nothing arrived up to {time_text(at_ms)}; the first event did at {first}"


def _tell_broken(recording: Recording, *, alone: bool) -> None:
    if alone:
        raise InputError(recording.first_broken)
    broken = f"{recording.broken:,} of {counted(recording.parts, 'line')} could not be read"
    print(f"edgewise: {broken}; the first: {printable(recording.first_broken)}", file=sys.stderr)
