"""`edgewise preview-link EXPERIENCE VARIANT --url URL`: a link to one variant, or its token."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from edgewise.asgi.previews import PREVIEW_SECRET_VARIABLE
from edgewise.clock import now_ms
from edgewise.commands.arguments import RULES_HELP, add_copies_option
from edgewise.errors import InputError
from edgewise.forcing import find_forced
from edgewise.model.forced import ForcedVariant
from edgewise.parsing import closest
from edgewise.previews import Preview, add_token, sign_preview
from edgewise.reload.loading import load_folder
from edgewise.ruleset import Ruleset

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_MOST_S = 30 * 86_400
_TIME = re.compile(r"([1-9][0-9]{0,6})([mhd])")


def register(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("experience", help="the experience's id")
    parser.add_argument("variant", type=int, help="index of the variant; 0 is the baseline")
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--url", help="the page to look at")
    form.add_argument("--token", action="store_true", help="print the token alone, for a header")
    parser.add_argument("--expires", type=_seconds, default="1h", metavar="TIME", help="as 30m, 1h")
    parser.add_argument(
        "--rules", type=Path, default=Path("rules"), metavar="RULES", help=RULES_HELP
    )
    parser.add_argument("--environment", default="", metavar="ORG/ENV", help="where several are")
    add_copies_option(parser)
    parser.set_defaults(command=print_link)


def print_link(options: argparse.Namespace) -> int:
    """Print the link; return the exit status.

    Errors: InputError where the secret, the experience or the variant is missing; RulesError.
    """
    secret = os.environ.get(PREVIEW_SECRET_VARIABLE, "")
    if not secret:
        message = f"set {PREVIEW_SECRET_VARIABLE} to what the server is started with"
        raise InputError(message)
    if not options.token and urlsplit(options.url).scheme not in ("http", "https"):
        raise InputError(f"{options.url}: a page has an address such as https://shop.example/page")
    rulesets = load_folder(options.rules, options.copies).rulesets
    forced = ForcedVariant(options.experience, options.variant)
    organization, environment = _environment(rulesets, forced, options.environment)
    preview = Preview(
        organization,
        environment,
        forced.experience_id,
        forced.variant_index,
        now_ms() // 1000 + options.expires,
    )
    token = sign_preview(preview, secret)
    print(token if options.token else add_token(options.url, token))
    return 0


def _environment(
    rulesets: dict[tuple[str, str], Ruleset], forced: ForcedVariant, name: str
) -> tuple[str, str]:
    """The one environment that has the experience, or the one that is named and has it."""
    id_ = forced.experience_id
    named = {key: one for key, one in rulesets.items() if name in ("", "/".join(key))}
    if not named:
        known = ", ".join("/".join(key) for key in rulesets)
        raise InputError(f'there is no environment "{name}"; there are: {known}')
    having = {
        key: one
        for key, one in named.items()
        if any(served.experience.id == id_ for served in one.experiences)
    }
    if not having:
        ids = [served.experience.id for one in named.values() for served in one.experiences]
        hint = closest(id_, ids) or f"there are: {', '.join(ids)}"
        raise InputError(f'there is no experience "{id_}" ({hint})')
    if len(having) > 1:
        raise InputError(f"name one with --environment: {', '.join(map('/'.join, having))}")
    ((key, ruleset),) = having.items()
    if find_forced(ruleset, forced) is None:
        last = (
            next(len(one.selected) for one in ruleset.experiences if one.experience.id == id_) - 1
        )
        known = f"0, the baseline, to {last}" if last else "0, the baseline"
        raise InputError(f'"{id_}" has no variant {forced.variant_index}; it has {known}')
    return key


def _seconds(text: str) -> int:
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 0 < seconds <= _MOST_S:
        raise argparse.ArgumentTypeError("a time is written like 30m, 1h or 7d, up to 30d")
    return seconds
