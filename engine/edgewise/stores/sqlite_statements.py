"""Every statement of the SQLite store, as functions of a connection.

None of them opens or ends a transaction: those that write are run by `WriteQueue` inside one, but
for `save`, which may be its own, and may be run again after a rollback.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from edgewise.model.log import LogEntry

LogRow = tuple[bytes | str, int, str, int, int, bytes]

SaveRow = tuple[str, int, int, bytes, bytes | str, int, str, int, int, bytes]
"""Key, version, when the visitor was last seen, and value; then a row of the log."""

PutRow = tuple[str, bytes, int, list[LogRow], int]
"""Key, value, version, rows of the log, and when the visitor was last seen."""

_SIGN_BIT = 1 << 63
_TWO_64 = 1 << 64

_LOG_COLUMNS = "profile, message, environment, time, arrival, event"
_APPEND = f"INSERT OR IGNORE INTO log ({_LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"


# An update of a profile is nearly always the record and one event. Together they are one statement,
# which is its own transaction where no other write shares it: four statements cost an eighth more.
SAVES = (
    """
CREATE TEMP VIEW saves AS
SELECT NULL k, NULL v, NULL seen, NULL d,
       NULL profile, NULL message, NULL environment, NULL time, NULL arrival, NULL event
""",
    f"""
CREATE TEMP TRIGGER save INSTEAD OF INSERT ON saves BEGIN
    UPDATE records SET v = NEW.v + 1, seen = NEW.seen, d = NEW.d WHERE k = NEW.k AND v = NEW.v;
    INSERT OR IGNORE INTO log ({_LOG_COLUMNS})
    SELECT NEW.profile, NEW.message, NEW.environment, NEW.time, NEW.arrival, NEW.event
    WHERE changes() = 1;
