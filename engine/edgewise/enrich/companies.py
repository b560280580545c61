"""Companies as they are kept: bytes, small enough and of such values as a profile may hold."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from edgewise.enrich.provider import ProviderFault

# A company becomes part of each profile that is seen at its address, and is written with it.
MAX_BYTES: Final = 16 * 1024
MAX_DEPTH: Final = 8
MAX_MEMBERS: Final = 512

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[str, Any])


def encode_company(company: Any) -> bytes:
    """Return what a provider found as bytes that `decode_company` reads back.

    Errors: ProviderFault for what is no JSON object, or one that a profile cannot hold: numbers
    that are not finite or beyond 64 bits, half surrogate pairs, too many members, too deep.
    """
    if not isinstance(company, dict):
        raise ProviderFault("its answer is no object")
    if _count(company, 1) > MAX_MEMBERS:
        raise ProviderFault(f"its answer has more than {MAX_MEMBERS} members")
    try:
        data = _encoder.encode(company)
    except UnicodeEncodeError:
        raise ProviderFault("its answer holds half a surrogate pair") from None
    if len(data) > MAX_BYTES:
        raise ProviderFault(f"its answer has more than {MAX_BYTES} bytes")
    return data


def decode_company(data: bytes) -> dict[str, Any]:
    """Return a company as an object of the caller's own."""
    return _decoder.decode(data)


def _count(value: Any, depth: int) -> int:
    """How many members a value and everything in it have.

    Args:
        depth: how many objects and lists there are down to this value, itself included.
    """
    match value:
        case None | bool() | str():
            return 0
        case int() if -(2**63) <= value < 2**64:
            return 0
        case float() if math.isfinite(value):
            return 0
        case dict() | list() if depth > MAX_DEPTH:
            raise ProviderFault(f"its answer is nested deeper than {MAX_DEPTH} levels")
        case dict() if all(isinstance(key, str) for key in value):
            return len(value) + sum(_count(member, depth + 1) for member in value.values())
        case list():
            return len(value) + sum(_count(member, depth + 1) for member in value)
        case _:
            raise ProviderFault("its answer holds what JSON or a profile cannot")
