"""The command `edgewise`: serve rules, check them, show their source and their schema."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edgewise import __version__
from edgewise.amounts import counted
from edgewise.asgi.client_address import MAX_PROXIES
from edgewise.asgi.short import DEFAULT_ENVIRONMENT_VARIABLE
from edgewise.audiences.listing import list_source
from edgewise.commands import (
    check,
    explain,
    import_contentful,
    imports,
    locate,
    plan,
    preview_link,
    render,
    simulate,
    synth,
)
from edgewise.commands.arguments import add_copies_option, add_geo_option
from edgewise.commands.faults import print_faults, print_set_aside
from edgewise.errors import EdgewiseError, InputError, RulesError, StoreUrlError
from edgewise.parsing import closest
from edgewise.printable import printable
from edgewise.reload.loading import LoadedFolder, load_folder
from edgewise.schema import schema_text
from edgewise.server import ServerSettings, check_settings, require_free_address, run
from edgewise.sources.files import load_rules
from edgewise.sources.lines import LineFinder
from edgewise.stores.urls import open_store, store_file

DEFAULT_STORE = "memory://"
_STORES = "memory:// or sqlite:///absolute/path.db"
_RULES = "folder with <organization>/<environment>/*.yaml"
_DESCRIPTION = (
    "Decide which content each visitor gets. `edgewise COMMAND --help` tells what a command takes."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 faults found, 2 cannot be done,
    130 interrupted by a person, 141 stopped because nobody reads the output any more."""
    options = _parser().parse_args(arguments)
    try:
        status = _run(options)
        # What is still held back is written here, where a closed pipe is no surprise.
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return 141
    return status


def _run(options: argparse.Namespace) -> int:
    try:
        status: int = options.command(options)
    except RulesError as error:
        known = LineFinder(Path(error.relative_to)).located if error.relative_to else tuple
        print_faults(known(error.faults))
        return 1
    except EdgewiseError as error:
        lines = map(printable, str(error).split("\n"))
        print("edgewise:", "\n".join(lines), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("edgewise: interrupted", file=sys.stderr)
        return 130
    return status


def _drop_output() -> None:
    """Let what a closed pipe left over go nowhere: the interpreter writes it when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="edgewise", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"edgewise {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the Experience API")
    serve.add_argument("rules", type=Path, help=_RULES)
    serve.add_argument("--store", default=DEFAULT_STORE, help=f"{_STORES} (%(default)s)")
    add_copies_option(serve)
    serve.add_argument("--host", default="127.0.0.1", help="(%(default)s)")
    serve.add_argument("--port", type=_port, default=8080, help="(%(default)s)")
    serve.add_argument("--workers", type=_workers, default=1, help="processes (%(default)s)")
    serve.add_argument(
        "--default-environment",
        type=_environment,
        default=os.environ.get(DEFAULT_ENVIRONMENT_VARIABLE) or None,
        metavar="ORGANIZATION/ENVIRONMENT",
        help="what the short paths /profiles and /events are about",
    )
    add_geo_option(serve)
    serve.add_argument(
        "--trusted-proxies",
        type=_proxies,
        default=0,
        metavar="N",
        help="how many proxies in front add to X-Forwarded-For (%(default)s)",
    )
    serve.add_argument(
        "--force-ip-from",
        action="append",
        default=[],
        metavar="NETWORK",
        help="who may send X-Force-IP beside this machine, such as 10.0.0.0/8; none: nobody may",
    )
    serve.set_defaults(command=_serve)

    check.register(commands)

    show = commands.add_parser("show-source", help="show the Python an audience compiles to")
    show.add_argument("rules", type=Path, help=_RULES)
    show.add_argument("audience", help="the audience's id")
    show.set_defaults(command=_show_source)

    takers = commands.add_parser("import", help="take over rules written elsewhere")
    import_contentful.register(takers.add_subparsers(required=True, metavar="FROM"))
    imports.register(commands)
    plan.register(commands)
    explain.register(commands)
    locate.register(commands)
    preview_link.register(commands)
    render.register(commands)
    simulate.register(commands)
    synth.register(commands)

    schema = commands.add_parser("schema", help="print the JSON Schema of rule files")
    schema.set_defaults(command=_schema)
    return parser


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


def _serve(options: argparse.Namespace) -> int:
    if options.workers > 1 and options.store.startswith("memory:"):
        raise StoreUrlError(
            "memory:// keeps profiles inside one process; with more than one worker name a store"
            " that they share, such as sqlite:///var/lib/edgewise/profiles.db"
        )
    loaded = load_folder(options.rules, options.copies)
    default = options.default_environment
    if default is not None and default not in {**loaded.rulesets, **loaded.waiting}:
        raise InputError(f"the default environment {'/'.join(default)} is not served")
    profiles = _place_of_profiles(store_file(options.store))
    # Opened here only so that a wrong URL is a clear message and not a failing worker.
    asyncio.run(open_store(options.store).close())
    set_aside = [fault for one in loaded.rulesets.values() for fault in one.set_aside]
    print_set_aside(LineFinder(options.rules.parent).located(set_aside))
    require_free_address(options.host, options.port)
    settings = ServerSettings(
        rules=str(options.rules.resolve()),
        store=options.store,
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


def _show_source(options: argparse.Namespace) -> int:
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
        hint = closest(options.audience, known) or f"there are: {', '.join(known)}"
        message = f'there is no audience "{options.audience}" ({hint})'
        print(f"edgewise: {printable(message)}", file=sys.stderr)
        return 2
    return 0


def _schema(options: argparse.Namespace) -> int:
    print(schema_text(), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
