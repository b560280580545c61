"""JSON Pointer → line of a YAML file, found on demand: documents in use hold no positions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import yaml

from edgewise.errors import Fault
from edgewise.sources.yaml_text import compose_yaml


class LineFinder:
    """Finds the lines of places in rule files; each file is read once.

    Args:
        relative_to: the folder that file names are relative to.
    """

    def __init__(self, relative_to: Path) -> None:
        self._relative_to = relative_to
        self._roots: dict[str, yaml.Node | None] = {}

    def line_of(self, origin: str) -> int:
        """Return the line, from 1, of a place written as `file#pointer`.

        A part of the pointer that the file does not have ends the way at the last part that it
        has. Without any, and for what is no YAML file, the line is 0.
        """
        file, _, pointer = origin.partition("#/") if "#/" in origin else (origin, "", "")
        node = self._root(file)
        line = 0
        for part in pointer.split("/") if pointer else ():
            found = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if found is None:
                break
            line, node = found
        return line

    def located(self, faults: Iterable[Fault]) -> list[Fault]:
        """Return the same faults, each with its line where one is found, file by file in order."""
        found = [
            fault
            if fault.line
            else msgspec.structs.replace(fault, line=self.line_of(f"{fault.file}#{fault.pointer}"))
            for fault in faults
        ]
        return sorted(found, key=lambda fault: (fault.file, fault.line))

    def _root(self, file: str) -> yaml.Node | None:
        if file not in self._roots:
            self._roots[file] = _compose(self._relative_to / file)
        return self._roots[file]


def _compose(path: Path) -> yaml.Node | None:
    if path.suffix not in (".yaml", ".yml"):
        return None
    try:
        return compose_yaml(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def _child(node: yaml.Node | None, name: str) -> tuple[int, yaml.Node] | None:
    """The line of a member and the member itself; that of an object's member is its key's."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == name:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
        member: yaml.Node = node.value[int(name)]
        return member.start_mark.line + 1, member
    return None
