"""What an experience adds to an answer, per variant index: encoded once, at load."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from edgewise.model.decision import SelectedVariant
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable


class _ExperienceAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    experience_id: str
    variant_index: int
    variants: dict[str, str]
    sticky: bool = False


class _ChangeMeta(msgspec.Struct, rename="camel"):
    experience_id: str
    variant_index: int


class _Change(msgspec.Struct):
    key: str
    value: Any
    type: Literal["Variable"]
    meta: _ChangeMeta


_encode: Final = msgspec.json.Encoder().encode


def selected_variants(experience: Experience) -> tuple[SelectedVariant, ...]:
    """Return the experience at each variant index that its distribution can give.

    Shape: position i is variant index i; there is always a position 0. Where two components
    replace the same entry or variable, the first one counts, as it does for clients.

    Source: a component with fewer variants than the index shows its baseline, and a hidden
    variant is the empty text.
    """
    count = max(1, len(experience.distribution))
    return tuple(_selected_variant(experience, index) for index in range(count))


def _selected_variant(experience: Experience, index: int) -> SelectedVariant:
    entries: dict[str, str] = {}
    values: dict[str, Any] = {}
    for component in experience.components:
        if isinstance(component, EntryReplacement):
            entries.setdefault(component.baseline, _at(component, index))
        else:
            values.setdefault(component.key, _at(component, index))
    answer = _ExperienceAnswer(experience.id, index, entries, experience.sticky)
    meta = _ChangeMeta(experience.id, index)
    return SelectedVariant(
        experience_id=experience.id,
        variant_index=index,
        experience_json=_encode(answer),
        changes_json=tuple(
            _encode(_Change(key, value, "Variable", meta)) for key, value in values.items()
        ),
        variable_keys=tuple(values),
    )


def _at(component: EntryReplacement | InlineVariable, index: int) -> Any:
    if 0 < index <= len(component.variants):
        return component.variants[index - 1]
    return component.baseline
