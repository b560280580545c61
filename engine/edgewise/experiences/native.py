"""Experiences as a person writes them by hand in YAML.

    - id: homepage-hero
      name: Hero for returning visitors
      type: experiment
      audience: returning
      traffic: 0.5
      distribution: [0.5, 0.25, 0.25]
      components:
        - entry: hero-default
          variants: [hero-welcome-back, {hidden: true}]
        - variable: button-colour
          baseline: grey
          variants: [green, blue]

Every slip is a fault: an unknown or empty member, a text that YAML reads as a date, a distribution
that does not fit the variants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgewise.errors import Fault
from edgewise.experiences.components import (
    EXPERIMENT,
    PERSONALIZATION,
    Component,
    check_variable_value,
    variant_count,
)
from edgewise.hashing import MODES, XXH3
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable
from edgewise.parsing import FaultList, kind_of, pointer_join

TYPES: Final = {"personalization": PERSONALIZATION, "experiment": EXPERIMENT}
KEYS: Final = (
    "id",
    "name",
    "description",
    "type",
    "audience",
    "traffic",
    "distribution",
    "sticky",
    "allocation",
    "components",
)
ENTRY_KEYS: Final = ("entry", "variants")
VARIABLE_KEYS: Final = ("variable", "baseline", "variants")
_SUM_TOLERANCE: Final = 1e-9


def parse_native_experience(
    raw: Any, file: str, pointer: str, default_allocation: str = XXH3
) -> tuple[Experience | None, list[Fault]]:
    """Return the experience, or None and everything that is wrong with it.

    Args:
        raw: one member of a rule file's `experiences`, as YAML or JSON reads it.
        file, pointer: where it was written.
        default_allocation: for an experience that has no `allocation` of its own.
    """
    faults = FaultList(file)
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "experience", "an object", raw)
        return None, faults.faults
    id_ = faults.required_text(raw, "id", pointer)
    faults.experience_id = id_
    _check_members(raw, pointer, KEYS, ("id", "components"), faults)
    before = len(faults)
    kind = TYPES[faults.choice(raw, "type", pointer, TYPES, "personalization")]
    components = _components(raw, pointer, faults)
    # A faulty type or component says nothing about how long the distribution has to be.
    variants = variant_count(components) if len(faults) == before else 0
    experience = Experience(
        id=id_,
        kind=kind,
        name=faults.text(raw, "name", pointer),
        description=faults.text(raw, "description", pointer),
        audience_id=_audience_id(raw, pointer, faults),
        traffic_allocation=faults.share(raw, "traffic", pointer, 1.0),
        distribution=_distribution(raw, pointer, kind, variants, faults),
        sticky=faults.boolean(raw, "sticky", pointer, False),
        components=components,
        allocation=faults.choice(raw, "allocation", pointer, MODES, default_allocation),
        file=file,
        pointer=pointer,
    )
    return None if faults else experience, faults.faults


def _check_members(
    raw: Mapping[Any, Any],
    pointer: str,
    known: tuple[str, ...],
    required: tuple[str, ...],
    faults: FaultList,
) -> None:
    """An empty line such as `audience:` is read as null, and must not pass for "everyone"."""
    faults.unknown_keys(raw, pointer, known)
    for key in known:
        if key in raw and raw[key] is None and key not in required:
            place = pointer_join(pointer, key)
            faults.at(place, "empty_value", f'"{key}" has no value', "give it one or remove it")


def _audience_id(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> str | None:
    if raw.get("audience") is None:
        return None
    return faults.required_text(raw, "audience", pointer)


def _distribution(
    raw: Mapping[Any, Any], pointer: str, kind: str, variants: int, faults: FaultList
) -> tuple[float, ...]:
    """Return the shares; their number is checked only where the number of variants is known."""
    if raw.get("distribution") is None:
        return _default_distribution(pointer, kind, variants, faults)
    place = pointer_join(pointer, "distribution")
    before = len(faults)
    shares = tuple(
        faults.as_share(share, "distribution", pointer_join(place, index))
        for index, share in enumerate(_items(raw, "distribution", pointer, faults))
    )
    if len(faults) > before:
        return shares
    if variants and len(shares) != variants + 1:
        message = f"{len(shares)} shares for a baseline and {variants} variants"
        hint = f"give {variants + 1} shares, the baseline's first"
        faults.at(place, "distribution_length", message, hint)
    if sum(shares) > 1 + _SUM_TOLERANCE:
        message = f"the shares add up to {sum(shares)}, which is more than 1"
        faults.at(place, "distribution_sum", message)
    return shares


def _default_distribution(
    pointer: str, kind: str, variants: int, faults: FaultList
) -> tuple[float, ...]:
    if kind == EXPERIMENT:
        return (1 / (variants + 1),) * (variants + 1)
    if variants > 1:
        message = f'"distribution" is required for a personalization with {variants} variants'
        hint = "say which share of the visitors gets which variant, the baseline's first"
        faults.at(pointer, "distribution_missing", message, hint)
    return (0.0, 1.0)


def _components(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> tuple[Component, ...]:
    place = pointer_join(pointer, "components")
    items = _items(raw, "components", pointer, faults)
    places = [pointer_join(place, position) for position in range(len(items))]
    parsed = [_component(item, at, faults) for item, at in zip(items, places, strict=True)]
    targets: set[tuple[str, str]] = set()
    for component, at in zip(parsed, places, strict=True):
        if component is None:
            continue
        target = _target(component)
        if target in targets:
            message = f'{target[0]} "{target[1]}" has a component already'
            faults.at(at, "duplicate_component", message)
        targets.add(target)
    return tuple(component for component in parsed if component is not None)


def _target(component: Component) -> tuple[str, str]:
    if isinstance(component, EntryReplacement):
        return "entry", component.baseline
    return "variable", component.key


def _component(raw: Any, pointer: str, faults: FaultList) -> Component | None:
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "component", "an object", raw)
        return None
    if "entry" in raw and "variable" not in raw:
        _check_members(raw, pointer, ENTRY_KEYS, ENTRY_KEYS, faults)
        return EntryReplacement(
            baseline=faults.required_text(raw, "entry", pointer),
            variants=tuple(
                _entry_variant(variant, place, faults)
                for place, variant in _variants(raw, pointer, faults)
            ),
        )
    if "variable" in raw and "entry" not in raw:
        _check_members(raw, pointer, VARIABLE_KEYS, VARIABLE_KEYS, faults)
        return _variable(raw, pointer, faults)
    message = 'a component has either "entry" or "variable"'
    faults.unknown_keys(raw, pointer, (*ENTRY_KEYS, *VARIABLE_KEYS))
    faults.at(pointer, "ambiguous_component", message)
    return None


def _items(raw: Mapping[Any, Any], key: str, pointer: str, faults: FaultList) -> list[Any]:
    """Return the members of a list that must be there and not be empty."""
    if raw.get(key) in (None, [], ()):
        place = pointer_join(pointer, key) if key in raw else pointer
        faults.at(place, "missing_key", f'"{key}" is required and must not be empty')
    return faults.list_of(raw, key, pointer)


def _variants(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> Iterator[tuple[str, Any]]:
    for position, variant in enumerate(_items(raw, "variants", pointer, faults)):
        yield pointer_join(pointer, "variants", position), variant


def _entry_variant(raw: Any, pointer: str, faults: FaultList) -> str:
    if isinstance(raw, str) and raw:
        return faults.as_text(raw, "variant", pointer)
    if isinstance(raw, Mapping) and raw.keys() == {"hidden"} and raw["hidden"] is True:
        return ""
    expected = "an entry id or {hidden: true}"
    if raw == "" or isinstance(raw, Mapping):
        faults.at(pointer, "invalid_variant", f"a variant must be {expected}")
    else:
        faults.wrong_type(pointer, "variant", expected, raw)
    return ""


def _variable(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> InlineVariable:
    key = faults.required_text(raw, "variable", pointer)
    if "baseline" not in raw:
        faults.at(pointer, "missing_key", '"baseline" is required')
    places = [(pointer_join(pointer, "baseline"), raw.get("baseline", ""))]
    places += _variants(raw, pointer, faults)
    fine = [check_variable_value(value, place, faults) for place, value in places]
    if all(fine) and "baseline" in raw:
        _check_one_kind(places, faults)
    values = [value for _, value in places]
    return InlineVariable(key, values[0], tuple(values[1:]))


def _check_one_kind(places: list[tuple[str, Any]], faults: FaultList) -> None:
    expected = kind_of(places[0][1])
    for place, value in places[1:]:
        if kind_of(value) != expected:
            message = f"this value is {kind_of(value)}, and the baseline is {expected}"
            faults.at(place, "mixed_value_types", message)
