"""Conditions on pages that browsers hardly satisfy."""

from __future__ import annotations

from collections.abc import Iterator

from edgewise.errors import Fault
from edgewise.lint.notes import Subject, event_tests, note, place_of
from edgewise.model.audience import Test


def check_pages(subject: Subject) -> Iterator[Fault]:
    """Warn of paths without a leading slash, and of referrers that are no address."""
    for audience in subject.ruleset.audiences:
        for leaf, test in event_tests(audience.tree):
            place = place_of(leaf.origin, audience.id)
            for text in _texts(test):
                if _is_path_without_slash(test, text):
                    yield note("path_without_slash", place, *_slash_words(text))
                if _is_bare_referrer(test, text):
                    message = f'"{text}" is no whole address, and a referrer always is one'
                    hint = "use `contains`, or write it like https://www.example.com/"
                    yield note("bare_referrer", place, message, hint)


def _texts(test: Test) -> Iterator[str]:
    members = test.operand if isinstance(test.operand, tuple) else (test.operand,)
    yield from (member for member in members if isinstance(member, str))


def _is_path_without_slash(test: Test, text: str) -> bool:
    asks = test.operator in ("equal", "in", "startsWith")
    return test.attribute.source == "page_path" and asks and not text.startswith("/")


def _slash_words(text: str) -> tuple[str, str]:
    """What is wrong with a path without a leading slash, and what to do about it."""
    if "://" in text:
        path = text.partition("://")[2].partition("/")[2].partition("?")[0].partition("#")[0]
        return (
            f'"{text}" is a whole address and no path',
            f'compare it with url, or write "/{path}"',
        )
    return f'the path "{text}" has no leading slash, and every real one has', f'write "/{text}"'


def _is_bare_referrer(test: Test, text: str) -> bool:
    asks = test.operator in ("equal", "in")
    return test.attribute.source == "page_referrer" and asks and "://" not in text
