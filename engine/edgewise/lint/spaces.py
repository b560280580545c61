"""Spaces around values, which are compared like everything else."""

from __future__ import annotations

from collections.abc import Iterator

from edgewise.errors import Fault
from edgewise.lint.notes import Subject, all_tests, note, place_of, texts_of
from edgewise.model.audience import Test


def check_spaces(subject: Subject) -> Iterator[Fault]:
    """Warn of values that begin or end with a space where the whole value is compared."""
    for audience in subject.ruleset.audiences:
        for leaf, test in all_tests(audience.tree):
            for text in texts_of(test):
                if has_outer_space(test, text):
                    message = f'"{text}" {_ends(text)} with a space, which is compared, too'
                    place = place_of(leaf.origin, audience.id)
                    yield note("outer_space", place, message, f'write "{text.strip()}"')


def has_outer_space(test: Test, text: str) -> bool:
    """Return whether a value has a space at an end, and hardly any real one has it there.

    What a text contains may well begin or end with a space, and so may the open end of another.
    """
    if not text.strip():
        return False
    match test.operator:
        case "equal" | "in" | "includes":
            return text != text.strip()
        case "startsWith":
            return text != text.lstrip()
        case "endsWith":
            return text != text.rstrip()
        case _:
            return False


def _ends(text: str) -> str:
    begins, ends = text != text.lstrip(), text != text.rstrip()
    return "begins and ends" if begins and ends else "begins" if begins else "ends"
