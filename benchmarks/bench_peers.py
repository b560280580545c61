"""The peers' benchmark: each library on the same rules and visitors, side by side with the engine.

    python -m benchmarks.bench_peers [--libraries a,b] [--sizes 10,100] [--rounds 3] [--output FILE]

Every library and size runs in fresh processes of the library's own environment, in shuffled order.
A process compares all answers first and then times the inline floor, the engine and the library in
turn on the same visitors. The exit status is 1 where an answer differs or a limit is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.peers.libraries import LIBRARIES, Library
from benchmarks.peers.results import RESULTS, Run, report_of
from benchmarks.peers.table import rows_text, table_of

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".peers"
ROUNDS = 3
TIMEOUT_S = 900
ORDER_SEED = 7

Case = tuple[Library, int]


def cases_of(names: Sequence[str], sizes: Sequence[int], rounds: int) -> Iterator[Case]:
    """Return every library at every size that is asked for, each round in another order."""
    cases = [
        (one, size)
        for one in LIBRARIES
        for size in one.sizes
        if (not names or one.name in names) and (not sizes or size in sizes)
    ]
    chance = random.Random(ORDER_SEED)
    for _ in range(rounds):
        yield from chance.sample(cases, len(cases))


def run_case(one: Library, size: int) -> Run:
    """Return what a fresh process measured.

    Errors: CalledProcessError where an answer differs or the library fails; the process has said
    why on the standard error output.
    """
    python = ENVIRONMENTS / one.name / "bin" / "python"
    command = [str(python), "-m", "benchmarks.peers.worker", one.name, str(size)]
    output = subprocess.run(
        command,
        cwd=ROOT,
        env=quiet_environment(),
        stdout=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout
    return msgspec.json.decode(output.splitlines()[-1], type=Run)


def quiet_environment() -> dict[str, str]:
    """Return the environment of a worker: our sources, and nothing that tunes a library."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": f"{ROOT / 'engine'}{os.pathsep}{ROOT}", "PYTHONHASHSEED": "0"}


def main(arguments: Sequence[str]) -> int:
    """Print the table, write the results and return the exit status."""
    options = parse_arguments(arguments)
    runs = []
    for one, size in cases_of(options.libraries, options.sizes, options.rounds):
        print(f"{one.label}, N = {size:,} ...", file=sys.stderr, flush=True)
        try:
            runs.append(run_case(one, size))
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{one.label} at N = {size:,} failed: {error}", file=sys.stderr)
            return 1
    report = report_of(runs)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    print(table_of(report), rows_text(report.rows), sep="\n\n")
    return 0 if all(row.holds for row in report.rows) else 1


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for; empty lists are everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_peers")
    parser.add_argument("--libraries", type=lambda text: text.split(","), default=[])
    parser.add_argument("--sizes", type=lambda text: list(map(int, text.split(","))), default=[])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
