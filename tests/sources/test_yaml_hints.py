"""What is usually wrong with YAML is told in plain words, where it stands."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import RulesError
from edgewise.sources.files import load_documents
from edgewise.sources.yaml_hints import YamlHint, hint_of
from edgewise.sources.yaml_text import parse_yaml

TAB = "a tab stands in the indentation: use spaces alone"
COLON = 'a text with ": " in it needs quotes'
COLUMN = "keys of one object begin in the same column"
DASHES = "members of one list begin with their dash in the same column"
MEMBER = 'a text with ": " in it needs quotes, and a comma ends a member'


def rule(line: str) -> str:
    """A rule file with this line, the third, in an audience."""
    return f"audiences:\n  - id: a\n{line}\n    has trait: t\n"


def hint_about(text: str) -> YamlHint:
    """The hint about a text that is no YAML."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        parse_yaml(text)
    return hint_of(text, caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param("audiences:\n\t- id: a", TAB, id="tab before a dash"),
        pytest.param(rule("\tname: b"), TAB, id="tab before a key"),
        pytest.param(rule("  \tname: b"), TAB, id="tab behind spaces"),
        pytest.param("audiences:\n  -\tid: a\n    has trait: t", TAB, id="tab behind a dash"),
        pytest.param(rule("    name: Sale: 20 %"), f'{COLON}: "Sale: 20 %"', id="colon"),
        pytest.param(
            rule('    name: The "x": y # odd'), f"{COLON}: 'The \"x\": y'", id="colon and quotes"
        ),
        pytest.param(rule("    name: 😀😀: b"), f'{COLON}: "😀😀: b"', id="wide characters"),
        pytest.param(rule("    has trait: {t: [a: b: c]}"), MEMBER, id="colon in brackets"),
        pytest.param(rule("    has trait: {t: a u: b}"), MEMBER, id="no comma in braces"),
        pytest.param("a: {b: c,\n  d: e: f}", MEMBER, id="colon in a later line of braces"),
        *(
            pytest.param(
                rule(f"    name: {text}"),
                f'a text that begins with {text[0]} needs quotes: "{text}"',
                id=f"begins with {text}",
            )
            for text in ("@anna", "`b`", "%off", "*", "*/sale", "*new", "& more", "!new",
                         "{b} here", "[New] here", "| b", "> 5", ", b")
        ),
        pytest.param(
            rule("    has viewed page: {path: *, url: x}"),
            'a text that begins with * needs quotes: "*"',
            id="star in braces",
        ),
        pytest.param("%a: b", 'a text that begins with % needs quotes: "%a: b"', id="at the top"),
        pytest.param(
            rule("    name: {{b}}"), "a text that begins with { or [ needs quotes", id="template"
        ),
        pytest.param(
            rule(f"    name: @{'b' * 80}"),
            f'a text that begins with @ needs quotes: "@{"b" * 59}…"',
            id="long text",
        ),
        pytest.param(
            rule("   name: b"), f"an indentation by 3 spaces fits nothing above: {COLUMN}",
            id="key too far left",
        ),
        pytest.param(
            "a:\n    - b\n  - c", f"an indentation by 2 spaces fits nothing above: {DASHES}",
            id="dash too far left",
        ),
        pytest.param(
            "  a: 1\nb: 2", f"an indentation by 0 spaces fits nothing above: {COLUMN}",
            id="first key too far right",
        ),
        pytest.param(
            rule("      name: b"),
            f"it is indented deeper than the key in line 2, which has a value already: {COLUMN}",
            id="key too far right",
        ),
        pytest.param(
            rule("    name: 'Anna's'"),
            "the text ended at the quote before it: write '' for a quote inside",
            id="apostrophe",
        ),
        pytest.param(
            rule('    name: "the "big" one"'),
            'the text ended at the quote before it: write \\" for a quote inside',
            id="quotes in quotes",
        ),
        pytest.param(
            rule('    has trait: {t: {matches: "\\d"}}'),
            'in double quotes a backslash begins an escape: write the text in single quotes,'
            ' or "\\\\"',
            id="regular expression",
        ),
        pytest.param(rule("    name: {b: c}}"), "there is one } too many", id="brace"),
        pytest.param(rule("    name: {b: [c, d}"), "[ ends with ]", id="other bracket"),
        pytest.param('a: ["b" "c"]', "a comma is missing before it", id="no comma"),
        pytest.param("a: [b,\n", "is each [ and { closed?", id="bracket at the end"),
        pytest.param(
            "a: 1\n---\nb: 2",
            "a file is one document: take out the line ---, or make it two files",
            id="two documents",
        ),
    ],
)  # fmt: skip
def test_hint_about_the_place(text: str, hint: str) -> None:
    """Where the parser stops at what is wrong, the hint says what to write there."""
    assert hint_about(text) == YamlHint(hint)


