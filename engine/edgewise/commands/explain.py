"""`edgewise explain RULES`: why a profile gets what it gets."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from edgewise.commands.arguments import Subparsers, add_copies_option
from edgewise.commands.events import read_events
from edgewise.commands.existing import open_existing
from edgewise.commands.explanation_view import print_explanation
from edgewise.commands.inputs import read_profile
from edgewise.decoding import MAX_EVENTS, decode_update
from edgewise.errors import InputError, ProfileNotFound
from edgewise.explaining import Explanation, add_lines, explain
from edgewise.model.profiles import Location, Profile, Session
from edgewise.parsing import closest
from edgewise.reload.loading import LoadedFolder, load_folder
from edgewise.ruleset import Ruleset
from edgewise.service import DecisionService, now_ms
from edgewise.sources.lines import LineFinder
from edgewise.stores.base import ServiceStore
from edgewise.stores.memory import MemoryStore

_VISITOR = "visitor"
_NO_HISTORY = "A profile as the API answers it has no history: conditions on events count nothing."


class _Session(msgspec.Struct):
    count: int = 1


class _Visitor(msgspec.Struct, rename="camel"):
    """What a profile's file may say; the device and the pinned variants are not in API answers."""

    id: str = _VISITOR
    stable_id: str = ""
    traits: dict[str, Any] = {}
    location: Location = msgspec.field(default_factory=Location)
    session: _Session = msgspec.field(default_factory=_Session)
    device: str = "unknown"
    assignments: dict[str, int] = {}


def register(commands: Subparsers) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("explain", help="tell why a profile gets what it gets")
    parser.add_argument("rules", type=Path, help="folder with <organization>/<environment>/*.yaml")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--profile", type=Path, metavar="FILE", help="a profile as the API answers")
    whom.add_argument("--events", type=Path, metavar="FILE", help="what a new visitor does")
    whom.add_argument("--store", metavar="URL", help="where the profile named by --id lives")
    parser.add_argument("--id", help="the profile's id or name; decides about variants")
    parser.add_argument("--environment", default="", metavar="ORG/ENV", help="where several are")
    parser.add_argument("--audience", metavar="ID", help="only this audience")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_copies_option(parser)
    parser.set_defaults(command=explain_profile)


def explain_profile(options: Namespace) -> int:
    """Print the explanation; return the exit status.

    Errors: InputError for what cannot be read or is not there; RulesError, StoreError.
    """
    if options.store and not options.id:
        raise InputError("--store needs --id, the profile to explain")
    ruleset = _ruleset(load_folder(options.rules, options.copies), options.environment)
    known = ruleset.evaluator.ids
    if options.audience is not None and options.audience not in known:
        hint = closest(options.audience, known) or f"there are: {', '.join(known)}"
        raise InputError(f'there is no audience "{options.audience}" ({hint})')
    explanation = _explanation(ruleset, options)
    add_lines(explanation, LineFinder(options.rules.parent).line_of)
    if options.format == "json":
        print(msgspec.json.format(msgspec.json.encode(explanation)).decode())
    else:
        print_explanation(explanation, note=_NO_HISTORY if options.profile else "")
    return 0


def _ruleset(loaded: LoadedFolder, name: str) -> Ruleset:
    names = {"/".join(key): key for key in (*loaded.rulesets, *loaded.waiting)}
    if not name and len(names) > 1:
        raise InputError(f"name one with --environment: {', '.join(names)}")
    key = names.get(name or next(iter(names)))
    if key is None:
        raise InputError(f'there is no environment "{name}"; there are: {", ".join(names)}')
    if key in loaded.waiting:
        raise InputError(f"{'/'.join(key)}: its rules are in {loaded.waiting[key]}, not copied yet")
    return loaded.rulesets[key]


def _explanation(ruleset: Ruleset, options: Namespace) -> Explanation:
    if options.profile:
        profile = _profile(options.profile, ruleset, options.id)
        return explain(ruleset, profile, now_ms(), options.audience)
    store = open_existing(options.store) if options.store else MemoryStore()

    async def ask(service: DecisionService) -> Explanation:
        names = (ruleset.organization, ruleset.environment)
        if options.events:
            events = read_events(options.events)
            for start in range(0, len(events), MAX_EVENTS):
                body = b'{"events":[' + b",".join(events[start : start + MAX_EVENTS]) + b"]}"
                await service.update(
                    *names, options.id or _VISITOR, decode_update(body), preflight=False
                )
        return await service.explain(*names, options.id or _VISITOR, options.audience)

    try:
        return asyncio.run(_with_service(ruleset, store, ask))
    except ProfileNotFound:
        place = f"{ruleset.organization}/{ruleset.environment} of {options.store}"
        raise InputError(f'no profile "{options.id}" in {place}') from None


async def _with_service(
    ruleset: Ruleset,
    store: ServiceStore,
    ask: Callable[[DecisionService], Awaitable[Explanation]],
) -> Explanation:
    """What a service answers that does nothing in the background."""
    rulesets = {(ruleset.organization, ruleset.environment): ruleset}
    service = DecisionService(rulesets, store, retention=None, imports=None)
    try:
        return await ask(service)
    finally:
        await service.stop()


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
