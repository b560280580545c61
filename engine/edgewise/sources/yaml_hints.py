"""What a YAML parser complains about, in plain words: what hardly ever means what it says.

The parser tells where it could not go on. What is wrong often stands before that: a quote that was
never closed, a colon without its space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import yaml

from edgewise.amounts import counted
from edgewise.printable import shortened

# Source: the line breaks of YAML 1.1, after which the parser counts its lines.
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_LONGEST_SHOWN: Final = 60

# `  - key` with its colon and a space; what follows is the value.
_KEY: Final = re.compile(r"(?P<before>[ ]*(?:-[ ]+)*)(?P<key>[^\s\"'#\[\]{},:-][^:#]*):[ ]+")
_NO_SPACE: Final = re.compile(
    r"[ ]*(?:-[ ]+)*(?P<key>[^\s\"'#\[\]{},:-][^:#]*):(?P<value>[^\s:/].*)"
)
_NO_SPACE_DASH: Final = re.compile(r"[ ]*-(?P<value>[^\s-].*)")
_WORDS: Final = re.compile(r"[ ]*(?:-[ ]+)*(?P<key>[^\s\"'#\[\]{},:-][^:#]*)(?:#.*)?")
# What an editor or a copied page puts in the place of a space.
_OTHER_SPACE: Final = re.compile(
    r"[ ]*(?:-[ ]+)*(?P<space>[\u00a0\u2000-\u200b\u202f\u3000\ufeff])"
)
_CLOSED_QUOTE: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_BRACKETS: Final = {"{": "}", "[": "]"}


class YamlHint(NamedTuple):
    """What to do about broken YAML; `line` is where, from 1, or 0 for where the parser stopped."""

    text: str = ""
    line: int = 0


_NO_HINT: Final = YamlHint()


class _Spot(NamedTuple):
    """Where a parser stopped and what it was about, by line and column from 0."""

    lines: list[str]
    problem: str
    context: str
    line: int
    column: int
    since_line: int
    since_column: int

    @property
    def here(self) -> str:
        return self.lines[self.line]

    @property
    def before(self) -> str:
        return self.here[: self.column]

    @property
    def character(self) -> str:
        return self.here[self.column : self.column + 1]

    @property
    def line_above(self) -> int:
        """The nearest line above that says anything, -1 where there is none."""
        for number in range(self.line - 1, -1, -1):
            text = self.lines[number].strip()
            if text and not text.startswith("#"):
                return number
        return -1


def hint_of(text: str, error: yaml.MarkedYAMLError) -> YamlHint:
    """Return what to do about an error of the YAML parser; an empty hint where that is not known.

    Args:
        text: what was parsed.
    """
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return _NO_HINT
    since = error.context_mark or mark
    # The end of the text counts as the beginning of a line that is not there.
    lines = [*_LINE_BREAK.split(text), ""]
    spot = _Spot(
        lines,
        error.problem or "",
        error.context or "",
        min(mark.line, len(lines) - 1),
        mark.column,
        min(since.line, len(lines) - 1),
        since.column,
    )
    return next(filter(None, (check(spot) for check in _CHECKS)), None) or _NO_HINT


def _tab(spot: _Spot) -> YamlHint | None:
    where = spot.here[: spot.column + 1]
    if "\t" in where and not where.strip(" \t-"):
        return YamlHint("a tab stands in the indentation: use spaces alone")
    return None


def _other_space(spot: _Spot) -> YamlHint | None:
    for number in (spot.line, max(spot.line_above, 0)):
        if found := _OTHER_SPACE.match(spot.lines[number]):
            name = f"U+{ord(found['space']):04X}"
            text = (
                f"in line {number + 1} {name}, which looks like a space, stands in the indentation"
            )
            return YamlHint(f"{text}: use spaces alone", number + 1)
    return None


def _quote(spot: _Spot) -> YamlHint | None:
    if "quoted scalar" not in spot.context:
        return None
    if "escape" in spot.problem:
        return YamlHint(
            "in double quotes a backslash begins an escape: write the text in single quotes,"
            ' or "\\\\"'
        )
    if "end of stream" in spot.problem or "document indicator" in spot.problem:
        place = f"in line {spot.since_line + 1}, column {spot.since_column + 1}"
        return YamlHint(f"the quote that begins {place} is not closed", spot.since_line + 1)
    return None


def _reserved(spot: _Spot) -> YamlHint | None:
    """A text that begins with what means something else at the beginning of a value."""
    about_since = any(word in spot.context for word in ("an alias", "an anchor", "block scalar"))
    about_here = any(
        word in spot.problem
        for word in ("cannot start any token", "undefined alias", "constructor for the tag")
    )
    if about_since or "a directive" in spot.context:
        return _needs_quotes(spot.lines[spot.since_line], spot.since_column)
    if about_here or (spot.character == "," and "node content" in spot.problem):
        return _needs_quotes(spot.here, spot.column)
    if "unhashable key" in spot.problem:
        return YamlHint("a text that begins with { or [ needs quotes")
    return None


def _needs_quotes(line: str, column: int) -> YamlHint:
    in_brackets = any(mark in line[:column] for mark in _BRACKETS)
    value = re.split(r"[,\]}]", line[column + 1 :])[0] if in_brackets else line[column + 1 :]
    value = line[column : column + 1] + value.partition(" #")[0].rstrip()
    return YamlHint(f"a text that begins with {value[:1]} needs quotes: {_quoted(value)}")


def _colon(spot: _Spot) -> YamlHint | None:
    """A colon where no key can stand: in a value, or behind what was taken for a part of one."""
    if "mapping values are not allowed" not in spot.problem:
        return None
    key = _KEY.match(spot.before)
    if key:
        return YamlHint(f'a text with ": " in it needs quotes: {_quoted(_value(spot.here, key))}')
    return _line_above(spot)


def _line_above(spot: _Spot) -> YamlHint | None:
    """What was meant to be a key goes on with the text of the line above."""
    number = spot.line_above
    if number < 0:
        return None
    above = spot.lines[number]
    if hint := _missing_space(above, number + 1):
        return hint
    if _KEY.match(above):
        return YamlHint(
            f"it is indented deeper than the key in line {number + 1}, which has a value already:"
            " keys of one object begin in the same column"
        )
    if words := _WORDS.fullmatch(above):
        return _missing_colon(words["key"].rstrip(), number + 1)
    return None


def _simple_key(spot: _Spot) -> YamlHint | None:
    if "could not find expected ':'" not in spot.problem:
        return None
    line = spot.lines[spot.since_line]
    if hint := _missing_space(line, spot.since_line + 1):
        return hint
    if words := _WORDS.fullmatch(line):
        return _missing_colon(words["key"].rstrip(), spot.since_line + 1)
    return None


def _missing_space(line: str, number: int) -> YamlHint | None:
    if found := _NO_SPACE.fullmatch(line):
        shown = _cut(f"{found['key']}: {found['value']}")
        return YamlHint(f"in line {number} a space is missing behind the colon: {shown}", number)
    if found := _NO_SPACE_DASH.fullmatch(line):
        shown = _cut(f"- {found['value']}")
        return YamlHint(f"in line {number} a space is missing behind the dash: {shown}", number)
    return None


def _missing_colon(key: str, number: int) -> YamlHint:
    return YamlHint(f"in line {number} a colon is missing: {_cut(key)}:", number)


def _in_brackets(spot: _Spot) -> YamlHint | None:
    """What is wrong between `[` or `{` and its counterpart."""
    if "parsing a flow" not in spot.context:
        return None
    opening = spot.lines[spot.since_line][spot.since_column : spot.since_column + 1]
    closing = _BRACKETS.get(opening, "")
    goes_on = spot.line == spot.since_line or _KEY.match(spot.before)
    if spot.character == ":" and goes_on:
        return YamlHint('a text with ": " in it needs quotes, and a comma ends a member')
    if closing and not goes_on:
        place = f"in line {spot.since_line + 1}, column {spot.since_column + 1}"
        return YamlHint(f"is the {opening} {place} closed, with commas in it?", spot.since_line + 1)
    if spot.character in ("]", "}") and closing and spot.character != closing:
        return YamlHint(f"{opening} ends with {closing}")
    if "','" in spot.problem and spot.character:
        return YamlHint("a comma is missing before it")
    if not (spot.here or any(spot.lines[spot.line :])):
        return YamlHint("is each [ and { closed?")
    return None


def _indentation(spot: _Spot) -> YamlHint | None:
    """A line that begins in a column in which none above does, or a value that has ended."""
    is_about_it = "block" in spot.context or "<document start>" in spot.problem
    if "did not find expected" not in spot.problem or not is_about_it:
        return None
    if spot.before.strip(" -"):
        return _behind_value(spot) or _lost_quote(spot)
    if spot.line == spot.since_line and spot.context:
        return None
    above = spot.line_above
    for number in (spot.line, *([above] if above >= 0 else [])):
        if hint := _missing_space(spot.lines[number], number + 1):
            return hint
    what = "list begin with their dash" if spot.character == "-" else "object begin"
    return YamlHint(
        f"an indentation by {counted(spot.column, 'space')} fits nothing above:"
        f" {'members' if spot.character == '-' else 'keys'} of one {what} in the same column"
    )


def _behind_value(spot: _Spot) -> YamlHint | None:
    """More text behind a value that its quote or its bracket has ended."""
    key = _KEY.match(spot.here)
    start = key.end() if key else 0
    value, rest = spot.before[start:].rstrip(), spot.here[spot.column :].rstrip()
    first = value[:1]
    if first in ("'", '"') and _CLOSED_QUOTE.fullmatch(value):
        return YamlHint(
            f"the text ended at the quote before it: write {first}{first} for a quote inside"
            if first == "'"
            else 'the text ended at the quote before it: write \\" for a quote inside'
        )
    closing = _BRACKETS.get(first)
    if closing is None or not value.endswith(closing):
        return None
    if not rest.strip("]} "):
        return YamlHint(f"there is one {spot.character} too many")
    return YamlHint(f"a text that begins with {first} needs quotes: {_quoted(value + ' ' + rest)}")


def _lost_quote(spot: _Spot) -> YamlHint | None:
    """A quote that the next text's own quote seemed to end."""
    for number in range(spot.line - 1, -1, -1):
        key = _KEY.match(spot.lines[number])
        value = _value(spot.lines[number], key) if key else ""
        if value[:1] in ("'", '"') and value.count(value[0]) % 2:
            return YamlHint(f"is the quote in line {number + 1} closed?", number + 1)
    return None


def _second_document(spot: _Spot) -> YamlHint | None:
    if "another document" in spot.problem:
        return YamlHint("a file is one document: take out the line ---, or make it two files")
    return None


def _value(line: str, key: re.Match[str]) -> str:
    return line[key.end() :].partition(" #")[0].strip()


def _quoted(text: str) -> str:
    """A text in the quotes that need the fewest escapes; one that is too long is only begun."""
    shown = _cut(text)
    if '"' in shown or "\\" in shown:
        return "'" + shown.replace("'", "''") + "'"
    return f'"{shown}"'


def _cut(text: str) -> str:
    return shortened(text, _LONGEST_SHOWN)


_CHECKS: Final[tuple[Callable[[_Spot], YamlHint | None], ...]] = (
    _tab,
    _quote,
    _other_space,
    _reserved,
    _colon,
    _simple_key,
    _in_brackets,
    _indentation,
    _second_document,
)
