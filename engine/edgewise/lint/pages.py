"""Conditions on pages that browsers hardly satisfy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, event_tests, note, place_of, texts_of
from edgewise.lint.spaces import has_outer_space
from edgewise.model.audience import Test

_WHOLE: Final = ("equal", "in")
_LITERAL: Final = (*_WHOLE, "startsWith", "endsWith", "contains")
_SCHEMES: Final = ("https://", "http://")


def check_pages(subject: Subject) -> Iterator[Fault]:
    """Warn of paths, addresses and referrers that are compared with what none is like."""
    for audience in subject.ruleset.audiences:
        for leaf, test in event_tests(audience.tree):
            place = place_of(leaf.origin, audience.id)
            for text in texts_of(test):
                if not has_outer_space(test, text):
                    yield from _check(test, text, place)


def _check(test: Test, text: str, place: Place) -> Iterator[Fault]:
    if _is_path_without_slash(test, text):
        yield note("path_without_slash", place, *_slash_words(text))
    elif _is_path_with_query(test, text):
        mark = "?" if "?" in text else "#"
        message = f'no path has a "{mark}": what follows it in "{text}" is no part of the path'
        path = text.partition("?")[0].partition("#")[0]
        hint = f'compare it with url, or write "{path}"' if path else "compare it with url"
        yield note("path_with_query", place, message, hint)
    if _is_url_without_scheme(test, text):
        message = f'"{text}" is no whole address, and a url always is one'
        yield note("url_without_scheme", place, message, _scheme_hint(text))
    if _is_literal_star(test, text):
        message = f'the "*" in "{text}" stands for itself: it is no placeholder inside of a text'
        yield note("literal_star", place, message, _star_hint(test, text))
    if _is_bare_referrer(test, text):
        message = f'"{text}" is no whole address, and a referrer always is one'
        hint = "use `contains`, or write it like https://www.example.com/"
        yield note("bare_referrer", place, message, hint)


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
    asks = test.operator in _WHOLE
    return test.attribute.source == "page_referrer" and asks and "://" not in text


def _is_path_with_query(test: Test, text: str) -> bool:
    asks = test.operator in _LITERAL
    return test.attribute.source == "page_path" and asks and ("?" in text or "#" in text)


def _is_url_without_scheme(test: Test, text: str) -> bool:
    if test.attribute.source != "page_url" or not text or "://" in text:
        return False
    if test.operator == "startsWith":
        return not any(scheme.startswith(text) for scheme in _SCHEMES)
    return test.operator in _WHOLE


def _scheme_hint(text: str) -> str:
    if text.startswith("/"):
        return "compare it with path, or use `contains`"
    if "." in text.partition("/")[0]:
        return f'write "https://{text}"'
    return "use `contains`, or write the whole address"


def _is_literal_star(test: Test, text: str) -> bool:
    """In a query of an address a star may well stand; as a segment of it, hardly."""
    if test.operator not in _LITERAL or "*" not in text:
        return False
    source = test.attribute.source
    return source == "page_path" or (source == "page_url" and "?" not in text)


def _star_hint(test: Test, text: str) -> str:
    fixed = text.removesuffix("*")
    if fixed and "*" not in fixed:
        if test.operator == "equal":
            return f'write {{starts with: "{fixed}"}}'
        if test.operator in ("startsWith", "contains"):
            return f'write "{fixed}"'
    return "use `starts with`, `contains` or `matches`"
