"""What is known of a space: its rule entries as they came, and the ids of all other entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edgewise.parsing import pointer_join
from edgewise.sources.contentful.conversion import Conversion, convert_entries, variants_of
from edgewise.sources.contentful.entries import (
    EXPERIENCE,
    RULE_TYPES,
    Entry,
    Locales,
    field_of,
    find_locales,
    read_entry,
)


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a space at one time.

    Args:
        locales: as the API lists them.
        entries: those of rule types, by id, as the API returned them.
        other_ids: of all other entries, so far as they are known.
        sync_token: where the next changes begin; empty where the next refresh reads everything.
    """

    locales: list[Any] = []
    entries: dict[str, Any] = {}
    other_ids: set[str] = set()
    sync_token: str = ""


def apply_changes(mirror: Mirror, items: Iterable[Any], sync_token: str) -> Mirror:
    """Return the mirror after some changes, in their order; the old one stays as it was.

    Shape: items of the sync endpoint. Assets are skipped.
    """
    entries = dict(mirror.entries)
    other_ids = set(mirror.other_ids)
    for item in items:
        sys = _sys_of(item)
        kind = sys.get("type")
        if kind not in ("Entry", "DeletedEntry"):
            continue
        entry_id = str(sys.get("id"))
        entries.pop(entry_id, None)
        other_ids.discard(entry_id)
        if kind == "Entry":
            entry = read_entry(item, "", states=False)
            if entry and entry.content_type in RULE_TYPES:
                entries[entry_id] = item
            else:
                other_ids.add(entry_id)
    return Mirror(
        locales=mirror.locales, entries=entries, other_ids=other_ids, sync_token=sync_token
    )


def add_known(mirror: Mirror, items: Iterable[Any]) -> Mirror:
    """Return the mirror with the ids of entries of which nothing else was asked for."""
    found = {str(sys["id"]) for sys in map(_sys_of, items) if "id" in sys}
    return msgspec.structs.replace(mirror, other_ids=mirror.other_ids | found)


def convert_mirror(mirror: Mirror, file: str) -> Conversion:
    """Return the rules of a space, in the order of their entries' ids.

    Args:
        file: what faults call the source. Their pointers name entries by id.
    """
    entries, locales = _read(mirror)
    known_ids = mirror.other_ids | mirror.entries.keys()
    return convert_entries(entries, locales, file, known_ids=known_ids)


def variant_ids(mirror: Mirror) -> set[str]:
    """Return the ids of all entries that are variants of an experience."""
    entries, locales = _read(mirror)
    configs = (
        field_of(entry, "nt_config", locales)[0]
        for entry in entries
        if entry.content_type == EXPERIENCE
    )
    return {variant_id for config in configs for variant_id, _ in variants_of(config, "")}


def _sys_of(item: Any) -> Mapping[str, Any]:
    """What an entry tells of itself; nothing where it is none."""
    sys = item.get("sys") if isinstance(item, Mapping) else None
    return sys if isinstance(sys, Mapping) else {}


def _read(mirror: Mirror) -> tuple[list[Entry], Locales]:
    entries = (
        read_entry(raw, pointer_join("/entries", entry_id), states=False)
        for entry_id, raw in sorted(mirror.entries.items())
    )
    locales = find_locales(mirror.entries.values(), mirror.locales)
    return [entry for entry in entries if entry], locales
