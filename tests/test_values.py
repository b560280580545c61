"""JSON values as text, number and time, as clients and rule authors see them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.values import is_present, number_of, text_of, time_of, well_formed
from tests.strategies import made_up


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        (0, "0"),
        (-7, "-7"),
        (2**53 + 1, "9007199254740993"),
        (10**21, "1e+21"),
        (-(10**25), "-1e+25"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (10**5000, "Infinity"),
        (42.0, "42"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.001, "0.001"),
        (1e-6, "0.000001"),
        (1.5e-5, "0.000015"),
        (-2.25e-6, "-0.00000225"),
        (1e-7, "1e-7"),
        (5e-324, "5e-324"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ([], ""),
        (["a", "b"], "a,b"),
        ([1, None, True, "x"], "1,,true,x"),
        ([[1, 2], [3]], "1,2,3"),
        ({"a": 1}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_text_of(value: Any, text: str) -> None:
    """A value's text is what JavaScript's String() gives, but an object has none."""
    assert text_of(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_text_of_a_float_reads_back(value: float) -> None:
    """A number's text is that number again, and never has Python's padded exponent."""
    text = text_of(value)
    assert float(text) == value
    assert "e-0" not in text
    assert "e+0" not in text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (42, 42),
        (1.5, 1.5),
        ("42", 42),
        ("042", 42),
        (" 7 ", 7),
        ("\t7\n", 7),
        ("-7", -7),
        ("+7", 7),
        ("1e3", 1000),
        ("1E-2", 0.01),
        ("1.", 1),
        (".5", 0.5),
        ([7], 7),
        (["7"], 7),
        ("", None),
        (" ", None),
        ("a", None),
        ("7a", None),
        ("1 2", None),
        ("1,5", None),
        ("1_000", None),
        ("0x10", None),
        ("٤٢", None),
        ("NaN", None),
        ("Infinity", None),
        ("inf", None),
        ("1e999", None),
        ("4929123456789012345", 4929123456789012345),
        (" -4929123456789012345 ", -4929123456789012345),
        ("4929123456789012345.0", 4929123456789012345.0),
        ("18446744073709551615", 18446744073709551615),
        ("9" * 64, 1e64),
        ("12345678901234567890123", 12345678901234567890123.0),
        ("9" * 65, None),
        (".", None),
        ("-", None),
        (True, None),
        (False, None),
        (None, None),
        ({}, None),
        ([], None),
        ([1, 2], None),
    ],
    ids=repr,
)
def test_number_of(value: Any, number: float | None) -> None:
    """Numbers and texts of decimal numbers are numbers; nothing else is."""
    assert number_of(value) == number


def test_number_of_what_is_no_finite_number() -> None:
    """Numbers are handed on as they are, those that no comparison satisfies too."""
    assert math.isnan(number_of(float("nan")) or 0)
    assert number_of(float("inf")) == math.inf
    assert number_of(10**400) == 10**400


@pytest.mark.parametrize(
    ("value", "time_ms"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1000),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T01:00:00+01:00", 0),
        (" 1970-01-01 ", 0),
        ("1969-12-31T23:59:59Z", -1000),
        ("9999-12-31T23:59:59Z", 253402300799000),
        ("0001-01-01T00:00:00+14:00", -62135647200000),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("soon", None),
        ("", None),
        (0, None),
        (1769817600000, None),
        (None, None),
        (["1970-01-01"], None),
        ({}, None),
    ],
    ids=repr,
)
def test_time_of(value: Any, time_ms: int | None) -> None:
    """Only a text in ISO 8601 is a time; without an offset it is UTC."""
    assert time_of(value) == time_ms


@pytest.mark.parametrize(
    ("value", "present"),
    [
        ("a", True),
        (" ", True),
        (0, True),
        (False, True),
        ({}, True),
        ([None], True),
        ([""], True),
        (float("nan"), True),
        (None, False),
        ("", False),
        ([], False),
    ],
    ids=repr,
)
def test_is_present(value: Any, present: bool) -> None:
    """Null, an empty text and an empty list are not set."""
    assert is_present(value) is present


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("a", "a"),
        ("é😀", "é😀"),
        ("\ud800", "\ufffd"),
        ("a\udc80b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
    ids=ascii,
)
def test_well_formed(text: str, repaired: str) -> None:
    """Each half of a surrogate pair becomes one replacement character."""
    assert well_formed(text) == repaired


@given(made_up)
def test_any_value_can_be_read(value: Any) -> None:
    """No JSON value makes reading fail."""
    assert isinstance(text_of(value), str)
    assert number_of(value) is None or isinstance(number_of(value), (int, float))
    assert time_of(value) is None or isinstance(time_of(value), int)
    assert isinstance(is_present(value), bool)
