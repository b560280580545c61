"""One database of locations: a file of the MaxMind DB format, in whichever shape its records are.

The reader maps the file into memory, and a process that reads a mapped page of a file that
somebody has shortened is killed. So what is mapped is a copy that nobody else can find: it has no
name any more once it is open. Writing over the original changes nothing here.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from os import SEEK_END
from pathlib import Path
from typing import Any

import maxminddb
from maxminddb.reader import Metadata, Reader

from edgewise.enrich.geo_mapping import FoundLocation, Reading, reading_of
from edgewise.errors import GeoDatabaseError
from edgewise.values import time_text

_LOG = logging.getLogger("edgewise.enrich")

# What each file of the format ends with: this, and at most 128 KiB of facts about it.
_FACTS_MARK = b"\xab\xcd\xefMaxMind.com"
_FACTS_BYTES = 128 * 1024
_COPY_STEP_BYTES = 1024 * 1024
# The shape shows in the first record, but first come networks that nothing is known of, and records
# that say no more than whose a network is.
_PROBES = 1000
# What the reader raises for bytes that make no record: a text may also be no Unicode.
_CORRUPT = (maxminddb.InvalidDatabaseError, ValueError, MemoryError)


class GeoDatabase:
    """A database as it was when it was opened.

    Args:
        path: the file; it may be replaced, overwritten or removed afterwards.

    Attributes:
        kind: what the database calls itself, such as "GeoLite2-City".
        built_at: when it was made, in ISO 8601; empty where it does not say so.
        holds_v6: whether it has IPv6 addresses; then it may have IPv4 addresses too.
        fault: what turned out to be broken since; empty while nothing did.

    Errors: GeoDatabaseError for a file that is missing, broken or of another kind.
    Cost: the size of the file in the folder for temporary files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fault = ""
        reader, facts = _open(path)
        self.kind = str(facts.database_type)
        self.built_at = _built_at(facts.build_epoch)
        self.holds_v6 = facts.ip_version == 6
        self._read = _probe(path, reader, facts)
        self._get = reader.get

    def find(self, address: IPv4Address | IPv6Address) -> FoundLocation | None:
        """Return what is known of an address, None for nothing.

        A broken record counts as nothing and is told once. An IPv6 address must not be looked for
        in a database that holds none.

        Cost: about four microseconds in a flat database, fifteen where names come in eight
        languages.
        """
        try:
            record = self._get(address)
        except _CORRUPT as error:
            self._note(error)
            return None
        return None if record is None else self._read(record)

    def _note(self, error: Exception) -> None:
        if not self.fault:
            self.fault = f"{self.path}: a record cannot be read; get the file anew ({error})"
            _LOG.warning("%s", self.fault)


def _open(path: Path) -> tuple[Reader, Metadata]:
    with _copied(path) as copy:
        try:
            # The reader in C where it was built, and otherwise the slow one in Python.
            reader = maxminddb.open_database(copy, maxminddb.MODE_AUTO)
            return reader, reader.metadata()
        except _CORRUPT as error:
            raise _broken(path, error) from error


@contextmanager
def _copied(path: Path) -> Iterator[Path]:
    """A copy of a file that looks like a database, under a name that goes away at the end."""
    try:
        if not path.is_file():
            raise GeoDatabaseError(f"{path}: there is no such file")
        with path.open("rb") as source:
            size_bytes = source.seek(0, SEEK_END)
            source.seek(max(0, size_bytes - _FACTS_BYTES))
            if _FACTS_MARK not in source.read():
                message = "is no database of locations (.mmdb), or its end is missing"
                raise GeoDatabaseError(f"{path}: the file {message}; get it anew")
            source.seek(0)
            with tempfile.NamedTemporaryFile(prefix="edgewise-geo-", suffix=".mmdb") as copy:
                shutil.copyfileobj(source, copy, _COPY_STEP_BYTES)
                copy.flush()
                yield Path(copy.name)
    except OSError as error:
        place = f"{path}, or its copy in {tempfile.gettempdir()},"
        raise GeoDatabaseError(f"{place} cannot be read: {error.strerror or error}") from error


def _probe(path: Path, reader: Reader, facts: Metadata) -> Reading:
    try:
        readings = map(reading_of, _first_records(reader, facts.ip_version))
        reading = next(filter(None, readings), None)
    except _CORRUPT as error:
        raise _broken(path, error) from error
    if reading is None:
        raise GeoDatabaseError(
            f'{path}: a database of the type "{facts.database_type}" tells no countries and no'
            " cities; take one of GeoLite2, GeoIP2 or ip-location-db that does"
        )
    return reading


def _first_records(reader: Reader, ip_version: int) -> Iterator[Any]:
    """The records of the first networks, found by looking up one network behind the other.

    The reader has an iterator too, which writes where it must not when the search tree is broken.
    """
    address_of, bits = (IPv6Address, 128) if ip_version == 6 else (IPv4Address, 32)
    number = 0
    for _ in range(_PROBES):
        record, prefix_bits = reader.get_with_prefix_len(address_of(number))
        yield record
        number += 1 << (bits - prefix_bits)
        if number >= 1 << bits:
            return


def _broken(path: Path, error: Exception) -> GeoDatabaseError:
    return GeoDatabaseError(f"{path}: the database is broken; get it anew ({error})")


def _built_at(time_s: int) -> str:
    try:
        return time_text(time_s * 1000)
    except (OverflowError, ValueError, OSError):
        return ""
