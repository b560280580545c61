"""Files below a folder of rules that look like rules and that nobody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edgewise.model.document import UnreadFile
from edgewise.sources.files import SUFFIXES, EnvironmentKey, find_environments


def find_unread(root: Path) -> dict[EnvironmentKey | None, list[UnreadFile]]:
    """Return the files that are not read, by environment; None has those outside of any.

    Shape: names are relative to the folder above the root, as in faults. What is hidden is left
        out, and so is everything where the root has no environment.
    """
    found: dict[EnvironmentKey | None, list[UnreadFile]] = {}
    if not any(find_environments(root)):
        return found
    for path in _files_below(root):
        name = path.relative_to(root.parent).as_posix()
        *folders, _ = path.relative_to(root).parts
        match folders:
            case [organization, environment, *inner]:
                if inner or path.suffix not in SUFFIXES:
                    folder = (root / organization / environment).relative_to(root.parent)
                    unread = UnreadFile(name, folder.as_posix())
                    found.setdefault((organization, environment), []).append(unread)
            case _:
                found.setdefault(None, []).append(UnreadFile(name))
    return found


def _files_below(root: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix.lower() in SUFFIXES and not name.startswith("."):
                yield path
