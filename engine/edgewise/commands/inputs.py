"""Profiles that commands are given in files, as the API answers them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgewise.errors import InputError


def read_profile(path: Path) -> Mapping[str, Any]:
    """Return a profile alone, or the one inside the answer it came in. Errors: InputError."""
    try:
        text = path.read_bytes()
        if not text.strip():
            raise InputError(f"{path}: no profile can be read: there is nothing in it")
        found = msgspec.json.decode(text)
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
