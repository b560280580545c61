"""What waits in the import queue: events that were accepted and are not counted yet."""

from __future__ import annotations

import msgspec


class ImportedProfile(msgspec.Struct, frozen=True):
    """The events of one profile in an import, as the one who imports them hands them over.

    Args:
        names: ids and names of the visitor, the best first. The first that leads to a profile says
            which one is meant; where none does, the first of all names the new one. The others are
            made to lead to it.
        events: the JSON of each event, checked before.
        merges: whether a further name that belongs to another profile makes the two one; if not,
            it stays where it is.
    """

    names: tuple[str, ...]
    events: tuple[bytes, ...]
    merges: bool = False


class ImportPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the queue holds: one profile's share of an import, applied by one write of its record.

    Units: `arrival_ms` is when the import was accepted, in milliseconds since 1970.
    """

    organization: str
    environment: str
    arrival_ms: int
    profile: ImportedProfile
