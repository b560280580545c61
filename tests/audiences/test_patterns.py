"""Regular expressions: searched, in linear time, in any value."""

from __future__ import annotations

from typing import Any

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from edgewise.audiences.patterns import compile_pattern, pattern_matches
from edgewise.operators import matches
from tests.strategies import ANY_VALUE, REGEXES


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        pytest.param("xabcx", "a.c", True, id="anywhere"),
        pytest.param("abc", "^b", False, id="anchored"),
        pytest.param("a\n", "a$", False, id="end-is-the-end"),
        pytest.param("ABC", "abc", False, id="case"),
        pytest.param("ABC", "(?i)abc", True, id="flag"),
        pytest.param(42, r"^\d+$", True, id="number"),
        pytest.param(["a", "b"], "a,b", True, id="list"),
        pytest.param({"a": 1}, "^$", True, id="object-is-empty"),
        pytest.param("straße", "ß", True, id="not-ascii"),
        pytest.param("a\0b", "a\0b", True, id="nul"),
        pytest.param("a\udc80b", "a.b", True, id="half-a-surrogate-pair"),
        pytest.param("\ud83d", "^\ufffd$", True, id="half-reads-as-replacement"),
    ],
)
def test_pattern(value: Any, pattern: str, expected: bool) -> None:
    """A pattern is searched in the text of a value, as the reference does."""
    assert pattern_matches(value, compile_pattern(pattern)) is expected
    assert matches(value, pattern) is expected


@given(st.sampled_from(ANY_VALUE) | st.text(), st.sampled_from(REGEXES))
def test_pattern_agrees_with_the_reference(value: Any, pattern: str) -> None:
    """The quick way to match and the reference never disagree."""
    assert pattern_matches(value, compile_pattern(pattern)) is matches(value, pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("(a+)+$", False), ("(a|a)*b", False), ("(.*a){12}", True), ("^(([a-z])+.)+[A-Z]$", False)],
)
def test_catastrophic_pattern_is_harmless(pattern: str, expected: bool) -> None:
    """What backtracking takes years for comes to its end."""
    assert pattern_matches("a" * 500_000 + "!", compile_pattern(pattern)) is expected


def test_patterns_are_compiled_once() -> None:
    """The same expression is the same object."""
    assert compile_pattern("a+b") is compile_pattern("a+b")


@pytest.mark.parametrize("pattern", ["(?=a)", "[", r"(a)\1", r"[a-z]{9}\pL{400}"])
def test_refused_pattern(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A pattern out of reach is an error, and nothing is printed."""
    with pytest.raises(re2.error):
        compile_pattern(pattern)
    assert capfd.readouterr() == ("", "")
