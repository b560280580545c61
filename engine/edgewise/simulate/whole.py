"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex


def is_device(path: Path) -> bool:
    """Return whether something is no file on a disk, such as a pipe or /dev/null."""
    return path.exists() and not path.is_file()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path to write to; what the block has written then takes the place of the file.

    Shape: a new file has the usual permissions, and one that was there keeps its own. A device is
    written to directly, and so is a file whose folder may not be written to.
    Errors: OSError; what stood there still does.
    """
    target = path.resolve()
    if is_device(path) or not os.access(target.parent, os.W_OK):
        yield path
        return
    before = target.stat() if target.exists() else None
    # Not the file's name with more to it: that might be too long.
    beside = target.with_name(f".edgewise-{token_hex(8)}.writing")
    try:
        beside.unlink(missing_ok=True)
        beside.touch(0o600 if before else 0o666)
        yield beside
        if before:
            _give_back(beside, before)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _give_back(path: Path, before: os.stat_result) -> None:
    """Let a file belong to whom the one before did, as far as this user may."""
    with suppress(PermissionError):
        os.chown(path, before.st_uid, before.st_gid)
    path.chmod(stat.S_IMODE(before.st_mode))
