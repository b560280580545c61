"""A folder of rules loaded once, without network: what a source has, its last copy tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgewise.documents import parse_documents
from edgewise.errors import Fault, RulesError, SourceUnavailable
from edgewise.model.document import RuleDocument
from edgewise.reload.reading import Reading, read_settled
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.contentful.last_good import copy_path, load_copy
from edgewise.sources.contentful.mirror import convert_mirror
from edgewise.sources.contentful.settings import ContentfulSettings
from edgewise.sources.files import EnvironmentKey, find_environments, no_environment


class LoadedFolder(msgspec.Struct, frozen=True):
    """The rules of a folder.

    Args:
        documents: of each environment, those of its source's copy included.
        waiting: names of the sources without a copy, by environment; its rules are not known here.
    """

    rulesets: dict[EnvironmentKey, Ruleset]
    documents: dict[EnvironmentKey, Sequence[RuleDocument]]
    waiting: dict[EnvironmentKey, str]


def load_folder(root: Path, copies: Path | None = None) -> LoadedFolder:
    """Return the rules of every environment below a folder.

    Args:
        copies: where sources keep their last good copies.
    Errors: RulesError with every fault of every environment, also where there is none.
    """
    loaded = LoadedFolder({}, {}, {})
    faults: list[Fault] = []
    for organization, environment, folder in find_environments(root):
        key = (organization, environment)
        reading = read_settled(folder, root.parent, settle_s=0)
        faults += reading.faults or _load(loaded, key, reading, copies)
    if not (loaded.rulesets or loaded.waiting or faults):
        faults = no_environment(root)
    if faults:
        raise RulesError(faults, str(root.parent))
    return loaded


def _load(
    loaded: LoadedFolder, key: EnvironmentKey, reading: Reading, copies: Path | None
) -> Sequence[Fault]:
    documents = list(reading.documents)
    if reading.contentful is not None:
        copy = _copy_of(reading.contentful, copies)
        if copy is None:
            loaded.waiting[key] = reading.contentful.name
            # What these rules refer to may be there once the source is.
            found = parse_documents(documents).faults
            return [fault for fault in found if fault.code != "unknown_audience"]
        documents.append(copy)
    try:
        loaded.rulesets[key] = load_ruleset(*key, documents)
        loaded.documents[key] = documents
    except RulesError as error:
        return error.faults
    return ()


def _copy_of(settings: ContentfulSettings, copies: Path | None) -> RuleDocument | None:
    if copies is None:
        return None
    try:
        copy = load_copy(copy_path(copies, settings), settings.name)
    except SourceUnavailable:
        return None
    return convert_mirror(copy.mirror, settings.name).document if copy else None
