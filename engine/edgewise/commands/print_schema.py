"""`edgewise schema`: the JSON Schema of rule files, for editors."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from edgewise.schema import schema_text


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.set_defaults(command=print_schema)


def print_schema(_: Namespace) -> int:
    """Print the schema; return the exit status."""
    print(schema_text(), end="")
    return 0
