"""The command line: `edgewise COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path

from edgewise import __version__
from edgewise.commands.arguments import HelpFormatter
from edgewise.commands.faults import print_faults
from edgewise.errors import EdgewiseError, RulesError
from edgewise.parsing import closest
from edgewise.printable import printable
from edgewise.sources.lines import LineFinder

# A command's module is imported when it is asked for: all of them take most of a second.
COMMANDS = {
    "serve": ("serve", "serve the Experience API"),
    "check": ("check", "name every fault in the rules, and what is odd"),
    "show-source": ("show_source", "show the Python an audience compiles to"),
    "import": ("import_contentful", "take over rules written elsewhere"),
    "imports": ("imports", "see and settle what failed of imports"),
    "plan": ("plan", "tell how many days an experiment needs"),
    "explain": ("explain", "tell why a profile gets what it gets"),
    "locate": ("locate", "show where a database says an address is"),
    "preview-link": ("preview_link", "make a link that shows one variant"),
    "render": ("render", "resolve the merge tags of a text"),
    "simulate": ("simulate", "replay recorded events under rules"),
    "synth": ("synth", "make believable traffic, the same for a seed"),
    "schema": ("print_schema", "print the JSON Schema of rule files"),
}
"""Each command's module in `edgewise.commands`, and what it does."""

_DESCRIPTION = (
    "Decide which content each visitor gets. `edgewise COMMAND --help` tells what a command takes."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 faults found, 2 cannot be done,
    130 interrupted by a person, 141 stopped because nobody reads the output any more."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    _write_everything()
    try:
        status = _run(given)
        # What is still held back is written here, where a closed pipe is no surprise.
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 141
    return status


def _run(arguments: Sequence[str]) -> int:
    try:
        options = _parser(arguments).parse_args(arguments)
        status: int = options.command(options)
    except RulesError as error:
        _print_faults(error)
        return 1
    except EdgewiseError as error:
        lines = map(printable, str(error).split("\n"))
        print("edgewise:", "\n".join(lines), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("edgewise: interrupted", file=sys.stderr)
        return 130
    return status


def _print_faults(error: RulesError) -> None:
    known = LineFinder(Path(error.relative_to)).located if error.relative_to else tuple
    print_faults(known(error.faults))


def _write_everything() -> None:
    """Let an output that is not in UTF-8 have escapes for what it cannot say."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Let what a closed pipe left over go nowhere: the interpreter writes it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of all commands, of which the one that is asked for knows what it takes."""
    parser = argparse.ArgumentParser(prog="edgewise", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"edgewise {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked_for = next((word for word in arguments[:1] if not word.startswith("-")), "")
    if asked_for and asked_for not in COMMANDS:
        hint = closest(asked_for, COMMANDS) or f"there are: {', '.join(COMMANDS)}"
        parser.error(f'there is no command "{printable(asked_for)}" ({hint})')
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            formatter_class=HelpFormatter,
        )
        if name == asked_for:
            import_module(f"edgewise.commands.{module}").register(command)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
