"""One environment's folder, read when nobody is writing in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgewise.errors import Fault, RulesError
from edgewise.model.document import RuleDocument
from edgewise.parsing import FaultList
from edgewise.sources.contentful.settings import ContentfulSettings, find_settings
from edgewise.sources.files import load_documents, rule_files

_ATTEMPTS = 20


class FileStamp(msgspec.Struct, frozen=True):
    """What changes when a file does, without reading it."""

    name: str
    inode: int
    size_bytes: int
    changed_ns: int
    modified_ns: int


Stamp = tuple[FileStamp, ...]
"""One of each rule file of a folder."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder held at one moment.

    Args:
        contentful: where more of its rules come from.
        faults: why nothing of it can be used; then there are no documents.
    """

    stamp: Stamp
    documents: Sequence[RuleDocument] = ()
    contentful: ContentfulSettings | None = None
    faults: tuple[Fault, ...] = ()


def stamp_of(folder: Path) -> Stamp:
    """Return the stamps of an environment's rule files. Errors: OSError."""
    stamps = []
    for path in rule_files(folder):
        found = path.stat()
        stamps.append(
            FileStamp(path.name, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns)
        )
    return tuple(stamps)


def read_settled(folder: Path, relative_to: Path, settle_s: float) -> Reading:
    """Return what a folder holds once its files have been left alone for a moment.

    A file that is being written may well be valid in the middle, with half of its rules. Where
    the writing has no end, what is there is read after some attempts.

    Args:
        relative_to: the folder that file names in faults are relative to.
        settle_s: how long the newest file must have been left alone; 0 takes them as they are.
    """
    reading = Reading(stamp=())
    for _ in range(_ATTEMPTS):
        reading = _read(folder, relative_to)
        if not settle_s or (_is_old(reading.stamp, settle_s) and _is_current(reading, folder)):
            break
        time.sleep(settle_s)
    return reading


def _read(folder: Path, relative_to: Path) -> Reading:
    stamp: Stamp = ()
    try:
        stamp = stamp_of(folder)
        documents = load_documents(folder, relative_to)
        return Reading(stamp=stamp, documents=documents, contentful=find_settings(documents))
    except RulesError as error:
        return Reading(stamp=stamp, faults=error.faults)
    except OSError as error:
        found = FaultList(folder.relative_to(relative_to).as_posix())
        found.at("", "unreadable", f"the folder cannot be read: {error.strerror}")
        return Reading(stamp=stamp, faults=tuple(found.faults))


def _is_old(stamp: Stamp, settle_s: float) -> bool:
    newest_ns = max((file.modified_ns for file in stamp), default=0)
    # A time in the future says nothing about when the file was written.
    return not 0 <= time.time_ns() - newest_ns < settle_s * 1e9


def _is_current(reading: Reading, folder: Path) -> bool:
    try:
        return stamp_of(folder) == reading.stamp
    except OSError:
        return False
