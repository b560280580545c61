"""Files that commands are given: profiles and events, as the API knows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgewise.errors import InputError


def read_profile(path: Path) -> Mapping[str, Any]:
    """Return a profile alone, or the one inside the answer it came in. Errors: InputError."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: no profile can be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no profile can be read: {error}") from error
    for key in ("data", "profile"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        raise InputError(f"{path}: a profile is a JSON object")
    return found


def read_events(path: Path) -> list[Any]:
    """Return the events of a request body, of a list, or of one event per line.

    Errors: InputError.
    """
    found: Any
    try:
        data = path.read_bytes().strip()
        found = [msgspec.json.decode(data)]
    except msgspec.DecodeError:
        try:
            found = msgspec.json.Decoder().decode_lines(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: no events can be read: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: no events can be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no events can be read: {error}") from error
    if len(found) == 1 and isinstance(found[0], dict) and "events" in found[0]:
        found = found[0]["events"]
    elif len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if not isinstance(found, list) or not found:
        raise InputError(f"{path}: there are no events in it")
    return list(found)
