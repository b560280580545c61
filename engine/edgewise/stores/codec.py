"""Records as bytes: msgpack of the tagged union, the same for every store."""

from __future__ import annotations

import msgspec

from edgewise.errors import InvalidData, StoreCorrupt
from edgewise.model.profiles import Profile, Record

FORMAT = 1
"""The newest record format that this code reads and writes.

The default of `Profile.format` stays 1 for ever, because defaults are left out of the bytes: a
record without a format has format 1, and a writer of a later format states it.
"""

MAX_PROFILE_BYTES = 2 * 1024 * 1024
"""How large the record of a profile may become by what is sent: twice the body of a request.

Each update of a visitor reads and writes the whole record, which takes the time of all others.
"""


class _Header(msgspec.Struct):
    """The one field that every format has in the same place."""

    format: int = 1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)
_profile_decoder = msgspec.msgpack.Decoder(Profile)
_header_decoder = msgspec.msgpack.Decoder(_Header)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)


def encode_record(record: Record) -> bytes:
    """Return a record as bytes that `decode_record` reads back."""
    return _encoder.encode(record)


def encode_profile(profile: Profile) -> bytes:
    """Return the record of a profile after some events. Errors: InvalidData if it is too large."""
    value = _encoder.encode(profile)
    if len(value) > MAX_PROFILE_BYTES:
        most = MAX_PROFILE_BYTES // 1024**2
        raise InvalidData(
            f"profile {profile.id} would exceed {most} MiB: unset traits that it does not need"
        )
    return value


def decode_record(data: bytes) -> Record:
    """Return the record that these bytes hold.

    Errors: StoreCorrupt where the bytes are no record, or one of a format newer than this code.
    """
    try:
        record: Record = _decoder.decode(data)
    except _UNREADABLE as error:
        _refuse_newer(_format_of(data))
        raise StoreCorrupt(f"A stored record cannot be read: {error}.") from error
    if isinstance(record, Profile) and record.format > FORMAT:
        _refuse_newer(record.format)
    return record


def decode_own_profile(data: bytes) -> Profile:
    """Return the profile that this process has encoded as these bytes."""
    return _profile_decoder.decode(data)


def _format_of(data: bytes) -> int:
    try:
        return _header_decoder.decode(data).format
    except _UNREADABLE:
        return FORMAT


def _refuse_newer(found: int) -> None:
    if found > FORMAT:
        raise StoreCorrupt(
            f"A stored record has format {found}, but this version of Edgewise reads up to"
            f" {FORMAT}: run the version that wrote it, or a later one."
        )
