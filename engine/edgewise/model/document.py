"""A rule document: what a source hands to the ruleset, already read but not yet understood."""

from __future__ import annotations

from typing import Any

import msgspec


class RuleDocument(msgspec.Struct, frozen=True):
    """The parsed content of one file, named as people know it."""

    file: str
    content: Any
