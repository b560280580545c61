"""Files that look like rules, and that nobody reads where they lie or as they are called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note
from edgewise.model.document import UnreadFile


def check_unread(subject: Subject) -> Iterator[Fault]:
    """Warn of files of the environment that are no part of its rules."""
    yield from map(note_unread, subject.unread)


def note_unread(unread: UnreadFile) -> Fault:
    """Return the warning of one file that is not read."""
    path = PurePosixPath(unread.file)
    folder = unread.folder
    if not folder:
        reason = "it lies outside of every environment"
        hint = "move it to RULES/ORGANIZATION/ENVIRONMENT/"
    elif path.parent == PurePosixPath(folder):
        reason = f'its name ends in "{path.suffix}"'
        hint = f'call it "{path.stem}{path.suffix.lower()}"'
    else:
        reason = "it lies in a folder inside of an environment"
        hint = f"move it to {folder}/"
    message = f"this file is not read, because {reason}"
    return note("misplaced_file", Place(unread.file, ""), message, hint)