@pytest.mark.parametrize(
    ("text", "hint", "line"),
    [
        pytest.param(
            "audiences:\n  - id:a\n\n    has trait: t",
            "in line 2 a space is missing behind the colon: id: a",
            2,
            id="colon without a space",
        ),
        pytest.param(
            "audiences:\n  - id:a\n\n    # why\n    has trait: t",
            "in line 2 a space is missing behind the colon: id: a",
            2,
            id="colon without a space before a comment",
        ),
        pytest.param(
            "audiences:\r\n  - id: a\r\n    name:b\r\n    has trait: t\r\n",
            "in line 3 a space is missing behind the colon: name: b",
            3,
            id="colon without a space behind a key",
        ),
        pytest.param(
            "audiences:\n  -id: a\n   has trait: t",
            "in line 2 a space is missing behind the dash: - id: a",
            2,
            id="dash without a space",
        ),
        pytest.param(
            "audiences:\n  - id: a\n    has trait: t\n  -id: b",
            "in line 4 a space is missing behind the dash: - id: b",
            4,
            id="later dash without a space",
        ),
        pytest.param(
            "audiences\n  - id: a", "in line 1 a colon is missing: audiences:", 1, id="no colon"
        ),
        pytest.param(
            rule("    name"), "in line 3 a colon is missing: name:", 3, id="no colon behind a key"
        ),
        pytest.param(
            rule('    name: "b'),
            "the quote that begins in line 3, column 11 is not closed",
            3,
            id="open quote",
        ),
        pytest.param(
            "a: 'b\n---\nc: d",
            "the quote that begins in line 1, column 4 is not closed",
            1,
            id="open quote before a document",
        ),
        pytest.param(
            'audiences:\n  - id: a\n    name: "b\n    has trait: {plan: "gold"}',
            "is the quote in line 3 closed?",
            3,
            id="open quote before another one",
        ),
        pytest.param(
            "audiences:\n  - id: a\n    has trait: {t: b\n  - id: b",
            "is the { in line 3, column 16 closed, with commas in it?",
            3,
            id="open brace",
        ),
    ],
)
def test_hint_about_what_is_above(text: str, hint: str, line: int) -> None:
    """Where the parser went on too far, the hint says which line to look at."""
    assert hint_about(text) == YamlHint(hint, line)


@pytest.mark.parametrize(
    ("text", "line", "space"),
    [
        pytest.param("audiences:\n\u00a0 - id: a\n    has trait: t", 2, "U+00A0", id="above"),
        pytest.param("audiences:\n  - id: a\n \u3000  name: b", 3, "U+3000", id="last line"),
    ],
)
def test_what_looks_like_a_space_is_told(text: str, line: int, space: str) -> None:
    """A space that is none cannot be seen, so the hint names it and its line."""
    hint = hint_about(text)
    assert hint.line == line
    assert hint.text == (
        f"in line {line} {space}, which looks like a space, stands in the indentation:"
        " use spaces alone"
    )


@pytest.mark.parametrize(
    ("members", "shown"), [("{tier:gold}", "tier: gold"), ("{a: b, url:http://c}", "url: http://c")]
)
def test_a_missing_space_in_braces_is_told(members: str, shown: str) -> None:
    """`{tier:gold}` is a key without a value to YAML, which nobody means."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        parse_yaml(f"a:\n  - has trait: {members}")
    assert caught.value.problem == f"a space is missing behind the colon: {shown}"
    mark = caught.value.problem_mark
    assert mark is not None
    assert mark.line == 1


@pytest.mark.parametrize(
    "text",
    [
        "{a: b}",
        "{'a:b': c}",
        "{a:b: c}",
        "{a: }",
        "{a:b: null}",
        "{a:b: }",
        "? a:b",
        "{'a:b'}",
        '{"a:b": }',
    ],
)
def test_a_colon_in_a_key_with_a_value_is_one(text: str) -> None:
    """A key may hold a colon where it has a value, and a value may be left out behind a space."""
    assert len(parse_yaml(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\na: 2", id="a repeated key"),
        pytest.param("[" * 300, id="nested too deep"),
        pytest.param(": :", id="nothing usual"),
    ],
)
def test_what_is_told_well_enough_has_no_hint(text: str) -> None:
    """Errors of our own, and what nobody writes, are left as they are."""
    assert hint_about(text) == YamlHint()


@given(st.text("aé:-#,'\"[]{}*&!|>%@`?\\ \t\n\r\x85\u2028😀", max_size=40))
def test_any_text_has_a_hint_or_none(text: str) -> None:
    """Whatever is wrong with a text, finding a hint goes well, and its line is one of the text."""
    try:
        parse_yaml(text)
    except yaml.MarkedYAMLError as error:
        hint = hint_of(text, error)
        assert (
            0
            <= hint.line
            <= text.count("\n") + text.count("\r") + text.count("\x85") + (text.count("\u2028") + 1)
        )
    except yaml.YAMLError:
        pass


def test_a_fault_has_the_words_of_the_parser_and_the_hint(tmp_path: Path) -> None:
    """The place where the parser stopped is told in its words, and the line is that of the hint."""
    folder = tmp_path / "main"
    folder.mkdir()
    (folder / "a.yaml").write_text("audiences:\n  - id:a\n    has trait: t\n", "utf-8")
    with pytest.raises(RulesError) as caught:
        load_documents(folder, tmp_path)
    (fault,) = caught.value.faults
    assert str(fault) == (
        "main/a.yaml:2: mapping values are not allowed in this context in line 3, column 14"
        " (in line 2 a space is missing behind the colon: id: a)"
    )


@pytest.mark.parametrize("line", ["key{}:", "a{}x", "a{}# b"])
def test_a_line_of_spaces_takes_no_longer_than_others(line: str) -> None:
    """No hint looks at a line again from each of its spaces on: that would take minutes."""

    def give_up(*_: object) -> None:
        raise AssertionError("a hint takes more than linear time")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    try:
        hint_about(line.format(" " * 300_000) + "\nb: c")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
