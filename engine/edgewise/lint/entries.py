"""Entries that experiences name and that a space does not have."""

from __future__ import annotations

from collections.abc import Iterator

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note
from edgewise.model.experience import EntryReplacement


def check_entries(subject: Subject) -> Iterator[Fault]:
    """Warn of missing entries, where a document of the environment knows all there are."""
    known = {id_ for document in subject.documents for id_ in document.entry_ids}
    if not known:
        return
    for served in subject.ruleset.experiences:
        experience = served.experience
        place = Place(experience.file, experience.pointer, experience_id=experience.id)
        for component in experience.components:
            if not isinstance(component, EntryReplacement):
                continue
            for id_ in (component.baseline, *component.variants):
                if id_ and id_ not in known:
                    message = f'the entry "{id_}" is not published in the space'
                    yield note("entry_missing", place, message, "publish it, or correct its id")
