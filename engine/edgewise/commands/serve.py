"""`edgewise serve RULES`: the Experience API over a folder of rules."""

from __future__ import annotations

import argparse
import asyncio
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path
from urllib.parse import quote

from edgewise import __version__
from edgewise.amounts import counted
from edgewise.asgi.client_address import MAX_PROXIES
from edgewise.asgi.short import DEFAULT_ENVIRONMENT_VARIABLE
from edgewise.commands.arguments import RULES_HELP, add_copies_option, add_geo_option
from edgewise.commands.faults import print_set_aside
from edgewise.errors import InputError, StoreUrlError
from edgewise.reload.loading import LoadedFolder, load_folder
from edgewise.server import ServerSettings, check_settings, require_free_address, run
from edgewise.sources.lines import LineFinder
from edgewise.stores.urls import open_store, store_file

DATABASE = "profiles.db"

_STORES = "memory:// or sqlite:///absolute/path.db"


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("rules", type=Path, help=RULES_HELP)
    parser.add_argument(
        "--store", metavar="URL", help=f"{_STORES} ({DATABASE} in the folder of --copies)"
    )
    add_copies_option(parser)
    parser.add_argument("--host", default="127.0.0.1", help="(%(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="(%(default)s)")
    parser.add_argument("--workers", type=_workers, default=1, help="processes (%(default)s)")
    parser.add_argument(
        "--default-environment",
        type=_environment,
        default=os.environ.get(DEFAULT_ENVIRONMENT_VARIABLE) or None,
        metavar="ORGANIZATION/ENVIRONMENT",
        help="what the short paths /profiles and /events are about",
    )
    add_geo_option(parser)
    parser.add_argument(
        "--trusted-proxies",
        type=_proxies,
        default=0,
        metavar="N",
        help="how many proxies in front add to X-Forwarded-For (%(default)s)",
    )
    parser.add_argument(
        "--force-ip-from",
        action="append",
        default=[],
        metavar="NETWORK",
        help="who may send X-Force-IP beside this machine, such as 10.0.0.0/8; none: nobody may",
    )
    parser.set_defaults(command=serve)


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _environment(text: str) -> tuple[str, str]:
    organization, _, environment = text.partition("/")
    if not organization or not environment or "/" in environment:
        raise argparse.ArgumentTypeError("an environment is organization/environment")
    return organization, environment


def _workers(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError("from 1 to 256 processes")
    return int(text)


def _proxies(text: str) -> int:
    if not (text.isdecimal() and int(text) <= MAX_PROXIES):
        raise argparse.ArgumentTypeError(f"from 0 to {MAX_PROXIES} proxies")
    return int(text)


def serve(options: Namespace) -> int:
    """Serve until the process is told to stop; return the exit status.

    Errors: RulesError for faulty rules; InputError and StoreError for what cannot be served.
    """
    if options.workers > 1 and (options.store or "").startswith("memory:"):
        raise StoreUrlError(
            "memory:// keeps profiles inside one process; with more than one worker name a store"
            " that they share, such as sqlite:///var/lib/edgewise/profiles.db"
        )
    loaded = load_folder(options.rules, options.copies)
    default = options.default_environment
    if default is not None and default not in {**loaded.rulesets, **loaded.waiting}:
        raise InputError(f"the default environment {'/'.join(default)} is not served")
    store = _default_store(options.copies) if options.store is None else options.store
    profiles = _place_of_profiles(store_file(store))
    # Opened here only so that a wrong URL is a clear message and not a failing worker.
    asyncio.run(open_store(store).close())
    set_aside = [fault for one in loaded.rulesets.values() for fault in one.set_aside]
    print_set_aside(LineFinder(options.rules.parent).located(set_aside))
    require_free_address(options.host, options.port)
    settings = ServerSettings(
        rules=str(options.rules.resolve()),
        store=store,
        copies=str(options.copies.resolve()),
        host=options.host,
        port=options.port,
        workers=options.workers,
        default_environment=default,
        geo=tuple(str(file.resolve()) for file in options.geo),
        trusted_proxies=options.trusted_proxies,
        force_ip_from=tuple(options.force_ip_from),
    )
    check_settings(settings)
    _print_welcome(loaded, options, profiles)
    run(settings)
    return 0


def _default_store(folder: Path) -> str:
    """A file in a folder that is made for it: what was acknowledged outlasts the server."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}; name a store with --store") from error
    return f"sqlite://{quote(str((folder / DATABASE).resolve()))}"


def _place_of_profiles(file: Path | None) -> str:
    """Where profiles are kept, asked before the store is opened: that makes its file."""
    if file is None:
        return "in memory, until the server ends"
    return f"in {file}" if file.exists() else f"in {file}, a new file"


def _print_welcome(loaded: LoadedFolder, options: argparse.Namespace, profiles: str) -> None:
    host = f"[{options.host}]" if ":" in options.host else options.host
    base = f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{options.port}"
    print(f"Edgewise {__version__} serves {base}")
    for (organization, environment), ruleset in loaded.rulesets.items():
        print(
            f"  {organization}/{environment}: {counted(len(ruleset.audiences), 'audience')},"
            f" {counted(len(ruleset.experiences), 'experience')}, ruleset {ruleset.digest}"
        )
    for (organization, environment), source in loaded.waiting.items():
        print(f"  {organization}/{environment}: as soon as its rules are read from {source}")
    print(f"Profiles are kept {profiles}")
    organization, environment = next(iter({**loaded.rulesets, **loaded.waiting}))
    path = f"/v2/organizations/{organization}/environments/{environment}/profiles"
    event = (
        '{"type":"page","context":{"page":{"url":"https://shop.example/sale","path":"/sale",'
        '"query":{},"referrer":"","search":""}}}'
    )
    print(f"Try it:\n  curl -s '{base}{path}' -d '{{\"events\":[{event}]}}'", flush=True)
