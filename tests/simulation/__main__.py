"""Runs simulations from the command line: `python -m tests.simulation --seeds 1000 --first 1`."""

from __future__ import annotations

import argparse
import time

from tests.simulation.reference import Violation
from tests.simulation.run import run_seed


def main() -> int:
    """Run the seeds that were asked for and return 1 if one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    started_s = time.monotonic()
    writes = crashes = events = 0
    failed = []
    for seed in range(options.first, options.first + options.seeds):
        try:
            summary = run_seed(seed)
        except Violation as violation:
            print(violation, flush=True)
            failed.append(seed)
            continue
        writes += summary.writes
        crashes += summary.crashes
        events += summary.events
    print(
        f"{options.seeds} seeds in {time.monotonic() - started_s:.0f} s:"
        f" {writes} writes, {crashes} crashes, {events} events counted, {len(failed)} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
