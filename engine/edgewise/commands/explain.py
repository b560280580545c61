"""`edgewise explain RULES`: why a profile gets what it gets."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import msgspec

from edgewise.clock import now_ms
from edgewise.commands.arguments import FORMAT_HELP, RULES_HELP, add_copies_option
from edgewise.commands.existing import open_existing
from edgewise.commands.explanation_view import print_explanation
from edgewise.commands.inputs import read_profile
from edgewise.commands.recorded import RecordedVisitor, find_recorded
from edgewise.commands.times import time_option
from edgewise.commands.visitors import NOBODY
from edgewise.errors import InputError, ProfileNotFound
from edgewise.explaining import Explanation, add_lines, explain
from edgewise.model.profiles import Location, Profile, Session
from edgewise.parsing import closest
from edgewise.reload.loading import LoadedFolder, load_folder
from edgewise.ruleset import Ruleset
from edgewise.service import DecisionService
from edgewise.simulate.requests import LATEST_ARRIVAL_MS
from edgewise.sources.lines import LineFinder
from edgewise.values import time_text

_NOW = "which is now"
_AS_ASKED = "as --at asks"
_NO_HISTORY = "A profile as the API answers it has no history: conditions on events count nothing."
_AT_EXAMPLE = "2026-11-01T12:00:00Z"


class _Session(msgspec.Struct):
    count: int = 1


class _Visitor(msgspec.Struct, rename="camel"):
    """What a profile's file may say; the device and the pinned variants are not in API answers."""

    id: str = NOBODY
    stable_id: str = ""
    traits: dict[str, Any] = {}
    location: Location = msgspec.field(default_factory=Location)
    session: _Session = msgspec.field(default_factory=_Session)
    device: str = "unknown"
    assignments: dict[str, int] = {}


class _Explained(msgspec.Struct, frozen=True):
    """An explanation, why it is as of its time, and what else its reader should know."""

    explanation: Explanation
    basis: str
    notes: tuple[str, ...] = ()


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("rules", type=Path, help=RULES_HELP)
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--profile", type=Path, metavar="FILE", help="a profile as the API answers")
    whom.add_argument(
        "--events",
        metavar="FILE",
        help="what visitors did: a request's body, a list, or lines as simulate reads them, plain,"
        " gzip, zstd or Parquet; - is stdin",
    )
    whom.add_argument("--store", metavar="URL", help="where the profile named by --id lives")
    parser.add_argument(
        "--id",
        help="the profile's id or name, which decides about variants; of several visitors in"
        " --events the one that is meant",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help=f"as of when, such as {_AT_EXAMPLE}; without it that is when the last of --events"
        " arrived, else now",
    )
    parser.add_argument("--environment", default="", metavar="ORG/ENV", help="where several are")
    parser.add_argument("--audience", metavar="ID", help="only this audience")
    parser.add_argument("--format", choices=("text", "json"), default="text", help=FORMAT_HELP)
    add_copies_option(parser)
    parser.set_defaults(command=explain_profile)


def explain_profile(options: Namespace) -> int:
    """Print the explanation; return the exit status.

    Errors: InputError for what cannot be read or is not there; RulesError, StoreError.
    """
    if options.store and not options.id:
        raise InputError("--store needs --id, the profile to explain")
    at_ms = _at(options.at)
    loaded = load_folder(options.rules, options.copies)
    ruleset = _ruleset(loaded, options.environment)
    known = ruleset.evaluator.ids
    if options.audience is not None and options.audience not in known:
        hint = closest(options.audience, known) or f"there are: {', '.join(known) or 'none'}"
        raise InputError(f'there is no audience "{options.audience}" ({hint})')
    if options.events:
        found = find_recorded(
            options.events, ruleset, _names(loaded), options.id or "", at_ms, now_ms()
        )
        explained = _of_events(found, ruleset, options)
    elif options.store:
        explained = _of_store(ruleset, options, at_ms)
    else:
        explained = _of_profile(ruleset, options, at_ms)
    add_lines(explained.explanation, LineFinder(options.rules.parent).line_of)
    if options.format == "json":
        print(msgspec.json.format(msgspec.json.encode(explained.explanation)).decode())
    else:
        print_explanation(explained.explanation, explained.basis, explained.notes)
    return 0


