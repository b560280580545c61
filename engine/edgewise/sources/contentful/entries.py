"""Entries of a space, read leniently: fields without their locales, links, publication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from edgewise.parsing import pointer_join

AUDIENCE: Final = "nt_audience"
EXPERIENCE: Final = "nt_experience"
MERGE_TAG: Final = "nt_mergetag"
RULE_TYPES: Final = (AUDIENCE, EXPERIENCE, MERGE_TAG)

DEFAULT_LOCALE: Final = "en-US"

# What only the management API says about an entry. The delivery API, which returns nothing but
# published entries, leaves all of it out.
_MANAGEMENT_KEYS = (
    *("publishedVersion", "publishedAt", "publishedCounter", "firstPublishedAt"),
    *("version", "archivedAt", "archivedVersion"),
)
# Text fields are objects only where they are wrapped, so the keys of those objects are locales.
_TEXT_FIELDS = ("nt_name", "nt_type", "nt_audience_id", "nt_experience_id", "nt_mergetag_id")


class Locales(msgspec.Struct, frozen=True):
    """The locale codes of a space.

    Args:
        default: the code whose values count.
        codes: all of them, the default first.
    """

    default: str
    codes: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a space.

    Args:
        fields: as they are stored, with or without locales.
        pointer: where the entry stands.
        published, archived, changed: its state; `changed` is published and edited since.
    """

    id: str
    content_type: str
    fields: Mapping[str, Any]
    pointer: str
    published: bool = True
    archived: bool = False
    changed: bool = False


def find_locales(
    raw_entries: Iterable[Any], listed: Sequence[Any] = (), default: str = ""
) -> Locales:
    """Return the locales of a space.

    Args:
        listed: the `locales` of an export or of the API, where there are any.
        default: the code to prefer over the one that is listed as the default.
    """
    codes: dict[str, None] = {}
    for locale in listed:
        if isinstance(locale, Mapping) and isinstance(code := locale.get("code"), str):
            codes[code] = None
            if locale.get("default") is True and not default:
                default = code
    for raw in raw_entries:
        fields = raw.get("fields") if isinstance(raw, Mapping) else None
        if isinstance(fields, Mapping):
            for name in _TEXT_FIELDS:
                if isinstance(fields.get(name), Mapping):
                    codes.update(dict.fromkeys(filter(_is_text, fields[name])))
    if not default:
        default = DEFAULT_LOCALE if DEFAULT_LOCALE in codes else next(iter(codes), DEFAULT_LOCALE)
    return Locales(default, tuple(dict.fromkeys((default, *codes))))


def says_publication(raw_entries: Iterable[Any]) -> bool:
    """Return whether these entries say which of them are published.

    Source: entries of the management API do, those of the delivery API do not: it has no others.
    """
    return any(key in _sys(raw) for raw in raw_entries for key in _MANAGEMENT_KEYS)


def read_entry(raw: Any, pointer: str, *, states: bool) -> Entry | None:
    """Return an entry, or None for what has no content type.

    Args:
        states: whether an entry without a mark of its publication is a draft.
    """
    sys = _sys(raw)
    content_type = _link_id(sys.get("contentType"))
    if not content_type:
        return None
    fields = raw.get("fields")
    published = sys.get("publishedVersion")
    version = sys.get("version")
    # Publishing raises the version by one, so anything beyond that was edited afterwards.
    changed = isinstance(version, int) and isinstance(published, int) and version > published + 1
    return Entry(
        id=_link_id(raw),
        content_type=content_type,
        fields=fields if isinstance(fields, Mapping) else {},
        pointer=pointer,
        published=not states or bool(published or sys.get("publishedAt")),
        archived=bool(sys.get("archivedAt") or sys.get("archivedVersion")),
        changed=changed,
    )


def field_of(entry: Entry, name: str, locales: Locales) -> tuple[Any, str]:
    """Return the value of a field without its locale, and where it stands.

    Shape: of a wrapped field the default locale counts; where it has no value the first other
    locale that has one, because a missing link to an audience would mean everyone.
    """
    value = entry.fields.get(name)
    place = pointer_join(entry.pointer, "fields", name)
    if not isinstance(value, Mapping) or not value or not set(value) <= set(locales.codes):
        return value, place
    for code in locales.codes:
        if value.get(code) is not None:
            return value[code], pointer_join(place, code)
    return None, place


def link_of(value: Any) -> str:
    """Return the id of the entry that a link points at, "" for what is no link to an entry.

    Shape: a link, or the entry itself where the API has resolved it.
    """
    sys = _sys(value)
    is_link = sys.get("type") == "Link" and sys.get("linkType") == "Entry"
    return _link_id(value) if is_link or sys.get("type") == "Entry" else ""


def _link_id(value: Any) -> str:
    entry_id = _sys(value).get("id")
    return entry_id if isinstance(entry_id, str) else ""


def _sys(raw: Any) -> Mapping[Any, Any]:
    sys = raw.get("sys") if isinstance(raw, Mapping) else None
    return sys if isinstance(sys, Mapping) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str)