END
""",
)
"""What a connection needs for `save`; it is gone with the connection."""

_SAVE = "INSERT INTO saves VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def profile_value(profile_id: str) -> bytes | str:
    """Return what stands for a profile id in the log: 32 bytes for 64 hex characters, else itself.

    The two never meet, because SQLite compares a blob and a text as different.
    """
    if len(profile_id) != 64:
        return profile_id
    try:
        value = bytes.fromhex(profile_id)
    except ValueError:
        return profile_id
    # Capitals and spaces are no part of an id, though they can be read.
    return value if value.hex() == profile_id else profile_id


def message_value(message_key: int) -> int:
    """Return the signed integer with the bits of an unsigned one of 64 bits."""
    return message_key - _TWO_64 if message_key >= _SIGN_BIT else message_key


def log_row(entry: LogEntry) -> LogRow:
    """Return an entry as the values of its columns."""
    return (
        profile_value(entry.profile_id),
        message_value(entry.message_key),
        entry.environment,
        entry.time_ms,
        entry.arrival_ms,
        entry.event,
    )


def log_entry(row: LogRow) -> LogEntry:
    """Return the entry that these columns hold."""
    profile, message, environment, time_ms, arrival_ms, event = row
    return LogEntry(
        environment=environment,
        profile_id=profile if isinstance(profile, str) else profile.hex(),
        message_key=message % _TWO_64,
        time_ms=time_ms,
        arrival_ms=arrival_ms,
        event=event,
    )


def get(connection: sqlite3.Connection, key: str) -> tuple[bytes, int] | None:
    """Return (value, version) of a key, or None."""
    row: tuple[bytes, int] | None = connection.execute(
        "SELECT d, v FROM records WHERE k = ?", (key,)
    ).fetchone()
    return row


def save(row: SaveRow, connection: sqlite3.Connection) -> int | None:
    """Do what `put` does for a record that is there and one row of the log, in one statement."""
    before = connection.total_changes
    connection.execute(_SAVE, row)
    return row[1] + 1 if connection.total_changes != before else None


def put(connection: sqlite3.Connection, row: PutRow) -> int | None:
    """Write a record at this version and append the rows; return the new version, or None."""
    key, value, version, rows, seen_ms = row
    if version == 0:
        new = _highest_deleted(connection) + 1
        written = connection.execute(
            "INSERT OR IGNORE INTO records (k, v, seen, d) VALUES (?, ?, ?, ?)",
            (key, new, seen_ms, value),
        )
    else:
        new = version + 1
        written = connection.execute(
            "UPDATE records SET v = ?, seen = ?, d = ? WHERE k = ? AND v = ?",
            (new, seen_ms, value, key, version),
        )
    if written.rowcount == 0:
        return None
    append(connection, rows)
    return new


def put_all(connection: sqlite3.Connection, puts: Sequence[PutRow]) -> list[int | None]:
    """Write several records, or none where one no longer has its version; return the new ones."""
    if all(version == version_of(connection, key) for key, _, version, _, _ in puts):
        return [put(connection, row) for row in puts]
    return [None] * len(puts)


def version_of(connection: sqlite3.Connection, key: str) -> int:
    """Return the version of a key, 0 where there is none."""
    found = connection.execute("SELECT v FROM records WHERE k = ?", (key,)).fetchone()
    return found[0] if found else 0


def delete(connection: sqlite3.Connection, key: str, version: int | None) -> bool:
    """Remove a record and remember its version; return whether it was there at this version."""
    found = connection.execute("SELECT v FROM records WHERE k = ?", (key,)).fetchone()
    if found is None or version not in (None, found[0]):
        return False
    connection.execute("DELETE FROM records WHERE k = ?", (key,))
    connection.execute("UPDATE highest_deleted SET version = max(version, ?)", found)
    return True


def _highest_deleted(connection: sqlite3.Connection) -> int:
    """Return the highest version of all deleted records; a new key starts above it.

    So no version of a key comes back after a deletion, and a writer who still holds one from before
    cannot overwrite the new record.
    """
    highest: int = connection.execute("SELECT version FROM highest_deleted").fetchone()[0]
    return highest


def append(connection: sqlite3.Connection, rows: list[LogRow]) -> int:
    """Append the rows that the log does not have; return how many those were."""
    if len(rows) == 1:
        return connection.execute(_APPEND, rows[0]).rowcount
    return connection.executemany(_APPEND, rows).rowcount if rows else 0


def read_log(connection: sqlite3.Connection, profile_id: str) -> list[LogEntry]:
    """Return the entries of one profile in the order of appending."""
    rows = connection.execute(
        f"SELECT {_LOG_COLUMNS} FROM log WHERE profile = ? ORDER BY id",
        (profile_value(profile_id),),
    )
    return [log_entry(row) for row in rows]


def logged(
    connection: sqlite3.Connection, profile_id: str, message_keys: Iterable[int]
) -> set[int]:
    """Return those of the messages that the log of a profile holds."""
    values = json.dumps([message_value(key) for key in message_keys])
    rows = connection.execute(
        "SELECT message FROM log WHERE profile = ? AND message IN (SELECT value FROM json_each(?))",
        (profile_value(profile_id), values),
    )
    return {message % _TWO_64 for (message,) in rows}


def last_log_id(connection: sqlite3.Connection) -> int:
    """Return the id of the newest entry, 0 for an empty log."""
    last: int = connection.execute("SELECT coalesce(max(id), 0) FROM log").fetchone()[0]
    return last


def log_page(
    connection: sqlite3.Connection, after: int, last: int, limit: int
) -> list[tuple[int, LogEntry]]:
    """Return at most `limit` entries with their ids, above `after` and up to and with `last`."""
    rows = connection.execute(
        f"SELECT {_LOG_COLUMNS}, id FROM log WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
        (after, last, limit),
    )
    return [(row[6], log_entry(row[:6])) for row in rows]


def delete_log_page(
    connection: sqlite3.Connection, profile_id: str, version: int | None, limit: int
) -> int:
    """Remove at most `limit` entries of one profile, the oldest first; return how many.

    If a version is given, none unless the profile's key has it.
    """
    if version is not None:
        found = connection.execute("SELECT v FROM records WHERE k = ?", (profile_id,)).fetchone()
        if version != (found[0] if found else 0):
            return 0
    return connection.execute(
        "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE profile = ? ORDER BY id LIMIT ?)",
        (profile_value(profile_id), limit),
    ).rowcount


def trim_page(
    connection: sqlite3.Connection, after: int, before_ms: int, newest: int, limit: int
) -> tuple[int, int]:
    """Look at `limit` entries above the id `after` and remove those that are too old or too many.

    Returns (last id looked at, or 0 where the log ends here; number of removed entries).
    """
    last, doomed = doomed_page(connection, after, before_ms, newest, limit)
    connection.executemany("DELETE FROM log WHERE id = ?", [(log_id,) for log_id in sorted(doomed)])
    return last, len(doomed)


def doomed_page(
    connection: sqlite3.Connection, after: int, before_ms: int, newest: int, limit: int
) -> tuple[int, set[int]]:
    """Return what `trim_page` returns, with the ids of the entries that it would remove."""
    rows: list[tuple[int, bytes | str, int]] = connection.execute(
        "SELECT id, profile, arrival FROM log WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
    doomed = {log_id for log_id, _, arrival_ms in rows if arrival_ms < before_ms}
    doomed.update(_beyond_newest(connection, rows, newest))
    return (rows[-1][0] if len(rows) == limit else 0), doomed


def _beyond_newest(
    connection: sqlite3.Connection, rows: list[tuple[int, bytes | str, int]], newest: int
) -> Iterable[int]:
    by_profile: dict[bytes | str, list[int]] = {}
    for log_id, profile, _ in rows:
        by_profile.setdefault(profile, []).append(log_id)
    for profile, log_ids in by_profile.items():
        # Counting stops as soon as the answer is known. The plus keeps SQLite from walking the
        # whole table by id where the profile's part of the index is short.
        (present,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM log WHERE profile = ? AND +id >= ? LIMIT ?)",
            (profile, log_ids[0], newest + len(log_ids)),
        ).fetchone()
        yield from log_ids[: max(0, present - newest)]


def seen_page(connection: sqlite3.Connection, after: int, limit: int) -> list[tuple[int, str, int]]:
    """Return (rowid, key, when last seen) of at most `limit` records above the rowid `after`."""
    return connection.execute(
        "SELECT rowid, k, seen FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, limit)
    ).fetchall()
