"""`edgewise simulate`: what rules do to recorded events."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from edgewise.amounts import counted
from edgewise.commands.arguments import RULES_HELP
from edgewise.commands.console import OutputConsole
from edgewise.commands.ending import ending_in_order
from edgewise.commands.existing import files_of, require_existing
from edgewise.commands.outputs import (
    STANDARD_OUTPUT,
    is_standard_output,
    require_apart,
    require_writable,
    write_output,
)
from edgewise.commands.times import time_option
from edgewise.errors import InputError
from edgewise.simulate.extras import load_extra
from edgewise.simulate.files import STANDARD_INPUT
from edgewise.simulate.mapping import load_mapping
from edgewise.simulate.result import InputResult, Result, encode_result
from edgewise.simulate.rules_input import RulesInput, files_of_rules, read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.state import remove_state
from edgewise.simulate.summary import print_summary
from edgewise.simulate.visitors import MAX_OPEN_PROFILES

_MOST_WORKERS = 256


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("rules", type=Path, help=RULES_HELP)
    parser.add_argument(
        "events", nargs="*", help="NDJSON (plain, gzip, zstd) or Parquet in log order; - is stdin"
    )
    parser.add_argument("--store", default="", metavar="URL", help="read the log of a store")
    parser.add_argument("--since", metavar="TIME", help="with --store: only what arrived since")
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="for lines of another shape")
    parser.add_argument(
        "--environment", default="", metavar="ORG/ENV", help="of lines that name none"
    )
    parser.add_argument("--against", type=Path, metavar="RULES", help="rules to compare with")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON; - is stdout")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report with charts")
    parser.add_argument("--parquet", type=Path, metavar="FILE", help="write every decision")
    parser.add_argument("--show-ids", action="store_true", help="name example profiles")
    parser.add_argument("--strict", action="store_true", help="stop at the first broken line")
    parser.add_argument(
        "--resume", type=Path, metavar="FOLDER", help="keep state here, and go on from it"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 is one per core")
    parser.add_argument(
        "--on", default="", metavar="ADDRESS", help="replay on a Dask cluster: tcp://host:8786"
    )
    parser.add_argument(
        "--max-open-profiles", type=int, default=MAX_OPEN_PROFILES, help="in memory, per process"
    )
    parser.add_argument("--quiet", action="store_true", help="no summary and no progress")
    parser.set_defaults(command=run_simulation)


def run_simulation(options: Namespace) -> int:
    """Simulate, and show and write the result; return the exit status.

    Errors: InputError, also where there are lines and none could be replayed; RulesError,
        StoreError.
    """
    if options.on and options.parquet:
        raise InputError("--parquet writes decisions on this machine, so it does not go with --on")
    rules = read_rules(options.rules)
    against = read_rules(options.against) if options.against else None
    source = _input(options, rules)
    settings = Options(
        workers=_workers(options.workers),
        max_open=_max_open(options.max_open_profiles),
        state=options.resume,
        decisions=options.parquet,
        show_ids=options.show_ids,
        scheduler=options.on,
    )
    _check_outputs(options, _inputs(options, rules, against))
    # What the report needs is missed before a long run and not after it.
    page = (
        load_extra("edgewise.simulate.report.page", "A report", "report") if options.html else None
    )
    with ending_in_order():
        result = _simulate(options, rules, against, source, settings)
        refusal = _refusal(result.input)
        if not refusal:
            _write(options, result, page)
    if options.resume:
        remove_state(options.resume)
    if refusal:
        raise InputError(refusal)
    return 0


def _check_outputs(options: Namespace, inputs: Iterable[Path]) -> None:
    for name, path in (("--html", options.html), ("--parquet", options.parquet)):
        if path and is_standard_output(str(path)):
            raise InputError(f"{name} writes a file; only --json - writes to standard output")
    if options.json and is_standard_output(options.json):
        options.json = STANDARD_OUTPUT
    json = Path(options.json) if options.json and options.json != STANDARD_OUTPUT else None
    outputs = [path for path in (json, options.html, options.parquet) if path is not None]
    for path in outputs:
        require_writable(path)
    require_apart(outputs, inputs)


def _inputs(options: Namespace, rules: RulesInput, against: RulesInput | None) -> Iterator[Path]:
    """Every file that is read."""
    yield from (Path(path) for path in options.events if path != STANDARD_INPUT)
    yield from files_of(options.store)
    if options.mapping:
        yield options.mapping
    yield from files_of_rules(rules, options.rules)
    if against:
        yield from files_of_rules(against, options.against)


def _simulate(
    options: Namespace,
    rules: RulesInput,
    against: RulesInput | None,
    source: Input,
    settings: Options,
) -> Result:
    if options.quiet or not sys.stderr.isatty():
        return simulate(rules, against, source, settings)
    console = load_extra("rich.console", "Showing progress").Console(stderr=True)
    progress = load_extra("edgewise.simulate.progress", "Showing progress")
    with progress.TerminalProgress(console) as bars:
        return simulate(rules, against, source, settings, bars)


def _refusal(read: InputResult) -> str:
    """Whoever gave lines of which not one counts did not mean these lines, or not so."""
    if not read.lines or read.broken < read.lines:
        return ""
    sources = ", ".join(read.sources)
    if read.lines == 1:
        return f"the only line of {sources} could not be replayed: {read.broken_lines[0].reason}"
    lines = f"none of the {read.lines:,} lines of {sources} could be replayed"
    return f"{lines}; {_first_reason(read)}"


def _write(options: Namespace, result: Result, page: ModuleType | None) -> None:
    """Write what programs read first: it holds everything, and the rest can be made from it."""
    if options.json == STANDARD_OUTPUT:
        sys.stdout.buffer.write(encode_result(result))
        sys.stdout.buffer.flush()
    elif options.json:
        write_output(Path(options.json), encode_result(result))
    if page:
        write_output(options.html, page.html_report(result).encode())
    if options.quiet or options.json == STANDARD_OUTPUT:
        _tell_broken(result.input)
    else:
        print_summary(result, OutputConsole())


def _tell_broken(read: InputResult) -> None:
    if read.broken:
        lines = f"{read.broken:,} of {counted(read.lines, 'line')} could not be replayed"
        print(f"edgewise: {lines}; {_first_reason(read)}", file=sys.stderr)


def _first_reason(read: InputResult) -> str:
    first = read.broken_lines[0]
    return f"the first: {first.source}, line {first.line}: {first.reason}"


def _input(options: Namespace, rules: RulesInput) -> Input:
    environments = tuple(sorted(rules.documents))
    if bool(options.store) == bool(options.events):
        raise InputError("name either files of events or --store URL")
    if options.since and not options.store:
        raise InputError("--since goes with --store")
    if options.store:
        require_existing(options.store)
    environment = options.environment or (environments[0] if len(environments) == 1 else "")
    if environment and environment not in environments:
        known = ", ".join(environments)
        raise InputError(f'the rules have no environment "{environment}"; there are: {known}')
    return Input(
        paths=tuple(options.events),
        store=options.store,
        since_ms=(
            0 if options.since is None else time_option("--since", options.since, "2026-11-01")
        ),
        environments=environments,
        environment=environment,
        mapping=load_mapping(options.mapping) if options.mapping else None,
        strict=options.strict,
    )


def _workers(wanted: int) -> int:
    if not 0 <= wanted <= _MOST_WORKERS:
        raise InputError(f"--workers takes a number from 0 to {_MOST_WORKERS}")
    return wanted or len(os.sched_getaffinity(0))


def _max_open(wanted: int) -> int:
    if wanted < 1:
        raise InputError("--max-open-profiles takes a number from 1")
    return wanted
