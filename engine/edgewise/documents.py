"""Rule documents of one environment → audiences, experiences and settings, with every fault.

Shape of a document: an object with any of `environment`, `audiences` and `experiences`. Audiences
with `nt_rules` and experiences with `nt_config` are app-written, all others native.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from edgewise.audiences.parse import ParsedAudiences, RawAudience, parse_audiences
from edgewise.errors import Fault
from edgewise.experiences.native import parse_native_experience
from edgewise.experiences.nt_config import parse_nt_experience
from edgewise.hashing import MURMUR3, XXH3
from edgewise.model.audience import Audience
from edgewise.model.document import RuleDocument
from edgewise.model.experience import Experience
from edgewise.parsing import FaultList, closest, kind_of, pointer_join
from edgewise.settings import EnvironmentSettings, parse_settings

KEYS = ("environment", "audiences", "experiences")


class ParsedRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one environment.

    Args:
        audiences, experiences: in the order of their ids without regard to case.
        faults: what is wrong with native rules; any of them refuses the load.
        set_aside: what is wrong with app-written ones, which then never match.
    """

    audiences: tuple[Audience, ...]
    experiences: tuple[Experience, ...]
    faults: tuple[Fault, ...]
    set_aside: tuple[Fault, ...]


def parse_documents(documents: Iterable[RuleDocument]) -> ParsedRules:
    """Return the rules of some documents together; collects every fault instead of raising."""
    faults: list[Fault] = []
    objects: list[tuple[Mapping[Any, Any], str]] = []
    for document in documents:
        found = FaultList(document.file)
        if isinstance(document.content, Mapping):
            found.unknown_keys(document.content, "", KEYS)
            objects.append((document.content, document.file))
        elif document.content is not None:
            message = f"a rule document must be an object, not {kind_of(document.content)}"
            found.at("", "wrong_type", message, f"its keys are: {', '.join(KEYS)}")
        faults += found.faults
    settings = _settings(objects, faults)
    audiences = parse_audiences(
        (
            RawAudience(raw, file, pointer)
            for raw, file, pointer in _members(objects, "audiences", faults)
        ),
        missing_negated=settings.missing_negated,
    )
    faults += audiences.faults
    set_aside = list(audiences.set_aside)
    experiences = _experiences(objects, settings, faults, set_aside)
    served = _with_known_audience(experiences, audiences, faults, set_aside)
    return ParsedRules(
        audiences=audiences.audiences,
        experiences=tuple(sorted(served, key=lambda one: (one.id.lower(), one.id))),
        faults=tuple(faults),
        set_aside=tuple(set_aside),
    )


def _settings(
    objects: Iterable[tuple[Mapping[Any, Any], str]], faults: list[Fault]
) -> EnvironmentSettings:
    settings, first = EnvironmentSettings(), ""
    for content, file in objects:
        if "environment" not in content:
            continue
        found = FaultList(file)
        if first:
            message = f"`environment` is already said in {first}"
            found.at("/environment", "duplicate_key", message, "keep one of them")
        else:
            settings = parse_settings(content["environment"], "/environment", found)
            first = file
        faults += found.faults
    return settings


def _members(
    objects: Iterable[tuple[Mapping[Any, Any], str]], key: str, faults: list[Fault]
) -> list[tuple[Any, str, str]]:
    """Every member of a list in every document, with its file and place."""
    members = []
    for content, file in objects:
        found = FaultList(file)
        for position, raw in enumerate(found.list_of(content, key, "")):
            members.append((raw, file, pointer_join("", key, position)))
        faults += found.faults
    return members


def _experiences(
    objects: Iterable[tuple[Mapping[Any, Any], str]],
    settings: EnvironmentSettings,
    faults: list[Fault],
    set_aside: list[Fault],
) -> list[Experience]:
    by_id: dict[str, Experience] = {}
    for raw, file, pointer in _members(objects, "experiences", faults):
        from_app = isinstance(raw, Mapping) and "nt_config" in raw
        parse = parse_nt_experience if from_app else parse_native_experience
        default = settings.allocation or (MURMUR3 if from_app else XXH3)
        experience, found = parse(raw, file, pointer, default)
        into = set_aside if from_app else faults
        into += found
        if experience is None:
            continue
        if experience.id in by_id:
            first = by_id[experience.id]
            listed = FaultList(file, experience_id=experience.id)
            message = f'experience "{experience.id}" is defined twice'
            listed.at(
                pointer, "duplicate_id", message, f"the first is at {first.file}#{first.pointer}"
            )
            into += listed.faults
        else:
            by_id[experience.id] = experience
    return list(by_id.values())


def _with_known_audience(
    experiences: Iterable[Experience],
    audiences: ParsedAudiences,
    faults: list[Fault],
    set_aside: list[Fault],
) -> list[Experience]:
    """The experiences whose audience exists; one for everyone needs none."""
    known = {audience.id for audience in audiences.audiences}
    served = []
    for experience in experiences:
        if experience.audience_id is None or experience.audience_id in known:
            served.append(experience)
            continue
        found = FaultList(experience.file, experience_id=experience.id)
        message = f'there is no audience "{experience.audience_id}"'
        hint = closest(experience.audience_id, known)
        found.at(experience.pointer, "unknown_audience", message, hint)
        (set_aside if experience.form == "nt_config" else faults).extend(found.faults)
    return served
