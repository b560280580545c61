"""The last good copy of a space on disk, so that a start without network has rules to serve."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from edgewise.errors import SourceUnavailable
from edgewise.sources.contentful.mirror import Mirror
from edgewise.sources.contentful.settings import ContentfulSettings

# Raised when a field changes its meaning; a copy of another format is fetched anew.
FORMAT: Final = 1

# A plus sign occurs in no id, so that no two spaces share a name.
_PREFIX: Final = "contentful+"


class LastGood(msgspec.Struct, frozen=True, kw_only=True):
    """A space as it was last read in full.

    Args:
        source: which space, environment and API it is a copy of.
        fetched_ms: when the API last confirmed it, in milliseconds since 1970.
    """

    source: str
    fetched_ms: int
    mirror: Mirror
    format: int = FORMAT


def copy_path(folder: Path, settings: ContentfulSettings) -> Path:
    """Return where the copy of a space lies: one file per space, environment and API."""
    kind = "preview" if settings.preview else "delivery"
    return folder / f"{_PREFIX}{settings.space}+{settings.environment}+{kind}.json"


def is_copy(name: str) -> bool:
    """Return whether a file of this name is a copy, and not one that is still being written."""
    return name.startswith(_PREFIX) and name.endswith(".json")


def save_copy(path: Path, copy: LastGood) -> None:
    """Write a copy, unless another process asked later and was quicker to write.

    Whoever reads at the same time finds the old or the new one, never a part.

    Errors: OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A name of its own, since several processes may write; it is readable for its owner alone.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Escapes keep what is no UTF-8; one odd text must not cost the whole copy.
            file.write(json.dumps(msgspec.to_builtins(copy)).encode())
            file.flush()
            os.fsync(file.fileno())
        with _alone_in(path.parent):
            if not _is_newer(path, copy):
                Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from replacing a copy between a look at it and its replacement."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems lock no folders; there the last writer wins.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_newer(path: Path, copy: LastGood) -> bool:
    try:
        found = load_copy(path, copy.source)
    except SourceUnavailable:
        return False
    return found is not None and found.fetched_ms > copy.fetched_ms


def load_copy(path: Path, source: str) -> LastGood | None:
    """Return a copy, or None where there is none.

    Errors: SourceUnavailable for a file that is damaged, of another format or of another source.
    """
    try:
        copy = msgspec.convert(json.loads(path.read_bytes()), LastGood)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        message = f"{source}: the copy {path.name} cannot be read: {type(error).__name__}"
        raise SourceUnavailable(message) from error
    if copy.format != FORMAT or copy.source != source:
        raise SourceUnavailable(f"{source}: {path.name} is a copy of something else")
    return copy
