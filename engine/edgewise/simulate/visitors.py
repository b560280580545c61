"""Records while they are being replayed: open ones as live objects, the others spilled to disk."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from edgewise.errors import InputError
from edgewise.merging import MESSAGE_KEY_BYTES
from edgewise.model.log import LogEntry
from edgewise.model.profiles import Profile, Redirect
from edgewise.records import Records, Versioned
from edgewise.relevance import NEVER_MS
from edgewise.stores.memory import MemoryStore

MAX_OPEN_PROFILES = 100_000

_VERSION = 1
_SPILLED_AT_ONCE = 8
"""One part in so many of all that may be open goes at once, so that not every block spills."""


class Visitor(msgspec.Struct, omit_defaults=True, tag="visitor", tag_field="kind"):
    """A profile and what is known about its decisions.

    Args:
        audiences, variants: what was decided last; variants map an experience to a variant index.
        ever: every audience it was in at one of its events.
        given: per experience the variant index that it was given last at one of its events.
        decided_ms: the time up to which `audiences` and `variants` hold.
        expires_ms: when an event may leave a window, so that a decision is due.
        assigned: how many variants were assigned for good when it was decided last, -1 before.
        unshown: whether what was decided last has not been seen at an event yet.
        forgotten: the message keys that the profile has had to forget.
        told_ms: the latest time that anybody was told of it for.
    """

    profile: Profile
    audiences: list[str] = []
    variants: dict[str, int] = {}
    ever: set[str] = set()
    given: dict[str, int] = {}
    decided_ms: int = -1
    expires_ms: int = NEVER_MS
    assigned: int = -1
    unshown: bool = False
    forgotten: set[int] = set()
    told_ms: int = -1

    def forget(self, keys: bytes) -> None:
        """Remember message keys elsewhere that the profile itself has no room for."""
        for start in range(0, len(keys), MESSAGE_KEY_BYTES):
            self.forgotten.add(int.from_bytes(keys[start : start + MESSAGE_KEY_BYTES], "big"))


Entry = Visitor | Redirect

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Entry] = msgspec.msgpack.Decoder(Entry)


class Visitors(Records):
    """What a store's records are to the service, for one replay: nothing waits, nothing conflicts.

    Records are live objects, so that a replay neither encodes nor decodes what it uses again soon.
    Beyond `max_open` the least recently used ones are spilled to a temporary database.

    Args:
        max_open: how many profiles and redirects are kept in memory.

    Shape: `created` counts the profiles that ever were; `absorbed` holds those that became another
    one, with its id, until the replay has dealt with them.
    """

    def __init__(self, max_open: int = MAX_OPEN_PROFILES) -> None:
        super().__init__(MemoryStore())
        self._max_open = max_open
        self._open: OrderedDict[str, Entry] = OrderedDict()
        self._spill: Spill | None = None
        self.created = 0
        self.absorbed: list[tuple[Visitor, str]] = []

    def entry(self, key: str) -> Entry | None:
        """Return what lies under a key, as a live object."""
        found = self._open.get(key)
        if found is not None:
            self._open.move_to_end(key)
        elif self._spill is not None:
            data = self._spill.get(key)
            if data is not None:
                found = self._open[key] = _DECODER.decode(data)
        return found

    def visitor(self, profile_id: str) -> Visitor | None:
        """Return the living visitor under the id of a profile itself."""
        found = self.entry(profile_id)
        return found if isinstance(found, Visitor) and not found.profile.merging_into else None

    def adopt(self, profile: Profile) -> Visitor:
        """Return the visitor of a profile, a new one where it is not known yet."""
        found = self.entry(profile.id)
        if isinstance(found, Visitor):
            found.profile = profile
            return found
        visitor = Visitor(profile, told_ms=profile.created_ms)
        self._open[profile.id] = visitor
        self.created += 1
        return visitor

    def spill(self) -> None:
        """Let go of the least recently used entries beyond `max_open`; between requests only."""
        if len(self._open) <= self._max_open:
            return
        kept = self._max_open - self._max_open // _SPILLED_AT_ONCE
        count = len(self._open) - kept
        rows = [self._open.popitem(last=False) for _ in range(count)]
        if self._spill is None:
            self._spill = Spill()
        self._spill.put((key, _ENCODER.encode(entry)) for key, entry in rows)

    def all_visitors(self) -> Iterator[Visitor]:
        """Iterate over every living visitor once; changes of spilled ones are not kept."""
        for entry in self._open.values():
            if isinstance(entry, Visitor) and not entry.profile.merging_into:
                yield entry
        if self._spill is not None:
            for key, data in self._spill.items():
                if key not in self._open:
                    found = _DECODER.decode(data)
                    if isinstance(found, Visitor) and not found.profile.merging_into:
                        yield found

    def close(self) -> None:
        """Remove what was spilled."""
        if self._spill is not None:
            self._spill.close()

    async def load(self, key: str) -> Versioned | None:
        """Return the profile or redirect under an id."""
        found = self.entry(key)
        if found is None:
            return None
        record = found.profile if isinstance(found, Visitor) else found
        return Versioned(record, _VERSION)

    async def save(self, profile: Profile, version: int, entries: Sequence[LogEntry] = ()) -> int:
        """Keep a profile."""
        self.adopt(profile)
        return _VERSION

    async def save_redirect(self, key: str, redirect: Redirect, version: int) -> int:
        """Put a redirect in the place of a profile, which is noted in `absorbed`."""
        found = self.entry(key)
        if isinstance(found, Visitor):
            self.absorbed.append((found, redirect.profile_id))
        self._open[key] = redirect
        return _VERSION


class Spill:
    """Encoded entries in a database of this process's own, which goes away with it.

    Errors: InputError, from whatever writes, where the disk has no room.
    """

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="edgewise-spill-")
        path = Path(self._directory.name) / "visitors.db"
        self._connection = sqlite3.connect(path, isolation_level=None)
        # Nothing here has to survive this process, let alone the machine.
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        with self._want_of_room_told():
            self._connection.execute(
                "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
            )

    def get(self, key: str) -> bytes | None:
        """Return the bytes under a key."""
        query = "SELECT value FROM entries WHERE key = ?"
        row: tuple[bytes] | None = self._connection.execute(query, (key,)).fetchone()
        return row[0] if row else None

    def put(self, rows: Iterator[tuple[str, bytes]]) -> None:
        """Keep some entries, in the place of older ones."""
        with self._want_of_room_told():
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)
            self._connection.execute("COMMIT")

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Iterate over all entries by key."""
        yield from self._connection.execute("SELECT key, value FROM entries ORDER BY key")

    def close(self) -> None:
        """Remove the database."""
        self._connection.close()
        self._directory.cleanup()

    @contextmanager
    def _want_of_room_told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise InputError(
                f"{self._directory.name}: no profile can be spilled here ({error}); make room,"
                " let TMPDIR name another folder, or keep more profiles open with"
                " --max-open-profiles"
            ) from error
