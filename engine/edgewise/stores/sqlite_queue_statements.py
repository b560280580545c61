"""Every statement of the import queue in the SQLite file, as functions of a connection.

A part that waits behind another of its lane has no due time. The one in front gets it when it is
queued, or when the part before it leaves the lane; so the parts that can be taken are found in one
index, however many wait behind them.

As with the other statements, a transaction around them is the caller's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from edgewise.stores import sqlite_statements as statements
from edgewise.stores.import_queue import BuriedPart, Hold, NewPart, QueueState, TakenPart
from edgewise.stores.sqlite_statements import PutRow

_HELD = "id = ? AND attempts = ? AND due > 0"
_IN_LANE = "lane = ? AND due >= 0"
_WAITING = "SELECT id, attempts + 1, data, queued FROM imports WHERE due > 0"
_OLDEST = "SELECT queued FROM imports WHERE due >= 0 ORDER BY id LIMIT 1"

# The oldest stands in front of its lane, so it has a time. The plus lets SQLite look at the index
# of these alone, and not at all parts by id, of which the first may all be buried.
_OLDEST_OF_MANY_BURIED = (
    "SELECT queued FROM imports WHERE id = (SELECT min(+id) FROM imports WHERE due > 0)"
)


def enqueue(connection: sqlite3.Connection, parts: Sequence[NewPart]) -> None:
    """Add parts at the ends of their lanes."""
    for part in parts:
        _add(connection, part, json.dumps(part.further_keys))


def _add(connection: sqlite3.Connection, part: NewPart, further_keys: str) -> None:
    added = connection.execute(
        "INSERT INTO imports (lane, due, attempts, queued, reason, keys, data) VALUES (?,"
        f" CASE WHEN EXISTS (SELECT 1 FROM imports WHERE {_IN_LANE}) THEN 0 ELSE ? END,"
        " 0, ?, '', ?, ?)",
        (part.lane, part.lane, part.queued_ms, part.queued_ms, further_keys, part.data),
    )
    for key in part.further_keys:
        connection.execute(
            "INSERT OR IGNORE INTO import_keys VALUES (?, ?)", (key, added.lastrowid)
        )


def is_any_due(connection: sqlite3.Connection, now_ms: int, latest_ms: int) -> bool:
    """Return whether there is a part to take."""
    (found,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM imports WHERE due > 0 AND due <= ?)"
        " OR EXISTS (SELECT 1 FROM imports WHERE due > 0 AND due > ?)",
        (now_ms, latest_ms),
    ).fetchone()
    return bool(found)


def take(
    connection: sqlite3.Connection, now_ms: int, lease_ms: int, limit: int, latest_ms: int
) -> list[TakenPart]:
    """Lease at most `limit` parts that are due, the oldest first; then those due too late."""
    rows = connection.execute(
        f"{_WAITING} AND due <= ? ORDER BY due, id LIMIT ?", (now_ms, limit)
    ).fetchall()
    if len(rows) < limit:
        rows += connection.execute(
            f"{_WAITING} AND due > ? ORDER BY due, id LIMIT ?",
            (max(now_ms, latest_ms), limit - len(rows)),
        ).fetchall()
    connection.executemany(
        "UPDATE imports SET due = ?, attempts = ? WHERE id = ?",
        [(now_ms + lease_ms, attempt, part_id) for part_id, attempt, _, _ in rows],
    )
    return [
        TakenPart(Hold(part_id, attempt), data, queued_ms)
        for part_id, attempt, data, queued_ms in rows
    ]


def put_held(connection: sqlite3.Connection, hold: Hold, put: PutRow, last: bool) -> int | None:
    """Write a record while a part is held, and with the last write remove the part."""
    if not is_held(connection, hold):
        return None
    version = statements.put(connection, put)
    if version is not None and last:
        acknowledge(connection, hold)
    return version


def is_held(connection: sqlite3.Connection, hold: Hold) -> bool:
    """Return whether a hold is still good."""
    found = connection.execute(
        f"SELECT 1 FROM imports WHERE {_HELD}", (hold.part_id, hold.attempt)
    ).fetchone()
    return found is not None


def acknowledge(connection: sqlite3.Connection, hold: Hold) -> bool:
    """Remove a part that is held; return whether it was."""
    if not is_held(connection, hold):
        return False
    _remove(connection, hold.part_id)
    return True


def postpone(connection: sqlite3.Connection, hold: Hold, due_ms: int) -> bool:
    """Let a part that is held be taken again from a time on; return whether it was held."""
    updated = connection.execute(
        f"UPDATE imports SET due = ? WHERE {_HELD}",
        (due_ms, hold.part_id, hold.attempt),
    )
    return updated.rowcount > 0


def bury(connection: sqlite3.Connection, hold: Hold, reason: str) -> bool:
    """Set a part that is held aside; return whether it was held."""
    updated = connection.execute(
        f"UPDATE imports SET due = -1, reason = ? WHERE {_HELD}",
        (reason, hold.part_id, hold.attempt),
    )
    if updated.rowcount:
        _advance(connection, _lane_of(connection, hold.part_id))
    return updated.rowcount > 0


def state(connection: sqlite3.Connection) -> QueueState:
    """Return how many parts wait and are buried, and since when the oldest waits."""
    (total,) = connection.execute("SELECT count(*) FROM imports").fetchone()
    (buried,) = connection.execute("SELECT count(*) FROM imports WHERE due < 0").fetchone()
    oldest = connection.execute(_OLDEST_OF_MANY_BURIED if buried else _OLDEST).fetchone()
    return QueueState(total - buried, buried, oldest[0] if oldest else 0)


def buried_page(connection: sqlite3.Connection, after: int, limit: int) -> list[BuriedPart]:
    """Return at most `limit` buried parts above an id."""
    rows = connection.execute(
        "SELECT id, attempts, queued, reason, data FROM imports WHERE due < 0 AND id > ?"
        " ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [BuriedPart(*row) for row in rows]


def revive(connection: sqlite3.Connection, part_id: int, queued_ms: int) -> bool:
    """Queue a buried part anew; return whether there was one."""
    row = connection.execute(
        "SELECT lane, data, keys FROM imports WHERE id = ? AND due < 0", (part_id,)
    ).fetchone()
    if row is None:
        return False
    lane, data, keys = row
    _remove(connection, part_id)
    _add(connection, NewPart(lane, data, queued_ms, tuple(json.loads(keys))), keys)
    return True


def drop(connection: sqlite3.Connection, part_id: int) -> bool:
    """Remove a buried part; return whether there was one."""
    found = connection.execute(
        "SELECT 1 FROM imports WHERE id = ? AND due < 0", (part_id,)
    ).fetchone()
    if found:
        _remove(connection, part_id)
    return found is not None


def queued_for(connection: sqlite3.Connection, keys: Sequence[str], until_ms: int) -> list[int]:
    """Return the ids of the parts with these lanes or further keys that were queued by a time."""
    found: set[int] = set()
    for key in keys:
        rows = connection.execute(
            "SELECT id FROM imports WHERE queued <= ? AND id IN (SELECT id FROM imports"
            " WHERE lane = ? UNION SELECT part FROM import_keys WHERE k = ?)",
            (until_ms, key, key),
        )
        found.update(part_id for (part_id,) in rows)
    return sorted(found)


def forget(connection: sqlite3.Connection, keys: Sequence[str], until_ms: int) -> int:
    """Remove the parts with these lanes or further keys that were queued by a time."""
    doomed = queued_for(connection, keys, until_ms)
    for part_id in doomed:
        _remove(connection, part_id)
    return len(doomed)


def _remove(connection: sqlite3.Connection, part_id: int) -> None:
    lane, keys = connection.execute(
        "SELECT lane, keys FROM imports WHERE id = ?", (part_id,)
    ).fetchone()
    connection.execute("DELETE FROM imports WHERE id = ?", (part_id,))
    for key in json.loads(keys):
        connection.execute("DELETE FROM import_keys WHERE k = ? AND part = ?", (key, part_id))
    _advance(connection, lane)


def _advance(connection: sqlite3.Connection, lane: str) -> None:
    """Let the part that is now in front of a lane be taken; one that was in front before stays."""
    connection.execute(
        "UPDATE imports SET due = queued WHERE due = 0 AND id ="
        f" (SELECT min(id) FROM imports WHERE {_IN_LANE})",
        (lane,),
    )


def _lane_of(connection: sqlite3.Connection, part_id: int) -> str:
    lane: str = connection.execute("SELECT lane FROM imports WHERE id = ?", (part_id,)).fetchone()[
        0
    ]
    return lane
