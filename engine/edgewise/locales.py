"""Language tags as clients send them: `en`, `en-US`, `zh-Hant-TW`."""

from __future__ import annotations

import re

from edgewise.errors import InvalidData

DEFAULT_LOCALE = "en"
MAX_LENGTH = 64

# The parts of a tag in their order. No part can begin where another could go on, so a match takes
# time in proportion to the text. Only registered shapes pass: languages of four letters and more,
# and extensions other than `t` and `u`, are reserved.
_TAG = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}"  # language, extended language
    r"(?:-[A-Za-z]{4})?"  # script
    r"(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    r"(?:-[tuTU](?:-[A-Za-z0-9]{2,8})+)*"  # extensions
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"  # private use
)


def parse_locale(text: str) -> str:
    """Return a language tag as it was given.

    Errors: InvalidData for a text that has not the form of a tag, or more than 64 characters.
    Source: BCP 47 (RFC 5646, section 2.1), without its grandfathered and private-only tags.
    """
    if len(text) > MAX_LENGTH or _TAG.fullmatch(text) is None:
        raise InvalidData("locale: expected a language tag such as en or en-US")
    return text
