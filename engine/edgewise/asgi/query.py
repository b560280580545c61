"""The query string of the profile routes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from edgewise.errors import InvalidData
from edgewise.locales import DEFAULT_LOCALE, parse_locale


class Query(NamedTuple):
    """What a request asks for beside its body."""

    preflight: bool = False
    locale: str = DEFAULT_LOCALE


def parse_query(raw: bytes) -> Query:
    """Return the known parameters, in whatever order they come; unknown ones are skipped.

    Errors: InvalidData for a `type` other than `preflight` or a `locale` that is no language tag.
    """
    return _parse_again(raw) if len(raw) <= _LONGEST_KEPT else _parse(raw)


def _parse(raw: bytes) -> Query:
    preflight = False
    locale = DEFAULT_LOCALE
    for pair in raw.split(b"&") if raw else ():
        name, _, value = pair.partition(b"=")
        name = _unquoted(name)
        if name == b"locale":
            locale = parse_locale(_text_of(value))
        elif name == b"type":
            if _unquoted(value) != b"preflight":
                raise InvalidData("type: expected preflight")
            preflight = True
    return Query(preflight, locale)


# Clients send the same few query strings again and again.
_LONGEST_KEPT = 256
_parse_again = lru_cache(maxsize=256)(_parse)


def _text_of(value: bytes) -> str:
    try:
        return _unquoted(value).decode()
    except UnicodeDecodeError:
        raise InvalidData("locale: not UTF-8") from None


def _unquoted(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" ")) if b"%" in value or b"+" in value else value
