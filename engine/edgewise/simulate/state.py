"""What a run keeps on disk while it lasts, so that another can go on from it.

A checkpoint says how the input was divided, and is written when all that it speaks of is safe on
the disk. The result of each partition follows. Each of them is there as a whole or not at all.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

import msgspec

from edgewise import __version__
from edgewise.errors import InputError
from edgewise.simulate.files import STANDARD_INPUT, version_of
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.rules_input import RulesInput
from edgewise.simulate.scan import Input, Scanned
from edgewise.simulate.spool import INDEX_NAME, SPOOL_NAME, PartitionRecords

DECISIONS_NAME = "decisions"

_CHECKPOINT = "checkpoint.msgpack"
_RESULT = ".result"
# Nothing else is ever removed: a folder may be named by mistake.
_OURS = re.compile(
    rf"checkpoint\.(msgpack|writing)|partition-\d{{5}}\.(offsets|result|writing)"
    rf"|{re.escape(SPOOL_NAME)}|{re.escape(INDEX_NAME)}"
)
_OUR_DECISIONS = re.compile(r"\d{5}-rows|\d{5,}\.parquet")

_T = TypeVar("_T")


class Checkpoint(msgspec.Struct, frozen=True):
    """What was divided how.

    Args:
        fingerprint: tells whether a run is the same one.
        sizes: of the files that partitions are read from, in bytes, by name.
    """

    fingerprint: str
    scanned: Scanned
    partitions: list[PartitionRecords]
    sizes: dict[str, int]


@contextmanager
def state_folder(state: Path | None) -> Iterator[Path]:
    """Give the folder of a run: one that stays, or one that goes away with the block.

    Errors: InputError for a folder that cannot be used.
    """
    if state is None:
        with tempfile.TemporaryDirectory(prefix="edgewise-simulate-") as name:
            yield Path(name)
        return
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = [path for path in state.iterdir() if not _is_ours(path)]
    except OSError as error:
        raise InputError(f"{state}: {error.strerror}") from error
    if strangers:
        raise InputError(f"{state}: this folder holds other files; name one of its own")
    if not os.access(state, os.W_OK):
        raise InputError(f"{state}: you may not write here")
    yield state


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Let a disk without room for the state of a run be a message. Errors: InputError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(f"{folder}: {error.strerror}") from error


def remove_state(state: Path) -> None:
    """Remove what a run has left in its folder, and the folder where that can be.

    The result of the run is safe elsewhere. Whenever this is broken off, the next run is right.
    """
    # Without it all that is left counts for nothing; with it, what is missing would be missed.
    (state / _CHECKPOINT).unlink(missing_ok=True)
    _remove(path for path in state.iterdir() if _is_ours(path))
    # A mount point stays, and so do the current folder and what a link leads to.
    with suppress(OSError):
        state.rmdir()


def forget_partitions(folder: Path) -> None:
    """Remove what an earlier run found, of which nobody knows any more how it was divided."""
    _remove(path for path in folder.iterdir() if path.suffix == _RESULT)
    _remove((folder / DECISIONS_NAME).glob("*"))


def fingerprint_of(
    rules: RulesInput, against: RulesInput | None, source: Input, *, decisions: bool
) -> str:
    """Return what must be the same for a run to go on; a file that was written to is another input.

    Errors: InputError for an input that cannot be read twice.
    """
    if STANDARD_INPUT in source.paths:
        raise InputError("--resume needs files or a store: standard input cannot be read again")
    serials = (rules.serial, against.serial if against else "")
    versions = [version_of(path) for path in source.paths]
    return repr((__version__, serials, source, versions, decisions))


def load_checkpoint(folder: Path, fingerprint: str) -> Checkpoint | None:
    """Return how the input was divided, None where that is not finished.

    Errors: InputError where it is another run's, or damaged.
    """
    path = folder / _CHECKPOINT
    if not path.exists():
        return None
    checkpoint = _decode(path, Checkpoint)
    if checkpoint.fingerprint != fingerprint:
        raise InputError(
            f"{folder}: this is the state of a run with other inputs, rules or options, or of"
            " another version; remove it, or name another folder"
        )
    if any(_size_of(folder / name) != size for name, size in checkpoint.sizes.items()):
        raise _damaged(folder)
    return checkpoint


def save_checkpoint(
    folder: Path, fingerprint: str, scanned: Scanned, partitions: list[PartitionRecords]
) -> Checkpoint:
    """Return a checkpoint that is safe on the disk, with all that it speaks of."""
    paths = [folder / SPOOL_NAME, *(Path(one.offsets) for one in partitions)]
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sizes = {path.name: _size_of(path) for path in paths}
    checkpoint = Checkpoint(fingerprint, scanned, partitions, sizes)
    _write_whole(folder / _CHECKPOINT, msgspec.msgpack.encode(checkpoint))
    return checkpoint


def load_partial(folder: Path, number: int) -> PartialResult | None:
    """Return what the replay of a partition found, None where it was not replayed yet."""
    path = _partial_path(folder, number)
    return _decode(path, PartialResult) if path.exists() else None


def save_partial(folder: Path, number: int, partial: PartialResult) -> None:
    """Keep what the replay of a partition found."""
    _write_whole(_partial_path(folder, number), msgspec.msgpack.encode(partial))


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink()


def _is_ours(path: Path) -> bool:
    if path.name == DECISIONS_NAME and path.is_dir():
        return all(_OUR_DECISIONS.fullmatch(one.name) for one in path.iterdir())
    return bool(_OURS.fullmatch(path.name))


def _partial_path(folder: Path, number: int) -> Path:
    return folder / f"partition-{number:05}{_RESULT}"


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def _decode(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise _damaged(path.parent) from error


def _damaged(folder: Path) -> InputError:
    return InputError(f"{folder}: this state is damaged; remove it, and begin anew")


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".writing")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
