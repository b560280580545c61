"""What commands share: how their help is written, and common options."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from pathlib import Path

DEFAULT_COPIES = Path(".data")

FORMAT_HELP = "how to print the result"
RULES_HELP = "folder with <organization>/<environment>/*.yaml"


class HelpFormatter(argparse.HelpFormatter):
    """Tells the default of every option that has one worth telling."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text, default = action.help, action.default
        is_known = isinstance(default, (str, int, float, Path)) and default != ""
        is_worth_it = is_known and not isinstance(default, bool)
        if not text or "%(default)" in text or not is_worth_it or default == argparse.SUPPRESS:
            return text
        return f"{text} (%(default)s)"


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
