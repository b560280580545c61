"""Experiences as they are kept in a content platform: `nt_experience` fields with `nt_config`.

What the editing application leaves out has the defaults that clients apply, and members that
nobody here reads are skipped. The sum of a distribution is not checked: clients go by its ranges,
whatever they add up to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgewise.errors import Fault
from edgewise.experiences.components import (
    EXPERIMENT,
    PERSONALIZATION,
    Component,
    check_variable_value,
)
from edgewise.hashing import MODES, MURMUR3
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable
from edgewise.parsing import FaultList, closest, pointer_join

_KINDS: Final = (PERSONALIZATION, EXPERIMENT)
_COMPONENT_TYPES: Final = ("EntryReplacement", "InlineVariable")
_DEFAULT_DISTRIBUTION: Final = (0.5, 0.5)


def parse_nt_experience(
    raw: Any,
    file: str,
    pointer: str,
    default_allocation: str = MURMUR3,
    config_pointer: str = "",
) -> tuple[Experience | None, list[Fault]]:
    """Return the experience, or None and everything that is wrong with it.

    Args:
        raw: the fields of one entry, without locales; `nt_audience` is an audience id or null.
        file, pointer: where it was written.
        default_allocation: for an experience that has no `allocation` of its own.
        config_pointer: where `nt_config` was written, if that is not below the experience.

    Shape: `id` stands in for a missing `nt_experience_id`, and `name` and `description` likewise.
    """
    faults = FaultList(file)
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "experience", "an object", raw)
        return None, faults.faults
    id_ = faults.required_text(raw, _either(raw, "nt_experience_id", "id"), pointer)
    faults.experience_id = id_
    config = faults.object_of(raw, "nt_config", pointer)
    place = config_pointer or pointer_join(pointer, "nt_config")
    experience = Experience(
        id=id_,
        kind=_kind(raw, pointer, faults),
        name=faults.text(raw, _either(raw, "nt_name", "name"), pointer),
        description=faults.text(raw, _either(raw, "nt_description", "description"), pointer),
        audience_id=_audience_id(raw, pointer, faults),
        traffic_allocation=faults.share(config, "traffic", place, 0.0),
        distribution=_distribution(config, place, faults),
        sticky=faults.boolean(config, "sticky", place, False),
        components=_components(config, place, faults),
        allocation=faults.choice(raw, "allocation", pointer, MODES, default_allocation),
        form="nt_config",
        file=file,
        pointer=pointer,
    )
    return None if faults else experience, faults.faults


def _either(raw: Mapping[Any, Any], first: str, second: str) -> str:
    return second if raw.get(first) in (None, "") else first


def _kind(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> str:
    if raw.get("nt_type") is None:
        return faults.required_text(raw, "nt_type", pointer)
    return faults.choice(raw, "nt_type", pointer, _KINDS, PERSONALIZATION)


def _audience_id(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> str | None:
    """An empty id is a fault: taken as no audience, it would show the experience to everyone."""
    if raw.get("nt_audience") is None:
        return None
    return faults.required_text(raw, "nt_audience", pointer)


def _distribution(config: Mapping[Any, Any], pointer: str, faults: FaultList) -> tuple[float, ...]:
    if config.get("distribution") is None:
        return _DEFAULT_DISTRIBUTION
    place = pointer_join(pointer, "distribution")
    return tuple(
        faults.as_share(share, "distribution", pointer_join(place, index))
        for index, share in enumerate(faults.list_of(config, "distribution", pointer))
    )


def _components(
    config: Mapping[Any, Any], pointer: str, faults: FaultList
) -> tuple[Component, ...]:
    place = pointer_join(pointer, "components")
    parsed = (
        _component(raw, pointer_join(place, position), faults)
        for position, raw in enumerate(faults.list_of(config, "components", pointer))
    )
    return tuple(component for component in parsed if component is not None)


def _component(raw: Any, pointer: str, faults: FaultList) -> Component | None:
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "component", "an object", raw)
        return None
    type_ = faults.text(raw, "type", pointer, "EntryReplacement")
    if type_ == "EntryReplacement":
        return _entry_replacement(raw, pointer, faults)
    if type_ == "InlineVariable":
        return _inline_variable(raw, pointer, faults)
    if type_:
        hint = closest(type_, _COMPONENT_TYPES)
        place = pointer_join(pointer, "type")
        faults.at(place, "unknown_value", f'unknown component type "{type_}"', hint)
    return None


def _entry_replacement(
    raw: Mapping[Any, Any], pointer: str, faults: FaultList
) -> EntryReplacement | None:
    """A component without a chosen baseline entry replaces nothing, and is left out."""
    place = pointer_join(pointer, "baseline")
    baseline = _entry_id(raw.get("baseline"), place, faults)
    place = pointer_join(pointer, "variants")
    variants = tuple(
        _variant_id(variant, pointer_join(place, position), faults)
        for position, variant in enumerate(faults.list_of(raw, "variants", pointer))
    )
    return EntryReplacement(baseline, variants) if baseline else None


def _variant_id(raw: Any, pointer: str, faults: FaultList) -> str:
    if isinstance(raw, Mapping) and faults.boolean(raw, "hidden", pointer, False):
        return ""
    return _entry_id(raw, pointer, faults)


def _entry_id(raw: Any, pointer: str, faults: FaultList) -> str:
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "entry", 'an object with an "id"', raw)
        return ""
    if raw.get("id") is None:
        faults.at(pointer, "missing_key", '"id" is required')
    return faults.text(raw, "id", pointer)


def _inline_variable(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> InlineVariable:
    place = pointer_join(pointer, "variants")
    return InlineVariable(
        key=faults.required_text(raw, "key", pointer),
        baseline=_value(raw.get("baseline"), pointer_join(pointer, "baseline"), faults),
        variants=tuple(
            _value(variant, pointer_join(place, position), faults)
            for position, variant in enumerate(faults.list_of(raw, "variants", pointer))
        ),
    )


def _value(raw: Any, pointer: str, faults: FaultList) -> Any:
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "variable", 'an object with a "value"', raw)
        return ""
    value = raw.get("value")
    check_variable_value(value, pointer_join(pointer, "value"), faults)
    return value
