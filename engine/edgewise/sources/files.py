"""Rules from files: `RULES/<organization>/<environment>/*.yaml`, `*.yml` and `*.json`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from edgewise.errors import Fault, RulesError
from edgewise.model.document import RuleDocument
from edgewise.parsing import FaultList
from edgewise.ruleset import Ruleset, load_ruleset

SUFFIXES = (".yaml", ".yml", ".json")
MAX_FILE_BYTES = 16 * 1024 * 1024
# An alias stands for everything behind its anchor, so a few hundred bytes can spell billions.
MAX_NODES = 5_000_000

EnvironmentKey = tuple[str, str]


def load_rules(root: Path) -> dict[EnvironmentKey, Ruleset]:
    """Return the ruleset of every environment below a folder, by (organization, environment).

    Errors: RulesError with every fault of every environment, also where there is none to serve.
    """
    rulesets: dict[EnvironmentKey, Ruleset] = {}
    faults: list[Fault] = []
    for organization, environment, folder in find_environments(root):
        try:
            documents = load_documents(folder, root.parent)
            rulesets[organization, environment] = load_ruleset(organization, environment, documents)
        except RulesError as error:
            faults.extend(error.faults)
    if not rulesets and not faults:
        found = FaultList(str(root))
        hint = "rules live in RULES/<organization>/<environment>/*.yaml"
        found.at("", "no_environment", "there are no rules here", hint)
        faults = found.faults
    if faults:
        raise RulesError(faults)
    return rulesets


def find_environments(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Return (organization, environment, folder) of every folder two levels below the root."""
    for organization in _folders(root):
        for environment in _folders(organization):
            yield organization.name, environment.name, environment


def load_documents(folder: Path, relative_to: Path) -> list[RuleDocument]:
    """Return the documents of one environment, in the order of their names.

    Args:
        relative_to: the folder that file names in faults are relative to.
    Errors: RulesError for files that cannot be read or parsed, all at once.
    """
    documents = []
    faults: list[Fault] = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in SUFFIXES or path.name.startswith(".") or not path.is_file():
            continue
        found = FaultList(path.relative_to(relative_to).as_posix())
        content = _parse(path, found)
        documents.append(RuleDocument(found.file, content))
        faults += found.faults
    if faults:
        raise RulesError(faults)
    return documents


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(
        child for child in parent.iterdir() if child.is_dir() and not child.name.startswith(".")
    )


def _parse(path: Path, faults: FaultList) -> Any:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            message = f"the file is larger than {MAX_FILE_BYTES} bytes"
            faults.at("", "file_too_large", message, "split it")
            return None
        return yaml.load(path.read_text("utf-8-sig"), Loader=_Loader)  # a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        faults.at("", "syntax", f"{error.problem or 'not valid YAML'}{place}")
    except (yaml.YAMLError, UnicodeDecodeError, OSError, ValueError, RecursionError) as error:
        faults.at("", "unreadable", f"the file cannot be read: {error}")
    return None


class _Loader(yaml.CSafeLoader):
    """YAML without repeated keys, which would silently drop a rule, and without alias bombs."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _expanded_size(node, {}) > MAX_NODES:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_NODES} values", problem_mark=None)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    problem = f'the key "{key.value}" stands here twice'
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def _expanded_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """The number of values a node stands for once every alias in it is written out."""
    known = sizes.get(id(node))
    if known == 0:
        problem = "an alias stands for something that it is part of"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    if known is None:
        sizes[id(node)] = 0
        known = 1
        if isinstance(node, yaml.MappingNode):
            known += sum(_expanded_size(part, sizes) for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            known += sum(_expanded_size(part, sizes) for part in node.value)
        sizes[id(node)] = known
    return known
