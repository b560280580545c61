"""Faults as commands print them: with the line that each is in, where its file has lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from edgewise.errors import Fault
from edgewise.sources.lines import LineFinder


def print_faults(faults: Iterable[Fault], finder: LineFinder | None) -> None:
    """Print each fault on a line of its own, to standard error."""
    for fault in faults:
        print(fault_line(fault, finder, fault.code), file=sys.stderr)


def print_set_aside(faults: Iterable[Fault], finder: LineFinder) -> None:
    """Print what is wrong with rules that never match because of it, to standard error."""
    for fault in faults:
        owner = fault.audience_id or fault.experience_id
        note = f", {owner} never matches" if owner else ""
        print(fault_line(fault, finder, fault.code, note), file=sys.stderr)


def print_warnings(faults: Iterable[Fault], finder: LineFinder) -> None:
    """Print each warning on a line of its own, to standard error."""
    for fault in faults:
        print(fault_line(fault, finder, f"warning: {fault.code}"), file=sys.stderr)


def fault_line(fault: Fault, finder: LineFinder | None, kind: str, note: str = "") -> str:
    """Return a fault as `file:line: what is wrong (remedy) [kind at pointer]`.

    A place without a line is told as `file#pointer` instead.

    Args:
        finder: knows the lines; None where nothing is known of files.
    """
    line = finder.line_of(f"{fault.file}#{fault.pointer}") if finder else 0
    if not line:
        return f"{fault} [{kind}{note}]"
    return f"{fault.file}:{line}: {fault.text} [{kind} at {fault.pointer}{note}]"
