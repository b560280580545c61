"""Merge tags: names in a text that stand for values of the visitor's profile, with fallbacks.

Source: the client SDKs, of which the newest decides where they differ: numbers and booleans are
written as JavaScript does, lists and objects count as not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from edgewise.parsing import FaultList
from edgewise.values import text_of

_ID: Final = "nt_mergetag_id"
KEYS: Final = (_ID, "nt_name", "nt_fallback", "id", "name", "fallback")

_TAG: Final = re.compile(r"\{\{([^{}|]+)(?:\|([^{}]*))?\}\}")
# Members that clients refuse to look into: in JavaScript they are no data.
_BLOCKED: Final = frozenset({"__proto__", "prototype", "constructor"})


class MergeTag(msgspec.Struct, frozen=True):
    """A merge tag as an author defined it: which value it stands for, and what to say without."""

    id: str
    fallback: str = ""
    name: str = ""


def resolve(tag: str | MergeTag, profile: Mapping[str, Any], fallback: str = "") -> str:
    """Return what a merge tag stands for: a value of the profile as text, or the fallback.

    Args:
        tag: the id, such as `traits.name`, `location.city` or `session.count`. In an older form
            underscores stand for dots: `traits_first_name` is the trait `first_name`.
        profile: as the API answers it.
        fallback: for a value that is not there or that clients take for it: 0, false and "". A
            defined tag has its own, which counts where this one is empty.
    """
    tag_id = tag if isinstance(tag, str) else tag.id
    for path in _paths(tag_id):
        value = _look_up(profile, path)
        if isinstance(value, (list, dict)):
            break  # Clients go no further than the first value there is.
        if value:
            return text_of(value)
    return fallback or ("" if isinstance(tag, str) else tag.fallback)


def render(
    template: str, profile: Mapping[str, Any], tags: Mapping[str, MergeTag] | None = None
) -> str:
    """Return a text with every merge tag in it resolved.

    Shape: `{{ traits.name }}`, or with a fallback of its own `{{ traits.name | friend }}`.

    Args:
        tags: defined merge tags by id; their fallbacks count where the text gives none.
    """
    known = tags or {}

    def value_of(match: re.Match[str]) -> str:
        tag_id = match[1].strip()
        return resolve(known.get(tag_id, tag_id), profile, (match[2] or "").strip())

    return _TAG.sub(value_of, template)


def parse_merge_tag(raw: Any, pointer: str, faults: FaultList) -> MergeTag:
    """Return a merge tag of a rule document; faults go to the list."""
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "merge tag", "an object", raw)
        return MergeTag("")
    faults.unknown_keys(raw, pointer, KEYS)
    return MergeTag(
        id=faults.required_text(raw, _ID if is_app_written(raw) else "id", pointer),
        fallback=_either(raw, "fallback", pointer, faults),
        name=_either(raw, "name", pointer, faults),
    )


def merge_tags_schema() -> dict[str, Any]:
    """Return the JSON Schema of the `merge_tags` of a rule file."""
    text = {"type": ["string", "null"]}
    return {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(KEYS, text),
            "anyOf": [{"required": ["id"]}, {"required": [_ID]}],
        },
    }


def is_app_written(raw: Any) -> bool:
    """Return whether a merge tag was written by an app, so that its faults concern it alone."""
    return isinstance(raw, Mapping) and _ID in raw


def _either(raw: Mapping[Any, Any], key: str, pointer: str, faults: FaultList) -> str:
    return faults.text(raw, f"nt_{key}", pointer) or faults.text(raw, key, pointer)


def _paths(tag_id: str) -> Iterator[str]:
    """`a_b_c`, `a.b_c`, `a.b.c`: in clients' order, an underscore less each time."""
    parts = tag_id.split("_")
    for count in range(len(parts)):
        yield ".".join(filter(None, (".".join(parts[:count]), "_".join(parts[count:]))))


def _look_up(profile: Mapping[str, Any], path: str) -> Any:
    value: Any = profile
    for name in path.strip().split("."):
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, Mapping) and name and name not in _BLOCKED:
            value = value.get(name)
        else:
            return None
    return value
