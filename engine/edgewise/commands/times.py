"""Times on the command line, as people write them."""

from __future__ import annotations

from edgewise.errors import InputError
from edgewise.receiving import parse_time


def time_option(option: str, text: str, example: str) -> int:
    """Return the time that an option names, in milliseconds since 1970.

    Errors: InputError that names the option, and shows the example.
    """
    time_ms = parse_time(text)
    if time_ms is None:
        raise InputError(f'{option}: "{text}" is no time; write it like {example}')
    return time_ms
