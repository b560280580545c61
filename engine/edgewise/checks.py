"""What an application may set, checked where it is set: later it would be a strange answer."""

from __future__ import annotations

import sys

from edgewise.errors import SettingsError


def require(holds: bool, name: str, expected: str, given: str) -> None:
    """Refuse a setting that does not hold.

    Args:
        expected: what the setting may be, such as "a text".
        given: what it is; what may be a secret is told by its type alone.
    Errors: SettingsError.
    """
    if not holds:
        raise SettingsError(f"{name}: expected {expected}, not {given}")


def require_whole(settings: object, least: int, *names: str) -> None:
    """Refuse members that are no whole numbers of at least this one. Errors: SettingsError."""
    for name in names:
        value = getattr(settings, name)
        holds = isinstance(value, int) and not isinstance(value, bool) and value >= least
        require(holds, name, f"a whole number from {least} on", _shown(value))


def require_seconds(settings: object, *names: str, zero: bool = False) -> None:
    """Refuse members that are no time in seconds.

    Args:
        zero: whether no time at all will do.
    Errors: SettingsError.
    """
    for name in names:
        value = getattr(settings, name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_finite = is_number and value <= sys.float_info.max  # Neither NaN nor 10**400 is.
        holds = is_finite and (value > 0 or (zero and value == 0))
        expected = "seconds, 0 or more" if zero else "seconds, more than 0"
        require(holds, name, expected, _shown(value))


def require_kind(settings: object, kind: type, expected: str, *names: str) -> None:
    """Refuse members of another type; their values are not told. Errors: SettingsError."""
    for name in names:
        value = getattr(settings, name)
        require(isinstance(value, kind), name, expected, type(value).__name__)


def _shown(value: object) -> str:
    """A value as it is told; Python does not even spell numbers of many digits."""
    is_huge = isinstance(value, int) and abs(value) > sys.float_info.max
    return "a number of that many digits" if is_huge else repr(value)
