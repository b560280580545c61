"""`edgewise import contentful EXPORT.json RULES/ORG/ENV`: an export of a space → a rule file."""

from __future__ import annotations

import json
import os
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from edgewise.commands.arguments import FORMAT_HELP
from edgewise.commands.tables import text_table
from edgewise.documents import parse_documents
from edgewise.errors import InputError, RulesError
from edgewise.parsing import is_encodable
from edgewise.printable import printable
from edgewise.sources.contentful.conversion import (
    LEFT_OUT,
    SET_ASIDE,
    TAKEN,
    Item,
    account_of,
)
from edgewise.sources.contentful.export import convert_export, load_export

FILE_NAME: Final = "contentful.json"

_OUTCOMES: Final = (TAKEN, LEFT_OUT, SET_ASIDE)
_COLUMNS: Final = ("outcome", "kind", "id", "name", "reason")


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    sources = parser.add_subparsers(required=True, metavar="FROM")
    space = sources.add_parser("contentful", help="an export of a Contentful space")
    space.add_argument("export", type=Path, help="what `contentful space export` wrote")
    space.add_argument("folder", type=Path, metavar="RULES/ORG/ENV", help="the environment")
    space.add_argument("--format", choices=("table", "json"), default="table", help=FORMAT_HELP)
    space.set_defaults(command=import_contentful)


def import_contentful(options: Namespace) -> int:
    """Write the rule file and print what became of each entry; return the exit status.

    What is left out or set aside is part of the account and no failure.

    Errors: InputError where the export cannot be read, or the rules cannot be written.
    """
    export, folder = options.export, options.folder
    if export.resolve().parent == folder.resolve():
        raise InputError(f"{export}: an export in the environment's folder is served as it is")
    conversion = convert_export(load_export(export), export.name)
    rules = parse_documents([conversion.document])
    if rules.faults:
        raise RulesError(rules.faults)
    items = account_of(conversion, rules.set_aside)
    path = folder / FILE_NAME
    _write(path, conversion.document.content)
    print(_as_json(path, items) if options.format == "json" else _as_table(path, items))
    return 0


def _write(path: Path, content: Any) -> None:
    """Whoever loads the rules at the same time finds the old file or the new one, never a part."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    if not is_encodable(text):
        text = json.dumps(content, indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The leading dot keeps it from being loaded.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix=f".{path.name}.", dir=path.parent, delete=False
        ) as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _as_json(path: Path, items: Sequence[Item]) -> str:
    counts = Counter(item.outcome for item in items)
    report = {
        "file": str(path),
        "counts": {outcome.replace(" ", "_"): counts[outcome] for outcome in _OUTCOMES},
        "items": msgspec.to_builtins(items),
    }
    return json.dumps(report, indent=2)


def _as_table(path: Path, items: Sequence[Item]) -> str:
    ordered = sorted(items, key=lambda item: _OUTCOMES.index(item.outcome))
    rows = [tuple(getattr(item, column) for column in _COLUMNS) for item in ordered]
    counts = Counter(item.outcome for item in items)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES)
    return f"{text_table(_COLUMNS, rows)}\n\n{summary}; written to {printable(str(path))}"
