"""Files that commands write: what cannot be one is refused before a long run, and told after it."""

from __future__ import annotations

from pathlib import Path

from edgewise.errors import InputError


def require_writable(path: Path | None) -> Path | None:
    """Return a path where a file may be written: a long run must not fail at its very end.

    Errors: InputError for a folder, and for a path whose folder is not there.
    """
    if path is None:
        return None
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name a file in it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no such folder")
    return path


def write_output(path: Path, data: bytes) -> None:
    """Write a file. Errors: InputError that says why it cannot be written."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
