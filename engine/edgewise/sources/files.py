"""Rules from files: `RULES/<organization>/<environment>/*.yaml`, `*.yml` and `*.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from edgewise.documents import parse_documents
from edgewise.errors import Fault, RulesError
from edgewise.model.document import RuleDocument
from edgewise.parsing import FaultList
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.contentful.export import convert_export, is_export
from edgewise.sources.yaml_hints import hint_of
from edgewise.sources.yaml_text import parse_yaml

SUFFIXES = (".yaml", ".yml", ".json")
MAX_FILE_BYTES = 16 * 1024 * 1024

_SOURCE_HINT = "follow it with edgewise.reload.reloader.Reloader, or import an export of it instead"

EnvironmentKey = tuple[str, str]


def load_rules(root: str | Path) -> dict[EnvironmentKey, Ruleset]:
    """Return the ruleset of every environment below a folder, by (organization, environment).

    Files are all that is read: a `Reloader` follows the space in which rules live too.

    Errors: RulesError with every fault of every environment, also where there is none to serve, and
    where a file names a space.
    """
    root = Path(root)
    rulesets: dict[EnvironmentKey, Ruleset] = {}
    faults: list[Fault] = []
    for organization, environment, folder in find_environments(root):
        try:
            documents = load_documents(folder, root.parent)
            _require_no_source(documents)
            rulesets[organization, environment] = load_ruleset(organization, environment, documents)
        except RulesError as error:
            faults.extend(error.faults)
    if not rulesets and not faults:
        faults = no_environment(root)
    if faults:
        raise RulesError(faults, str(root.parent))
    return rulesets


def find_environments(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Return (organization, environment, folder) of every folder two levels below the root."""
    for organization in _folders(root):
        for environment in _folders(organization):
            yield organization.name, environment.name, environment


def no_environment(root: Path) -> list[Fault]:
    """Return the fault of a folder without any environment, with the folder that may be meant."""
    found = FaultList(str(root))
    message = "there are no rules here" if root.exists() else "there is no such folder"
    hint = "rules live in RULES/<organization>/<environment>/*.yaml"
    meant = _root_above(root)
    if meant is not None:
        hint = f'did you mean "{meant}"? {hint}'
    found.at("", "no_environment", message, hint)
    return found.faults


def _root_above(root: Path) -> Path | None:
    """Whoever names an environment, an organization or a file means the folder above them."""
    levels = 3 if root.is_file() and root.suffix in SUFFIXES else 0
    if root.is_dir():
        levels = 2 if rule_files(root) else 1 if any(map(rule_files, _folders(root))) else 0
    return Path(os.path.normpath(root.joinpath(*[".."] * levels))) if levels else None


def load_documents(folder: Path, relative_to: Path) -> list[RuleDocument]:
    """Return the documents of one environment, in the order of their names.

    An export of a Contentful space is one too, and is read as the rules it holds.

    Args:
        relative_to: the folder that file names in faults are relative to.
    Errors: RulesError for files that cannot be read or parsed, together with what is wrong in
        the rules of the others.
    """
    documents = []
    faults: list[Fault] = []
    for path in rule_files(folder):
        found = FaultList(path.relative_to(relative_to).as_posix())
        content = _parse(path, found)
        documents.append(
            convert_export(content, found.file).document
            if is_export(content)
            else RuleDocument(found.file, content)
        )
        faults += found.faults
    if faults:
        # An audience that nobody knows may be in the file that cannot be read.
        others = parse_documents(documents).faults
        faults += [fault for fault in others if fault.code != "unknown_audience"]
        raise RulesError(faults, str(relative_to))
    return documents


def _require_no_source(documents: Iterable[RuleDocument]) -> None:
    """Raise RulesError where rules live elsewhere too: without them visitors get other variants."""
    faults: list[Fault] = []
    for document in documents:
        if isinstance(document.content, Mapping) and "contentful" in document.content:
            found = FaultList(document.file)
            message = "more rules live in a space, and only files are read"
            found.at("/contentful", "source_not_read", message, _SOURCE_HINT)
            faults += found.faults
    if faults:
        raise RulesError(faults)


def rule_files(folder: Path) -> list[Path]:
    """Return the files of one environment that are read, in the order of their names."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        child for child in parent.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _parse(path: Path, faults: FaultList) -> Any:
    text = ""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            message = f"the file is larger than {MAX_FILE_BYTES} bytes"
            faults.at("", "file_too_large", message, "split it")
            return None
        text = path.read_text("utf-8-sig")
        return _parse_json(text) if path.suffix == ".json" else parse_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        hint = hint_of(text, error)
        line = hint.line or (mark.line + 1 if mark else 0)
        message = f"{error.problem or 'not valid YAML'}{place}"
        faults.at("", "syntax", message, hint.text, line=line)
    except json.JSONDecodeError as error:
        place = f"in line {error.lineno}, column {error.colno}"
        faults.at("", "syntax", f"{error.msg} {place}", line=error.lineno)
    except RecursionError:
        faults.at("", "unreadable", "the file cannot be read: it is nested too deep")
    except OSError as error:
        faults.at("", "unreadable", f"the file cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"the file cannot be read: byte 0x{error.object[error.start]:02x} in line {line}"
        faults.at("", "unreadable", f"{message} is no UTF-8", "save it as UTF-8", line=line)
    except ReaderError as error:
        # One parser tells the place in bytes, the other in characters.
        character = error.character if isinstance(error.character, int) else ord(error.character)
        line = text.count("\n", 0, max(text.find(chr(character)), 0)) + 1
        message = f"the file cannot be read: character U+{character:04X} in line {line}"
        faults.at("", "unreadable", message, "write it as an escape in quotes", line=line)
    except (yaml.YAMLError, ValueError) as error:
        faults.at("", "unreadable", f"the file cannot be read: {error}")
    return None


def _parse_json(text: str) -> Any:
    """JSON has escapes and long names that a YAML parser refuses; an empty file is no rules."""
    return json.loads(text, object_pairs_hook=_without_repeats) if text.strip() else None


def _without_repeats(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in members:
        if key in found:
            raise ValueError(f'the key "{key}" stands twice in one object')
        found[key] = value
    return found
