"""Audiences that lead to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note


def check_audiences(subject: Subject) -> Iterator[Fault]:
    """Warn of audiences that no experience is for and that no other audience refers to."""
    used = {served.audience_id for served in subject.ruleset.experiences}
    used |= {fault.audience_id for fault in subject.ruleset.set_aside}
    for document in subject.documents:
        audiences = document.content.get("audiences") if document.content else None
        for raw in audiences or ():
            used.update(_references(raw))
    for audience in subject.ruleset.audiences:
        if audience.id not in used:
            place = Place(audience.file, audience.pointer, audience.id)
            message = f'no experience is for the audience "{audience.id}", and no audience asks it'
            hint = "remove it, or accept the warning where a site reads the profile's audiences"
            yield note("unused_audience", place, message, hint)


def _references(rule: Any) -> Iterator[str]:
    """The audiences that a native rule asks for, at any depth."""
    if not isinstance(rule, Mapping):
        return
    if isinstance(rule.get("audience"), str):
        yield rule["audience"]
    for key in ("any", "all", "none"):
        members = rule.get(key)
        for member in members if isinstance(members, list) else ():
            yield from _references(member)
