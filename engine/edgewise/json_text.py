"""JSON as bytes: whether it can be kept as it is, and its repair where it cannot.

Half surrogate pairs become U+FFFD, integers beyond 64 bits floats.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from edgewise.errors import InvalidData

MAX_DEPTH = 64

BOM = b"\xef\xbb\xbf"
"""What some editors write in front of a text; it is no part of it."""

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_OPENING = frozenset(b"[{")
_SURROGATE = re.compile("[\ud800-\udfff]")


def check_text(data: bytes) -> None:
    """Refuse what is no UTF-8, and what is nested too deep. Errors: InvalidData."""
    # The decoder does not look into strings that it skips, yet the log keeps them.
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            raise InvalidData("body: not UTF-8") from None
    # What is left without them tells their number in half the time that counting takes.
    opening = 2 * len(data) - len(data.replace(b"[", b"")) - len(data.replace(b"{", b""))
    if opening > MAX_DEPTH:
        _check_depth(data)


def _check_depth(data: bytes) -> None:
    # Without escapes every second piece between quotes is outside of strings.
    outside = _STRING.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    depth = 0
    for bracket in outside.translate(None, _NO_BRACKETS):
        if bracket not in _OPENING:
            depth -= 1
        elif depth < MAX_DEPTH:
            depth += 1
        else:
            raise InvalidData(f"body: nested deeper than {MAX_DEPTH} levels")


def repair(data: bytes) -> bytes:
    """Return the same JSON in a form that decoders take and records can hold.

    Errors: InvalidData for what is no JSON, and for a number that is none.
    Cost: ten times that of decoding.
    """
    try:
        tree = json.loads(
            data.decode(),
            parse_constant=_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise InvalidData(f"body: not JSON at character {error.pos}") from None
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _SURROGATE.sub("\ufffd", text).encode()


def _constant(name: str) -> NoReturn:
    raise InvalidData(f"body: {name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise InvalidData("body: number out of range")
    return number


def _whole(text: str) -> int | float:
    # Longer texts lie outside of 64 bits for certain, and int() refuses very long ones.
    if len(text) <= 20 and -(2**63) <= (number := int(text)) < 2**64:
        return number
    return _finite(text)
