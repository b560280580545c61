"""JSON values as text, number or time, the way JavaScript clients and rule authors see them.

Source: contract of the audience rules: traits that are neither text nor number are "coerced to
their string equivalent", numbers compare as numbers where both sides parse as numbers.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_LONGEST_NUMBER = 64
_EXPONENT_FROM = 1e21
_FIRST_INEXACT = 2.0**53
_LEAST_WHOLE, _MOST_WHOLE = -(2**63), 2**64 - 1


def text_of(value: Any) -> str:
    """Return a JSON value as JavaScript's String() would.

    Shape: lists join their members with commas; objects and null have no text and give "".
    """
    if value.__class__ is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, int):
        return str(value) if abs(value) < _EXPONENT_FROM else _float_text(_as_float(value))
    if isinstance(value, (list, tuple)):
        return ",".join(text_of(member) for member in value)
    return ""


def _as_float(value: int) -> float:
    """The nearest float; infinity for what is beyond them, as JavaScript reads such digits."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < _EXPONENT_FROM:
        return str(int(value))
    # Python pads the exponent to two digits, JavaScript does not, and turns to it later.
    mantissa, mark, exponent = repr(value).partition("e")
    if not mark:
        return mantissa
    power = int(exponent)
    if -7 < power < 0:
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
    return f"{mantissa}e{power:+d}"


def number_of(value: Any) -> int | float | None:
    """Return a JSON value as a number, or None where it is not the number or text of one.

    Shape: booleans, null and objects are no numbers; a list is read as its text. Digits alone are
        exact as far as 64 bits go, as JSON numbers are.
    """
    if value.__class__ is int or value.__class__ is float:
        return value
    if isinstance(value, (list, tuple)):
        value = text_of(value)
    if not isinstance(value, str) or len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        return None
    number = float(value)
    if abs(number) >= _FIRST_INEXACT:
        # As in JSON: two ids are not one because a float cannot tell them apart.
        with suppress(ValueError):
            whole = int(value)
            return whole if _LEAST_WHOLE <= whole <= _MOST_WHOLE else number
    return number if math.isfinite(number) else None


def time_of(value: Any) -> int | None:
    """Return an ISO 8601 text as milliseconds since 1970, or None where it is not one.

    Units: a text without an offset is UTC, a date alone is its midnight.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None


def iso_time(time_ms: int) -> str:
    """Return a time as ISO 8601 text in UTC, to the millisecond."""
    seconds, milliseconds = divmod(time_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_text(time_ms: int) -> str:
    """Return a time as ISO 8601 text in UTC, to the millisecond where it is no whole second."""
    return iso_time(time_ms).replace(".000Z", "Z")


def well_formed(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair, which UTF-8 cannot say."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_present(value: Any) -> bool:
    """Return whether a value counts as set: not null, not an empty text, not an empty list."""
    return value is not None and value not in ("", [])
