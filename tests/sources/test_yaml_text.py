"""YAML as rules are written in it: its plain words, its limits, and where it is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewise.sources.yaml_text import MAX_LEVELS, parse_yaml

ENGINE = Path(__file__).parents[2] / "engine"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("NO", "no", "yes", "on", "Off", "y", "n", "a")),
        *((word, word) for word in ("01234", "0x1f", "0o7", "1_000", "12:30:45", ".nan", ".inf")),
        *((word, word) for word in ("1.2.3", "+", "=", ".", "e5", "1e", "10119-1234")),
        *(('"5"', "5"), ("'true'", "true"), ("!!str 5", "5")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("~", "null", "Null", "")),
        *(("0", 0), ("42", 42), ("-42", -42), ("+42", 42), ("99999999999999999999", 10**20 - 1)),
        *(("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-3", 0.001)),
        ("2026-01-31", date(2026, 1, 31)),
        ("2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_plain_word(text: str, value: Any) -> None:
    """A plain word is what YAML 1.2 and its readers take it for, and dates are dates."""
    parsed = parse_yaml(f"key: {text}")
    assert parsed == {"key": value}
    assert type(parsed["key"]) is type(value)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "---\n...\n"], ids=repr)
def test_nothing(text: str) -> None:
    """An empty document is nothing."""
    assert parse_yaml(text) is None


def test_aliases() -> None:
    """What is anchored can be used again, whole or merged into an object."""
    text = "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}"
    assert parse_yaml(text) == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}


def bomb(levels: int) -> str:
    """A text that doubles itself with each line."""
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        pytest.param("a: 1\na: 2", 'the key "a" stands here twice', (2, 1), id="repeated-key"),
        pytest.param(
            "- x\n- {b: 1, b: 1}", 'the key "b" stands here twice', (2, 10), id="repeated-deeper"
        ),
        pytest.param("a: 2026-02-30", '"2026-02-30" is no timestamp', (1, 4), id="no-date"),
        pytest.param("a: !!int x", '"x" is no int', (1, 4), id="no-int"),
        pytest.param('a: !!int ""', '"" is no int', (1, 4), id="empty-int"),
        pytest.param("a: !!bool x", '"x" is no bool', (1, 4), id="no-bool"),
        pytest.param("a: !!timestamp x", '"x" is no timestamp', (1, 4), id="no-timestamp"),
        pytest.param(
            "a: &x [*x]",
            "an alias stands for something that it is part of",
            (1, 4),
            id="recursive-alias",
        ),
        pytest.param(bomb(40), "more than 5000000 values", None, id="bomb"),
        pytest.param("a: 1\nb: [\n", "did not find expected node content", (3, 1), id="open-list"),
        pytest.param("a: 1\n b: 2", "mapping values are not allowed", (2, 3), id="indentation"),
        pytest.param("a: *x", "found undefined alias", (1, 4), id="unknown-alias"),
        pytest.param("a: 1\n---\nb: 2", "but found another document", (2, 1), id="two-documents"),
        pytest.param("? [a]\n: 1", "found unhashable key", (1, 3), id="list-as-a-key"),
        pytest.param(
            "a: !!python/object/apply:os.getcwd []",
            "could not determine a constructor for the tag",
            (1, 4),
            id="python-object",
        ),
        pytest.param(
            "a: " + "[" * 300, f"nested deeper than {MAX_LEVELS} levels", (1, 203), id="too-deep"
        ),
    ],
)
def test_fault(text: str, problem: str, place: tuple[int, int] | None) -> None:
    """What cannot be read is refused with the reason and the place."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        parse_yaml(text)
    mark = caught.value.problem_mark
    assert problem in str(caught.value.problem)
    assert (mark and (mark.line + 1, mark.column + 1)) == place


def test_deepest_document() -> None:
    """What is nested up to the limit is read."""
    value = parse_yaml("[" * MAX_LEVELS + "]" * MAX_LEVELS)
    for _ in range(MAX_LEVELS - 1):
        [value] = value
    assert value == []


@pytest.mark.parametrize("text", ["'[' * 300_000", "'- ' * 300_000", "'{a: ' * 300_000"])
def test_bottomless_document_does_not_end_the_process(text: str) -> None:
    """A document of hundreds of thousands of levels is an error like any other."""
    script = (
        "import yaml\nfrom edgewise.sources.yaml_text import parse_yaml\n"
        f"try: parse_yaml({text})\nexcept yaml.YAMLError as error: print(error.problem)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )
    assert done.stdout.strip() == f"nested deeper than {MAX_LEVELS} levels"
