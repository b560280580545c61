"""Files that commands write: what cannot be one is refused before a long run, and told after it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from edgewise.errors import InputError

STANDARD_OUTPUT = "-"


def require_writable(path: Path) -> None:
    """Refuse a path where no file can be written: a long run must not fail at its very end.

    Errors: InputError for a folder, for a path whose folder is not there, and for what this user
        may not write to.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; name a file in it")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"{path}: there is no such folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(f"{path}: you may not write here")


def require_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that are one file with each other or with an input. Errors: InputError."""
    taken = {path.resolve(): f"{path} is read as an input" for path in inputs}
    for path in outputs:
        if _is_device(path):
            continue
        if path.resolve() in taken:
            raise InputError(f"{taken[path.resolve()]}; write the output to another file")
        taken[path.resolve()] = f"{path} is written twice"


def write_output(path: Path, data: bytes) -> None:
    """Write a file as a whole, or leave what stood there.

    Errors: InputError that says why it cannot be written.
    """
    try:
        if _is_device(path):
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _replace(path: Path, data: bytes) -> None:
    if not os.access(path.parent, os.W_OK):
        path.write_bytes(data)  # The file may be written to, and its folder may not.
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        if path.exists():
            beside.chmod(path.stat().st_mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Whether something is no file on a disk, such as a pipe or /dev/null."""
    return path.exists() and not path.is_file()
