"""`edgewise render TEMPLATE --profile FILE`: a text with its merge tags resolved."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from edgewise.commands.inputs import read_profile
from edgewise.documents import parse_documents
from edgewise.errors import InputError, RulesError
from edgewise.mergetags import MergeTag, render
from edgewise.sources.files import load_documents


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("template", help="a text with {{ tags }}, a file, or - for standard input")
    parser.add_argument("--profile", type=Path, required=True, help="a profile as the API answers")
    parser.add_argument(
        "--rules", type=Path, metavar="RULES/ORG/ENV", help="merge tags with their fallbacks"
    )
    parser.set_defaults(command=render_template)


def render_template(options: Namespace) -> int:
    """Print the resolved text; return the exit status.

    Errors: InputError where a file cannot be read; RulesError for faulty rules.
    """
    profile = read_profile(options.profile)
    tags = _tags(options.rules) if options.rules else {}
    text = render(_template(options.template), profile, tags)
    print(text.encode(errors="replace").decode(), end="" if text.endswith("\n") else "\n")
    return 0


def _template(argument: str) -> str:
    if argument == "-":
        return sys.stdin.read()
    if "{{" in argument:
        return argument
    path = Path(argument)
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read, and a text would hold {{{{ tags }}}}") from error


def _tags(folder: Path) -> Mapping[str, MergeTag]:
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    rules = parse_documents(load_documents(folder, folder.parent))
    if rules.faults:
        raise RulesError(rules.faults, str(folder.parent))
    return {tag.id: tag for tag in rules.merge_tags}
