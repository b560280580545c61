"""What every adapter takes and gives, and visitors reshaped for libraries that cannot say a form.

Visitors are reshaped once, outside what is timed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

Pair = tuple[str, int]
"""An audience's id and the variant index of its experiment."""

SHARE = 0.5
"""The share of each of the two variants of every experiment."""


class Prepared(msgspec.Struct, frozen=True):
    """A library ready to decide, and what it is to decide about.

    Args:
        engine: whatever the adapter's `decide` wants first.
        inputs: one per visitor: whatever `decide` wants second.
    """

    engine: Any
    inputs: list[Any]


def flat(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with one level: a nested one gets a dotted key."""
    result: dict[str, Any] = {}
    for key, value in attributes.items():
        if isinstance(value, Mapping):
            result |= {f"{key}.{inner}": one for inner, one in flat(value).items()}
        else:
            result[key] = value
    return result


def with_joined_lists(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return flat attributes whose lists are texts such as ",a,b,"."""
    return {
        key: joined(value) if isinstance(value, list) else value
        for key, value in flat(attributes).items()
    }


def as_texts(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return flat attributes that are all texts."""
    return {key: text_of(value) for key, value in with_joined_lists(attributes).items()}


def joined(values: list[str]) -> str:
    """Return a list as a text in which ",value," is contained for every member."""
    return f",{','.join(values)}," if values else ","


def text_of(value: Any) -> str:
    """Return a value as JSON would write it, texts without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def starting_with(text: str) -> str:
    """Return the regular expression of texts that start with one."""
    return f"^{re.escape(text)}"
