"""Rule documents of one environment → audiences, experiences and settings, with every fault.

Shape of a document: an object with any of `KEYS`. Audiences with `nt_rules` and experiences with
`nt_config` are app-written, all others native. `contentful` says where more rules come from; the
source that fetches them reads it. `accepted_warnings` says which warnings of `edgewise.lint` are
meant to be, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import msgspec

from edgewise.audiences.parse import RawAudience, parse_audiences
from edgewise.errors import Fault
from edgewise.experiences.native import parse_native_experience
from edgewise.experiences.nt_config import parse_nt_experience
from edgewise.hashing import MURMUR3, XXH3
from edgewise.mergetags import MergeTag, is_app_written, parse_merge_tag
from edgewise.model.audience import Audience
from edgewise.model.document import RuleDocument
from edgewise.model.experience import Experience
from edgewise.parsing import FaultList, closest, kind_of, pointer_join
from edgewise.settings import EnvironmentSettings, parse_settings

KEYS = (
    *("environment", "audiences", "experiences", "merge_tags", "contentful"),
    "accepted_warnings",
)


class _Member(msgspec.Struct, frozen=True):
    """One member of a list in a document.

    Args:
        pointer: where it stands.
        body_pointer: where its app-written part stands, if that is somewhere else; or empty.
    """

    raw: Any
    file: str
    pointer: str
    body_pointer: str = ""


class ParsedRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one environment.

    Args:
        audiences, experiences: in the order of their ids without regard to case.
        merge_tags: in the order of writing.
        faults: what is wrong with native rules; any of them refuses the load.
        set_aside: what is wrong with app-written ones, which then never match.
    """

    audiences: tuple[Audience, ...]
    experiences: tuple[Experience, ...]
    faults: tuple[Fault, ...]
    set_aside: tuple[Fault, ...]
    merge_tags: tuple[MergeTag, ...] = ()
    respects_refusal: bool = False


def parse_documents(documents: Iterable[RuleDocument]) -> ParsedRules:
    """Return the rules of some documents together; collects every fault instead of raising."""
    faults: list[Fault] = []
    objects: list[RuleDocument] = []
    for document in documents:
        found = FaultList(document.file)
        if isinstance(document.content, Mapping):
            found.unknown_keys(document.content, "", KEYS)
            _check_accepted(document.content, found)
            objects.append(document)
        elif document.content is not None:
            message = f"a rule document must be an object, not {kind_of(document.content)}"
            found.at("", "wrong_type", message, f"its keys are: {', '.join(KEYS)}")
        faults += found.faults
    settings = _settings(objects, faults)
    audiences = parse_audiences(
        (
            RawAudience(member.raw, member.file, member.pointer, member.body_pointer)
            for member in _members(objects, "audiences", "nt_rules", faults)
        ),
        missing_negated=settings.missing_negated,
    )
    faults += audiences.faults
    set_aside = [fault for document in objects for fault in document.set_aside]
    set_aside += audiences.set_aside
    known = {audience.id for audience in audiences.audiences}
    experiences = _experiences(objects, settings, known, faults, set_aside)
    served = _with_known_audience(experiences, known, faults, set_aside)
    merge_tags = _merge_tags(objects, faults, set_aside)
    return ParsedRules(
        audiences=audiences.audiences,
        experiences=tuple(sorted(served, key=lambda one: (one.id.lower(), one.id))),
        merge_tags=merge_tags,
        faults=tuple(faults),
        set_aside=tuple(set_aside),
        respects_refusal=settings.respects_refusal,
    )


def _check_accepted(content: Mapping[Any, Any], faults: FaultList) -> None:
    """A warning is accepted for a reason, which has to be said."""
    accepted = faults.object_of(content, "accepted_warnings", "")
    for code in accepted:
        faults.required_text(accepted, code, "/accepted_warnings")


