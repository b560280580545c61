"""`edgewise show-source RULES AUDIENCE`: the Python that an audience compiles to."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from edgewise.audiences.listing import list_source
from edgewise.commands.arguments import RULES_HELP
from edgewise.parsing import closest
from edgewise.printable import printable
from edgewise.sources.files import load_rules


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("rules", type=Path, help=RULES_HELP)
    parser.add_argument("audience", help="the audience's id")
    parser.set_defaults(command=show_source)


def show_source(options: Namespace) -> int:
    """Print the source, of each environment that has the audience; return the exit status.

    Errors: RulesError for faulty rules.
    """
    rulesets = load_rules(options.rules)
    known: list[str] = []
    shown = 0
    for (organization, environment), ruleset in rulesets.items():
        for audience in ruleset.audiences:
            known.append(audience.id)
            if audience.id == options.audience:
                print(printable(f"# {audience.id} in {organization}/{environment}"))
                print(list_source(audience.tree))
                shown += 1
    if not shown:
        hint = closest(options.audience, known) or f"there are: {', '.join(known) or 'none'}"
        message = f'there is no audience "{options.audience}" ({hint})'
        print(f"edgewise: {printable(message)}", file=sys.stderr)
        return 2
    return 0
