"""What is imported as parts of the queue, and back: one profile's share of an import each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from edgewise.errors import StoreCorrupt
from edgewise.model.imports import ImportedProfile, ImportPart
from edgewise.receiving import CLAIMING_TYPES
from edgewise.records import key_of, queue_key
from edgewise.stores.import_queue import NewPart

MAX_PART_EVENTS = 200
"""More events of one profile are queued as several parts, which stay in order."""


class _Claim(msgspec.Struct, rename="camel"):
    """The two members of an event that say whom it makes the visitor one with."""

    type: str
    user_id: str | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ImportPart)
_CLAIM = msgspec.json.Decoder(_Claim)


def parts_of(
    organization: str, environment: str, profiles: Sequence[ImportedProfile], arrival_ms: int
) -> list[NewPart]:
    """Return the parts of an import, in the order of its profiles.

    An erasure finds a part by each name of the visitor, and by each user id in the events.
    """
    return [
        NewPart(
            lane=_key(f"{organization}/{environment}", share.names[0]),
            data=_ENCODER.encode(
                ImportPart(
                    organization=organization,
                    environment=environment,
                    arrival_ms=arrival_ms,
                    profile=share,
                )
            ),
            queued_ms=max(arrival_ms, 1),
            further_keys=_further_keys(f"{organization}/{environment}", share),
        )
        for profile in profiles
        for share in _shares(profile)
    ]


def decode_part(data: bytes) -> ImportPart:
    """Return the part that the queue has kept. Errors: StoreCorrupt."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreCorrupt(f"A part of an import cannot be read: {error}.") from error


def _shares(profile: ImportedProfile) -> Iterator[ImportedProfile]:
    events = profile.events
    for start in range(0, len(events), MAX_PART_EVENTS):
        share = events[start : start + MAX_PART_EVENTS]
        yield msgspec.structs.replace(profile, events=share)


def _further_keys(environment: str, profile: ImportedProfile) -> tuple[str, ...]:
    names = [*profile.names]
    for raw in profile.events:
        claim = _CLAIM.decode(raw)
        if claim.type in CLAIMING_TYPES and claim.user_id:
            names.append(claim.user_id)
    keys = dict.fromkeys(_key(environment, name) for name in names)
    return tuple(keys)[1:]


def _key(environment: str, name: str) -> str:
    return queue_key(environment, key_of(environment, name))
