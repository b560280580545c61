"""YAML as people write rules in it, without the traps that it lays.

Plain words and numbers are those of YAML 1.2: the country NO is a text, and so is 01234.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from edgewise.garbage import resting_collector
from edgewise.printable import shortened

# An alias stands for everything behind its anchor, so a few hundred bytes can spell billions.
MAX_NODES = 5_000_000
# The YAML library recurses in C, so that what is nested too deep would end the process.
MAX_LEVELS = 200

_LONGEST_SHOWN = 60


def parse_yaml(text: str) -> Any:
    """Return what the one document of a YAML text says; None for an empty one.

    Errors: yaml.YAMLError for what is not YAML, names a key twice, or is too large or too deep.
    """
    with resting_collector():
        _check_levels(text)
        return yaml.load(text, Loader=_Loader)  # a safe loader


def compose_yaml(text: str) -> yaml.Node | None:
    """Return the one document of a YAML text as nodes, which know their places; None for none.

    Errors: yaml.YAMLError for what is not YAML or too deep.
    """
    _check_levels(text)
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    return root


def _check_levels(text: str) -> None:
    level = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            level += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            level -= 1
        if level > MAX_LEVELS:
            raise _error(f"nested deeper than {MAX_LEVELS} levels", event)


class _Loader(yaml.CSafeLoader):
    """Refuses repeated keys, which would silently drop a rule, and alias bombs."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _expanded_size(node, {}) > MAX_NODES:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_NODES} values", problem_mark=None)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        # Dates such as 2026-02-30, and whatever follows a tag such as `!!int`, come unchecked.
        except (ValueError, KeyError, AttributeError, IndexError) as error:
            raise _error(f'"{node.value}" is no {node.tag.rpartition(":")[2]}', node) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[tuple[str, str]] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if node.flow_style and ":" in key.value and _is_absent(value, key):
                    shown = shortened(key.value.replace(":", ": ", 1), _LONGEST_SHOWN)
                    raise _error(f"a space is missing behind the colon: {shown}", key)
                if (key.tag, key.value) in seen:
                    raise _error(f'the key "{key.value}" stands here twice', key)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


_NUMBERS = "-+.0123456789"
_PLAIN = (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", _NUMBERS),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$", _NUMBERS),
)
_OF_YAML_1_1 = {f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "value")}

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OF_YAML_1_1]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _name, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(_pattern), list(_first))


def _is_absent(value: yaml.Node, key: yaml.ScalarNode) -> bool:
    """Whether a key without quotes has nothing behind it, not even a colon."""
    return not key.style and value.end_mark.index == key.end_mark.index


def _error(problem: str, at: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    mark: Any = at.start_mark
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _expanded_size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """The number of values a node stands for once every alias in it is written out."""
    known = sizes.get(id(node))
    if known == 0:
        raise _error("an alias stands for something that it is part of", node)
    if known is None:
        sizes[id(node)] = 0
        known = 1
        if isinstance(node, yaml.MappingNode):
            known += sum(_expanded_size(part, sizes) for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            known += sum(_expanded_size(part, sizes) for part in node.value)
        sizes[id(node)] = known
    return known
