"""Texts of others in messages: what they hold must neither steer a terminal nor fill it."""

from __future__ import annotations

import re

# Control characters, what makes a text run backwards, and what no UTF-8 has.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text as one line, with an escape in the place of what cannot be seen."""
    return _UNSEEN.sub(_escaped, text)


def shortened(text: str, longest: int) -> str:
    """Return so many characters of a text at most, and a sign that it goes on where it does."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
