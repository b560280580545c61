"""Environments in which there is nothing to decide."""

from __future__ import annotations

from collections.abc import Iterator

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note


def check_emptiness(subject: Subject) -> Iterator[Fault]:
    """Warn where there is no audience and no experience, not even one that was set aside."""
    ruleset = subject.ruleset
    if ruleset.audiences or ruleset.experiences or ruleset.set_aside:
        return
    message = "there is no audience and no experience here"
    hint = "is a key missing, or a file in another place? Else remove the folder"
    yield note("no_rules", Place(ruleset.names, ""), message, hint)
