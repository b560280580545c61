"""`edgewise check RULES`: every fault in the rules, and what is odd about them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from edgewise.amounts import counted
from edgewise.commands.arguments import FORMAT_HELP, RULES_HELP, add_copies_option
from edgewise.commands.faults import print_faults, print_set_aside, print_warnings
from edgewise.errors import Fault, RulesError
from edgewise.lint.linting import lint
from edgewise.lint.notes import Subject
from edgewise.lint.unread import note_unread
from edgewise.model.document import UnreadFile
from edgewise.printable import printable
from edgewise.reload.loading import LoadedFolder, load_folder
from edgewise.sources.files import EnvironmentKey
from edgewise.sources.lines import LineFinder
from edgewise.sources.unread import find_unread

_ERROR: Final = "error"
_WARNING: Final = "warning"

_Unread: TypeAlias = Mapping[EnvironmentKey | None, Sequence[UnreadFile]]


class CheckedEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """The size of an environment, and how much of it was noticed."""

    name: str
    audiences: int
    experiences: int
    set_aside: int
    warnings: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a check has to say.

    Args:
        faults: what refuses the rules; then hardly anything else is known about them.
        set_aside: what is wrong with app-written rules, which then never match.
        warnings: what is odd about the rest.
        waiting: sources whose rules were never read here, by environment.
    """

    faults: list[Fault] = []
    set_aside: list[Fault] = []
    warnings: list[Fault] = []
    environments: list[CheckedEnvironment] = []
    waiting: dict[str, str] = {}


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("rules", type=Path, help=RULES_HELP)
    parser.add_argument("--strict", action="store_true", help="a warning is an error")
    parser.add_argument(
        "--format", choices=("text", "json", "github"), default="text", help=FORMAT_HELP
    )
    add_copies_option(parser)
    parser.set_defaults(command=check_rules)


def check_rules(options: Namespace) -> int:
    """Print what was found; return 0 where nothing is wrong, else 1."""
    unread = find_unread(options.rules)
    try:
        report = _report(load_folder(options.rules, options.copies), unread)
    except RulesError as error:
        report = Report(faults=list(error.faults), warnings=_outside(unread, ()))
    report = _located(report, LineFinder(options.rules.parent))
    if options.format == "json":
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    elif options.format == "github":
        _print_for_github(report, strict=options.strict)
    else:
        _print_text(report)
    wrong = report.faults or report.set_aside or (options.strict and report.warnings)
    return 1 if wrong else 0


def _report(loaded: LoadedFolder, unread: _Unread) -> Report:
    report = Report(
        warnings=_outside(unread, loaded.rulesets),
        waiting={"/".join(key): name for key, name in loaded.waiting.items()},
    )
    for key, ruleset in loaded.rulesets.items():
        warnings = lint(Subject(ruleset, loaded.documents[key], unread.get(key, ())))
        report.set_aside.extend(ruleset.set_aside)
        report.warnings.extend(warnings)
        owners = {(fault.audience_id, fault.experience_id) for fault in ruleset.set_aside}
        report.environments.append(
            CheckedEnvironment(
                name="/".join(key),
                audiences=len(ruleset.audiences),
                experiences=len(ruleset.experiences),
                set_aside=len(owners),
                warnings=len(warnings),
            )
        )
    return report


def _located(report: Report, finder: LineFinder) -> Report:
    return msgspec.structs.replace(
        report,
        faults=finder.located(report.faults),
        set_aside=finder.located(report.set_aside),
        warnings=finder.located(report.warnings),
    )


def _outside(unread: _Unread, known: Container[EnvironmentKey | None]) -> list[Fault]:
    """Warnings of unread files that no environment could accept: of those whose rules are known."""
    return [note_unread(one) for key, files in unread.items() if key not in known for one in files]


def _print_text(report: Report) -> None:
    print_faults(report.faults)
    print_set_aside(report.set_aside)
    print_warnings(report.warnings)
    for one in report.environments:
        print(
            f"{one.name}: {counted(one.audiences, 'audience')},"
            f" {counted(one.experiences, 'experience')},"
            f" {one.set_aside} set aside, {counted(one.warnings, 'warning')}"
        )
    for name, source in report.waiting.items():
        print(f"{name}: not checked, its rules were never read from {source}")


def _print_for_github(report: Report, *, strict: bool) -> None:
    for fault in (*report.faults, *report.set_aside):
        print(_command(fault, _ERROR))
    for fault in report.warnings:
        print(_command(fault, _ERROR if strict else _WARNING))


def _command(fault: Fault, level: str) -> str:
    """Source: the workflow commands of GitHub Actions, with their escapes."""
    line = [f"line={fault.line}"] if fault.line else []
    place = [f"file={_escaped(fault.file)}", *line]
    title = f"title={_escaped(fault.code)}"
    text = fault.text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} {','.join((*place, title))}::{printable(text)}"


def _escaped(text: str) -> str:
    escapes = {"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"}
    return "".join(escapes.get(character, character) for character in text)
