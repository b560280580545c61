"""A text → the tests on it that hold: prefixes, suffixes, substrings and regular expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import re2

from edgewise.model.audience import Test
from edgewise.operators import reference_test
from edgewise.values import well_formed

TextLookup = Callable[[str], int]
TestRow = tuple[str, Any, int]
"""Operator, operand, and the bits that a value which passes sets."""

# Up to here it is quicker to look for texts in turn than to ask an RE2 set for all of them at once.
MAX_NEEDLES = 16


def make_text_lookup(equal: Mapping[str, int], patterns: Iterable[TestRow]) -> TextLookup | None:
    """Return the lookup of a text, None where no test reads one.

    Args:
        equal: text → mask of the tests that it satisfies.
        patterns: (operator, operand, mask) of tests on parts of the text.
    """
    kinds: dict[str, dict[str, int]] = {}
    for operator, operand, mask in patterns:
        masks = kinds.setdefault(operator, {})
        masks[operand] = masks.get(operand, 0) | mask
    if "matches" in kinds or len(kinds.get("contains", ())) > MAX_NEEDLES:
        return _scanning(equal, kinds)
    parts = [
        _equal(equal),
        _prefixes(kinds.get("startsWith", {})),
        _suffixes(kinds.get("endsWith", {})),
        _in_turn(kinds.get("contains", {})),
    ]
    return _union([part for part in parts if part])


def is_slow(tests: Iterable[Test]) -> bool:
    """Return whether looking up a text among some tests asks an RE2 set."""
    operators = Counter(test.operator for test in tests)
    return operators["matches"] > 0 or operators["contains"] > MAX_NEEDLES


def _equal(masks: Mapping[str, int]) -> TextLookup | None:
    return (lambda text: masks.get(text, 0)) if masks else None


def _by_length(masks: Mapping[str, int]) -> list[tuple[int, dict[str, int]]]:
    lengths: dict[int, dict[str, int]] = {}
    for text, mask in masks.items():
        lengths.setdefault(len(text), {})[text] = mask
    return sorted(lengths.items())


def _prefixes(masks: Mapping[str, int]) -> TextLookup | None:
    lengths = _by_length(masks)

    def look_up(text: str) -> int:
        found = 0
        for length, table in lengths:
            found |= table.get(text[:length], 0)
        return found

    return look_up if lengths else None


def _suffixes(masks: Mapping[str, int]) -> TextLookup | None:
    lengths = _by_length(masks)

    def look_up(text: str) -> int:
        found = 0
        size = len(text)
        for length, table in lengths:
            if length <= size:
                found |= table.get(text[size - length :], 0)
        return found

    return look_up if lengths else None


def _in_turn(needles: Mapping[str, int]) -> TextLookup | None:
    pairs = tuple(needles.items())

    def look_up(text: str) -> int:
        found = 0
        for needle, mask in pairs:
            if needle in text:
                found |= mask
        return found

    return look_up if pairs else None


def _scanning(equal: Mapping[str, int], kinds: Mapping[str, Mapping[str, int]]) -> TextLookup:
    """Where a set has to be asked anyway, it answers for all parts of a text."""
    patterns = [
        _Pattern(_EXPRESSIONS[operator].format(re2.escape(operand)), mask, operator, operand)
        for operator in _EXPRESSIONS
        for operand, mask in kinds.get(operator, {}).items()
    ]
    patterns += [_Pattern(regex, mask) for regex, mask in kinds.get("matches", {}).items()]
    first, *others = _compile_sets(patterns)
    lookup = _scan(*first, equal)
    return _union([lookup, *(_scan(*other, {}) for other in others)]) or lookup


# As expressions, of an escaped operand.
_EXPRESSIONS = {"startsWith": r"\A{}", "endsWith": r"{}\z", "contains": "{}"}


class _Pattern(msgspec.Struct, frozen=True):
    """An RE2 expression and its mask; with the test that it stands for, where it is no regex."""

    regex: str
    mask: int
    operator: str = "matches"
    operand: str = ""


def _compile_sets(patterns: list[_Pattern]) -> list[tuple[Any, list[_Pattern]]]:
    """Sets of these patterns: one, unless that would exceed what RE2 lets a set have."""
    options = re2.Options()
    options.log_errors = False
    compiled = re2.Set.SearchSet(options)
    try:
        for pattern in patterns:
            compiled.Add(pattern.regex)
        compiled.Compile()
    except re2.error:
        if len(patterns) == 1:
            raise
        middle = len(patterns) // 2
        return [*_compile_sets(patterns[:middle]), *_compile_sets(patterns[middle:])]
    return [(compiled, patterns)]


def _scan(compiled: Any, patterns: list[_Pattern], equal: Mapping[str, int]) -> TextLookup:
    match = compiled.Match
    masks = [pattern.mask for pattern in patterns]

    def look_up(text: str) -> int:
        found = equal.get(text, 0)
        try:
            matched = match(text.encode())
        except UnicodeEncodeError:
            return found | _scan_repaired(compiled, patterns, text)
        if matched:
            for number in matched:
                found |= masks[number]
        return found

    return look_up


def _scan_repaired(compiled: Any, patterns: list[_Pattern], text: str) -> int:
    """For a text with half surrogate pairs: a regex reads it repaired, any other test as it is."""
    matched = set(compiled.Match(well_formed(text)) or ())
    found = 0
    for number, pattern in enumerate(patterns):
        if pattern.operator == "matches":
            holds = number in matched
        else:
            holds = reference_test(pattern.operator)(text, pattern.operand)
        if holds:
            found |= pattern.mask
    return found


def _union(parts: list[TextLookup]) -> TextLookup | None:
    if len(parts) <= 1:
        return parts[0] if parts else None
    if len(parts) == 2:
        first, second = parts
        return lambda text: first(text) | second(text)

    def look_up(text: str) -> int:
        found = 0
        for part in parts:
            found |= part(text)
        return found

    return look_up
