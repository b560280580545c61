"""An export of a space, as the Contentful command line writes it, → one rule document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgewise.errors import InputError
from edgewise.sources.contentful.conversion import Conversion, convert_entries
from edgewise.sources.contentful.entries import (
    RULE_TYPES,
    find_locales,
    read_entry,
    says_publication,
)


def is_export(content: Any) -> bool:
    """Return whether the content of a file is an export: no rule document lists `entries`."""
    return isinstance(content, Mapping) and isinstance(content.get("entries"), list)


def convert_export(content: Mapping[str, Any], file: str) -> Conversion:
    """Return the rules of an export.

    Shape: an object with `entries` and, where they are wrapped, `locales`; all else is skipped. In
    an export that holds nothing but entries of rule types nobody can tell which variants exist, so
    they are not checked.
    """
    raw_entries = content["entries"]
    listed = content.get("locales")
    locales = find_locales(raw_entries, listed if isinstance(listed, list) else ())
    states = says_publication(raw_entries)
    entries = [
        entry
        for position, raw in enumerate(raw_entries)
        if (entry := read_entry(raw, f"/entries/{position}", states=states))
    ]
    complete = any(entry.content_type not in RULE_TYPES for entry in entries)
    published = {entry.id for entry in entries if entry.published and not entry.archived}
    return convert_entries(entries, locales, file, known_ids=published if complete else None)


def load_export(path: Path) -> Mapping[str, Any]:
    """Return the content of an export. Errors: InputError for what is not one."""
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not is_export(content):
        message = f'{path}: an export of a space is an object with a list of "entries"'
        raise InputError(message)
    return dict(content)