def _settings(objects: Iterable[RuleDocument], faults: list[Fault]) -> EnvironmentSettings:
    settings, first = EnvironmentSettings(), ""
    for document in objects:
        content, file = document.content, document.file
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
    objects: Iterable[RuleDocument], key: str, body: str, faults: list[Fault]
) -> list[_Member]:
    """Every member of a list in every document; `body` is the key of its app-written part."""
    members = []
    for document in objects:
        found = FaultList(document.file)
        for position, raw in enumerate(found.list_of(document.content, key, "")):
            pointer = pointer_join("", key, position)
            place = document.places.get(pointer, pointer)
            body_place = document.places.get(pointer_join(pointer, body), "")
            members.append(_Member(raw, document.file, place, body_place))
        faults += found.faults
    return members


def _merge_tags(
    objects: Iterable[RuleDocument], faults: list[Fault], set_aside: list[Fault]
) -> tuple[MergeTag, ...]:
    tags: dict[str, MergeTag] = {}
    for member in _members(objects, "merge_tags", "", faults):
        found = FaultList(member.file)
        tag = parse_merge_tag(member.raw, member.pointer, found)
        if not len(found):
            # One tag may stand in several entries; each text that uses it says which fallback.
            tags.setdefault(tag.id, tag)
        (set_aside if is_app_written(member.raw) else faults).extend(found.faults)
    return tuple(tags.values())


def _experiences(
    objects: Iterable[RuleDocument],
    settings: EnvironmentSettings,
    known: Set[str],
    faults: list[Fault],
    set_aside: list[Fault],
) -> list[Experience]:
    by_id: dict[str, Experience] = {}
    for member in _members(objects, "experiences", "nt_config", faults):
        from_app = isinstance(member.raw, Mapping) and "nt_config" in member.raw
        experience, found = _experience(member, from_app, settings)
        into = set_aside if from_app else faults
        into += found
        if experience is None:
            into += [] if from_app else _unknown_audience_of(member, known)
            continue
        if experience.id in by_id:
            first = by_id[experience.id]
            listed = FaultList(member.file, experience_id=experience.id)
            message = f'experience "{experience.id}" is defined twice'
            hint = f"the first is at {first.file}#{first.pointer}"
            listed.at(member.pointer, "duplicate_id", message, hint)
            into += listed.faults
        else:
            by_id[experience.id] = experience
    return list(by_id.values())


def _experience(
    member: _Member, from_app: bool, settings: EnvironmentSettings
) -> tuple[Experience | None, list[Fault]]:
    raw, file, pointer = member.raw, member.file, member.pointer
    if from_app:
        default = settings.allocation or MURMUR3
        return parse_nt_experience(raw, file, pointer, default, member.body_pointer)
    return parse_native_experience(raw, file, pointer, settings.allocation or XXH3)


def _unknown_audience_of(member: _Member, known: Set[str]) -> list[Fault]:
    """What is wrong with the audience of a faulty experience, beside its other faults."""
    if not isinstance(member.raw, Mapping):
        return []
    # What cannot be read here was told when the experience was parsed.
    reading = FaultList(member.file)
    audience_id = reading.text(member.raw, "audience", member.pointer)
    if not audience_id or audience_id in known:
        return []
    experience_id = reading.text(member.raw, "id", member.pointer)
    found = FaultList(member.file, experience_id=experience_id)
    place = pointer_join(member.pointer, "audience")
    _note_unknown_audience(found, place, audience_id, known)
    return found.faults


def _with_known_audience(
    experiences: Iterable[Experience],
    known: Set[str],
    faults: list[Fault],
    set_aside: list[Fault],
) -> list[Experience]:
    """The experiences whose audience exists; one for everyone needs none."""
    served = []
    for experience in experiences:
        if experience.audience_id is None or experience.audience_id in known:
            served.append(experience)
            continue
        found = FaultList(experience.file, experience_id=experience.id)
        from_app = experience.form == "nt_config"
        place = pointer_join(experience.pointer, "nt_audience" if from_app else "audience")
        _note_unknown_audience(found, place, experience.audience_id, known)
        (set_aside if from_app else faults).extend(found.faults)
    return served


def _note_unknown_audience(
    faults: FaultList, pointer: str, audience_id: str, known: Set[str]
) -> None:
    message = f'there is no audience "{audience_id}"'
    faults.at(pointer, "unknown_audience", message, closest(audience_id, known))
