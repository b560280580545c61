"""Runs each case in a process of its own and collects what it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.peers.machine import Machine, this_machine
from benchmarks.rows import Case

ROOT = Path(__file__).parent.parent
LIBRARIES = ("google-re2", "maxminddb", "mmh3", "msgspec", "uvicorn", "uvloop", "xxhash")


class CaseFailed(Exception):
    """A case ended with an error."""


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found, as it is written to a file.

    Args:
        answers: by case what it printed.
    """

    machine: Machine
    versions: dict[str, str]
    answers: dict[str, Any]


def run_cases(cases: Iterable[Case], tell: Callable[[str], None]) -> Results:
    """Return what some cases answer, one after the other, each in a fresh process.

    A case that fails, or needs a program that is not installed, is told and left out: what the
    others found is not lost for it.
    """
    answers = {}
    for case in cases:
        if case.needs and not shutil.which(case.needs):
            tell(f"{case.name}: left out, since {case.needs} is missing")
            continue
        tell(case.name)
        try:
            answers[case.name] = run_case(case)
        except CaseFailed as error:
            tell(str(error))
    return Results(
        machine=this_machine(),
        versions={name: version(name) for name in LIBRARIES},
        answers=answers,
    )


def run_case(case: Case) -> Any:
    """Return what one case prints. Errors: CaseFailed."""
    paths = [str(ROOT / "engine"), str(ROOT)]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{case.module}", *case.arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CaseFailed(f"{case.name}: {done.stderr.decode(errors='replace')}")
    try:
        return msgspec.json.decode(done.stdout)
    except msgspec.DecodeError as error:
        raise CaseFailed(f"{case.name}: {error}") from error
