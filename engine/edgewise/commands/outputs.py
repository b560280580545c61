"""Files that commands write: what cannot be one is refused before a long run, and told after it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from edgewise.errors import InputError
from edgewise.simulate.whole import is_device, whole_file

STANDARD_OUTPUT = "-"

_STANDARD_OUTPUT_NUMBER = 1


def is_standard_output(name: str) -> bool:
    """Return whether an output is a hyphen, or the very file that standard output goes to."""
    if name == STANDARD_OUTPUT or not Path(name).is_file():
        return name == STANDARD_OUTPUT
    try:
        return os.path.samestat(Path(name).stat(), os.fstat(_STANDARD_OUTPUT_NUMBER))
    except OSError:
        return False  # There is no standard output.


def require_writable(path: Path) -> None:
    """Refuse a path where no file can be written: a long run must not fail at its very end.

    Errors: InputError for a folder, for a path whose folder is not there, and for what this user
        may not write to.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name a file in it")
    # That of the file itself where a link leads to one that is not there yet.
    folder = path.resolve().parent
    if not path.exists() and not folder.is_dir():
        raise InputError(f"{path}: there is no such folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"{path}: you may not write here")


def require_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that are one file with each other or with an input, by whatever name.

    Errors: InputError.
    """
    taken = {_identity(path): f"{path} is read as an input" for path in inputs}
    for path in outputs:
        if is_device(path):
            continue
        identity = _identity(path)
        if identity in taken:
            raise InputError(f"{taken[identity]}; write the output to another file")
        taken[identity] = f"{path} is written twice"


def write_output(path: Path, data: bytes) -> None:
    """Write a file as a whole, or leave what stood there.

    Errors: InputError that says why it cannot be written.
    """
    try:
        with whole_file(path) as target:
            target.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _identity(path: Path) -> tuple[int, int] | Path:
    """What is the same for each name of a file."""
    if not path.exists():
        return path.resolve()
    found = path.stat()
    return found.st_dev, found.st_ino
