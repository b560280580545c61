"""Faults as commands print them, one on a line, with the line that each is in where it is known."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from edgewise.errors import Fault


def print_faults(faults: Iterable[Fault]) -> None:
    """Print each fault to standard error."""
    for fault in faults:
        print(fault.told_as(fault.code), file=sys.stderr)


def print_set_aside(faults: Iterable[Fault]) -> None:
    """Print what is wrong with rules that never match because of it, to standard error."""
    for fault in faults:
        owner = fault.audience_id or fault.experience_id
        print(fault.told_as(fault.code, f"{owner} never matches" if owner else ""), file=sys.stderr)


def print_warnings(faults: Iterable[Fault]) -> None:
    """Print each warning to standard error."""
    for fault in faults:
        print(fault.told_as(f"warning: {fault.code}"), file=sys.stderr)
