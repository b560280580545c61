"""Audiences of an environment from rule documents: both forms, references linked, simplified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any as AnyValue

import msgspec

from edgewise.audiences.building import Builder
from edgewise.audiences.linking import link, unknown_references
from edgewise.audiences.meaning import meaning_of
from edgewise.audiences.native import parse_native_rule
from edgewise.audiences.nt_rules import parse_nt_rules
from edgewise.audiences.passes import simplify
from edgewise.errors import Fault
from edgewise.model.audience import Audience, Constant, Node
from edgewise.parsing import FaultList, kind_of, pointer_join

NATIVE_KEYS = ("id", "name", "description")
APP_KEYS = (
    "id",
    "name",
    "description",
    "nt_audience_id",
    "nt_name",
    "nt_description",
    "nt_metadata",
    "nt_rules",
)


class RawAudience(msgspec.Struct, frozen=True):
    """An audience as a document holds it, and where.

    Args:
        rules_pointer: where `nt_rules` was written, if that is not below the audience.
    """

    raw: AnyValue
    file: str
    pointer: str
    rules_pointer: str = ""


class ParsedAudiences(msgspec.Struct, frozen=True):
    """Audiences in the order of their ids without regard to case, and what was wrong.

    Args:
        audiences: every audience that has an id; those with a fault never match.
        faults: those of native rules, which refuse the load.
        set_aside: those of app-written rules, which only affect their audience.
    """

    audiences: tuple[Audience, ...]
    faults: tuple[Fault, ...]
    set_aside: tuple[Fault, ...]


def parse_audiences(
    raws: Iterable[RawAudience], *, missing_negated: bool = True
) -> ParsedAudiences:
    """Return the audiences of one environment; collects every fault instead of raising."""
    audiences: dict[str, Audience] = {}
    trees: list[tuple[Audience, Node]] = []
    faults: list[Fault] = []
    set_aside: list[Fault] = []
    for raw in raws:
        audience, tree, found = _parse_audience(raw, missing_negated)
        if audience is not None:
            trees.append((audience, tree))
        first = audiences.setdefault(audience.id, audience) if audience is not None else None
        if audience is not None and first is not None and not _adds_nothing(audience, first):
            message = f'audience "{audience.id}" is defined twice'
            hint = f"the first is at {first.file}#{first.pointer}"
            found.at(raw.pointer, "duplicate_id", message, hint)
        from_app = isinstance(raw.raw, Mapping) and "nt_rules" in raw.raw
        (set_aside if from_app else faults).extend(found.faults)
    faulty = {fault.audience_id for fault in (*faults, *set_aside)}
    for audience, tree in trees:
        if audience.id in faulty:
            faults += unknown_references(audience, tree, audiences)
    linked, link_faults = link(audiences, faulty)
    for fault in link_faults:
        # A reference to an audience that was set aside must not refuse the whole load.
        (set_aside if fault.code == "faulty_reference" else faults).append(fault)
    ordered = sorted(linked.values(), key=lambda audience: (audience.id.lower(), audience.id))
    return ParsedAudiences(tuple(ordered), tuple(faults), tuple(set_aside))


def _adds_nothing(audience: Audience, first: Audience) -> bool:
    """An app repeats an audience, with the same rules, in each space that links to it."""
    if audience is first:
        return True
    from_app = audience.form == first.form == "nt_rules"
    return from_app and meaning_of(audience.tree) == meaning_of(first.tree)


def _parse_audience(
    source: RawAudience, missing_negated: bool
) -> tuple[Audience | None, Node, FaultList]:
    """The audience, the tree as it was written, and what is wrong with it."""
    raw = source.raw
    faults = FaultList(source.file)
    if not isinstance(raw, Mapping):
        message = f"an audience must be an object, not {kind_of(raw)}"
        faults.at(source.pointer, "wrong_type", message)
        return None, Constant(False), faults
    from_app = "nt_rules" in raw
    id_key = "nt_audience_id" if from_app and "nt_audience_id" in raw else "id"
    audience_id = faults.required_text(raw, id_key, source.pointer)
    faults.audience_id = audience_id
    builder = Builder(faults, strict=not from_app, missing_negated=missing_negated)
    if from_app:
        faults.unknown_keys(raw, source.pointer, APP_KEYS)
        place = source.rules_pointer or pointer_join(source.pointer, "nt_rules")
        tree = parse_nt_rules(raw["nt_rules"], place, builder)
    else:
        tree = parse_native_rule(raw, source.pointer, builder, NATIVE_KEYS)
    name, description = (
        faults.text(raw, key, source.pointer) or faults.text(raw, f"nt_{key}", source.pointer)
        for key in ("name", "description")
    )
    if not audience_id:
        return None, tree, faults
    audience = Audience(
        id=audience_id,
        tree=simplify(tree) if not len(faults) else Constant(False),
        name=name,
        description=description,
        form="nt_rules" if from_app else "native",
        file=source.file,
        pointer=source.pointer,
    )
    return audience, tree, faults
