"""What commands share: the type of the parsers they register with, and common options."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path
from typing import TypeAlias

DEFAULT_COPIES = Path(".data")

# A text, because argparse's class takes its parameter only in annotations.
Subparsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
"""What `add_subparsers` returns; argparse has no public name for it."""


def add_copies_option(parser: ArgumentParser) -> None:
    """Let a command be told where the last good copies of rules from elsewhere lie."""
    parser.add_argument(
        "--copies",
        type=Path,
        default=DEFAULT_COPIES,
        metavar="FOLDER",
        help="last good copies of rules that are read from Contentful",
    )


def add_geo_option(parser: ArgumentParser, *, required: bool = False) -> None:
    """Let a command be told which databases of locations there are."""
    parser.add_argument(
        "--geo",
        type=Path,
        action="append",
        default=[],
        required=required,
        metavar="FILE",
        help="a database of locations by address; name it twice for IPv4 and IPv6",
    )
