"""A rule document: what a source hands to the ruleset, already read but not yet understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edgewise.errors import Fault


class RuleDocument(msgspec.Struct, frozen=True):
    """The parsed content of one file, named as people know it.

    Args:
        places: where parts of the content really stand, by their pointer inside the content, for a
            document that was made from another form. A part that is not listed stands where its
            pointer says.
        entry_ids: all published entries of the space it was made from, where they are known.
        set_aside: what that form got wrong; the experiences and audiences it is about are left out
            of the content.
    """

    file: str
    content: Any
    places: Mapping[str, str] = {}
    set_aside: tuple[Fault, ...] = ()
    entry_ids: frozenset[str] = frozenset()


class UnreadFile(msgspec.Struct, frozen=True):
    """A file that looks like one of rules, and that is none of them.

    Args:
        folder: that of the environment in which it lies; empty where it lies in none.
    """

    file: str
    folder: str = ""