def _at(text: str | None) -> int | None:
    if text is None:
        return None
    at_ms = time_option("--at", text, _AT_EXAMPLE)
    if at_ms >= LATEST_ARRIVAL_MS:
        raise InputError(f'--at: "{text}" lies after the year 2099')
    return at_ms


def _names(loaded: LoadedFolder) -> dict[str, tuple[str, str]]:
    return {"/".join(key): key for key in (*loaded.rulesets, *loaded.waiting)}


def _ruleset(loaded: LoadedFolder, name: str) -> Ruleset:
    names = _names(loaded)
    if not name and len(names) > 1:
        raise InputError(f"name one with --environment: {', '.join(names)}")
    key = names.get(name or next(iter(names)))
    if key is None:
        raise InputError(f'there is no environment "{name}"; there are: {", ".join(names)}')
    if key in loaded.waiting:
        raise InputError(f"{'/'.join(key)}: its rules are in {loaded.waiting[key]}, not copied yet")
    return loaded.rulesets[key]


def _of_events(found: RecordedVisitor, ruleset: Ruleset, options: Namespace) -> _Explained:
    explanation = explain(ruleset, found.profile, found.at_ms, options.audience, found.events)
    basis = _AS_ASKED
    if options.at is None:
        basis = "when the last event arrived" if found.is_timed else _NOW
    return _Explained(explanation, basis, found.notes)


def _of_store(ruleset: Ruleset, options: Namespace, at_ms: int | None) -> _Explained:
    try:
        return asyncio.run(_ask_store(ruleset, options, at_ms))
    except ProfileNotFound:
        place = f"{ruleset.names} of {options.store}"
        raise InputError(f'no profile "{options.id}" in {place}') from None


async def _ask_store(ruleset: Ruleset, options: Namespace, at_ms: int | None) -> _Explained:
    """What a service answers that does nothing in the background."""
    names = (ruleset.organization, ruleset.environment)
    service = DecisionService(
        {names: ruleset},
        open_existing(options.store),
        clock=now_ms if at_ms is None else lambda: at_ms,
        retention=None,
        imports=None,
    )
    try:
        explanation = await service.explain(*names, options.id, options.audience)
        if at_ms is None:
            return _Explained(explanation, _NOW)
        seen_ms = (await service.read(*names, options.id)).profile.updated_ms
    finally:
        await service.stop()
    if seen_ms <= at_ms:
        return _Explained(explanation, _AS_ASKED)
    note = (
        f"The store has the profile as it is now: what was received since, up to"
        f" {time_text(seen_ms)}, counts too."
    )
    return _Explained(explanation, _AS_ASKED, (note,))


def _of_profile(ruleset: Ruleset, options: Namespace, at_ms: int | None) -> _Explained:
    profile = _profile(options.profile, ruleset, options.id)
    time_ms, basis = (now_ms(), _NOW) if at_ms is None else (at_ms, _AS_ASKED)
    return _Explained(explain(ruleset, profile, time_ms, options.audience), basis, (_NO_HISTORY,))


def _profile(path: Path, ruleset: Ruleset, profile_id: str | None) -> Profile:
    try:
        visitor = msgspec.convert(read_profile(path), _Visitor)
    except msgspec.ValidationError as error:
        raise InputError(f"{path}: {error}") from error
    id_ = profile_id or visitor.id
    return Profile(
        organization=ruleset.organization,
        environment=ruleset.environment,
        id=id_,
        stable_id=profile_id or visitor.stable_id or id_,
        created_ms=0,
        traits=visitor.traits,
        location=visitor.location,
        session=Session(count=visitor.session.count),
        device=visitor.device,
        assignments=visitor.assignments,
    )
