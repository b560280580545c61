"""Fold order, times and message keys of the events of one request."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from edgewise.decoding import Update, decode_update
from edgewise.model.event import ReceivedEvent
from edgewise.receiving import parse_time, receive, receive_again

ARRIVAL_MS = 1_795_297_827_477
REACT = {"library": {"name": "Ninetailed React Analytics SDK", "version": "7.26.0"}}


def update_of(*events: dict[str, Any]) -> Update:
    """Return the decoded update of these events, `track` events if they name no type."""
    full = [{"type": "track", "event": "e", **event} for event in events]
    return decode_update(msgspec.json.encode({"events": full}))


def received_of(*events: dict[str, Any]) -> list[ReceivedEvent]:
    """Return what is received for these events."""
    return receive(update_of(*events), "p", ARRIVAL_MS)


def names_of(*events: dict[str, Any]) -> str:
    """Return the names of the received events, joined."""
    return "".join(str(item.event.event) for item in received_of(*events))


def at(offset_ms: int, name: str = "e", **members: Any) -> dict[str, Any]:
    """Return an event that long after the arrival."""
    return {"event": name, "timestamp": ARRIVAL_MS + offset_ms, **members}


@pytest.mark.parametrize(
    ("value", "time_ms"),
    [
        pytest.param("2026-11-21T21:50:27.477Z", 1_795_297_827_477, id="utc"),
        pytest.param("2026-11-21T21:50:27.477", 1_795_297_827_477, id="no-offset-is-utc"),
        pytest.param("2026-11-21T23:50:27.477+02:00", 1_795_297_827_477, id="offset"),
        pytest.param("2026-11-21T21:50:27.4779999Z", 1_795_297_827_477, id="long-fraction"),
        pytest.param("2026-11-21T21:50:27Z", 1_795_297_827_000, id="no-fraction"),
        pytest.param(1_795_297_827_477, 1_795_297_827_477, id="number"),
        pytest.param(1_795_297_827_477.9, 1_795_297_827_477, id="fractional-number"),
        pytest.param("2000-01-01T00:00:00Z", 946_684_800_000, id="earliest"),
        pytest.param("1999-12-31T23:59:59.999Z", None, id="too-early"),
        pytest.param(1_795_297_827, None, id="seconds"),
        pytest.param(-1, None, id="negative"),
        pytest.param("0001-01-01T00:00:00+23:59", None, id="before-all-time"),
        pytest.param("9999-12-31T23:59:59-23:59", 253_402_387_139_000, id="end-of-time"),
        pytest.param("", None, id="empty"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("2026-13-01T00:00:00Z", None, id="thirteenth-month"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_time_is_parsed(value: str | float | None, time_ms: int | None) -> None:
    """A time stamp is ISO 8601 text or a number of milliseconds, from the year 2000 on."""
    assert parse_time(value) == time_ms


@given(st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.datetimes().map(str))
def test_any_value_is_a_time_or_none(value: str | float) -> None:
    """No text and no number makes parsing a time fail."""
    time_ms = parse_time(value)
    assert time_ms is None or time_ms >= 946_684_800_000


@pytest.mark.parametrize(
    ("members", "time_ms"),
    [
        pytest.param({"timestamp": ARRIVAL_MS - 1, "sentAt": ARRIVAL_MS - 3}, -1, id="timestamp"),
        pytest.param(
            {"originalTimestamp": ARRIVAL_MS - 2, "sentAt": ARRIVAL_MS - 3}, -2, id="original"
        ),
        pytest.param({"sentAt": ARRIVAL_MS - 3}, -3, id="sent-at"),
        pytest.param({"timestamp": "?", "sentAt": ARRIVAL_MS - 3}, -3, id="unparsable"),
        pytest.param({"timestamp": 12, "sentAt": ARRIVAL_MS - 3}, -3, id="absurd"),
        pytest.param({}, 0, id="arrival"),
        pytest.param({"timestamp": ARRIVAL_MS + 60_000}, 60_000, id="tolerated"),
        pytest.param({"timestamp": ARRIVAL_MS + 60_001}, 0, id="too-late"),
        pytest.param({"timestamp": 1e300}, 0, id="far-future"),
    ],
)
def test_time_of_an_event(members: dict[str, Any], time_ms: int) -> None:
    """The first time that makes sense counts, and a clock may be one minute ahead."""
    assert received_of(members)[0].time_ms == ARRIVAL_MS + time_ms


@pytest.mark.parametrize(
    ("events", "names"),
    [
        pytest.param([at(-1, "a"), at(-3, "b"), at(-2, "c")], "bca", id="by-time"),
        pytest.param([at(0, "a"), at(0, "b"), at(0, "c")], "abc", id="equal-times"),
        pytest.param(
            [at(0, "a", context=REACT), at(0, "b", context=REACT), at(-9, "c", context=REACT)],
            "cba",
            id="newest-first-library",
        ),
        pytest.param([at(0, "a"), at(0, "b"), at(-9, "c")], "cba", id="falling-times"),
        pytest.param([at(-9, "a"), at(0, "b"), at(0, "c")], "abc", id="rising-times"),
        pytest.param([at(0, "a"), at(0, "b"), at(-9, "c"), at(-8, "d")], "cdab", id="mixed-times"),
        pytest.param([at(99_003, "a"), at(99_002, "b")], "ba", id="clock-ahead"),
        pytest.param([at(99_002, "a"), at(0, "b"), at(99_001, "c")], "bca", id="clock-jumps"),
    ],
)
def test_fold_order(events: list[dict[str, Any]], names: str) -> None:
    """Events fold by time, ties as the sender queues."""
    assert names_of(*events) == names


def test_nothing_is_received_from_nothing() -> None:
    """An update without events yields none."""
    assert receive(Update([], []), "p", ARRIVAL_MS) == []


def test_message_key_is_the_hash_of_the_id() -> None:
    """The key of a message id does not depend on anything else."""
    first = received_of(at(0, messageId="ü-1"))[0]
    assert first.message_key == xxh3_64_intdigest("ü-1".encode())


def test_first_of_equal_message_ids_stays() -> None:
    """Of events with one message id the first in fold order is kept."""
    assert names_of(at(0, "late", messageId="m"), at(-5, "early", messageId="m")) == "early"


@pytest.mark.parametrize("members", [{}, {"messageId": ""}, {"messageId": None}])
def test_content_stands_in_for_a_missing_id(members: dict[str, Any]) -> None:
    """Without a message id the same content is one message, other content or time another."""
    assert names_of(at(0, "a", **members), at(0, "a", **members), at(-1, "a", **members)) == "aa"


def test_content_key_holds_profile_content_and_time() -> None:
    """The key of an event without an id is made of profile, content and time."""
    update = update_of(at(-7))
    received = receive(update, "p", ARRIVAL_MS)[0]
    time = str(ARRIVAL_MS - 7).encode()
    assert received.message_key == xxh3_64_intdigest(b"p\0" + update.raws[0] + b"\0" + time)


@given(st.lists(st.integers(-100_000, 200_000), min_size=1, max_size=12), st.booleans())
def test_received_times_rise_and_nothing_is_lost(offsets: list[int], react: bool) -> None:
    """Whatever the times, each event comes once, in time order, not later than tolerated."""
    context = REACT if react else {}
    events = [
        at(offset, str(index), messageId=str(index), context=context)
        for index, offset in enumerate(offsets)
    ]
    received = received_of(*events)
    times = [item.time_ms for item in received]
    assert times == sorted(times)
    assert max(times, default=-math.inf) <= ARRIVAL_MS + 60_000
    assert sorted(int(str(item.event.event)) for item in received) == list(range(len(offsets)))


def test_log_is_received_as_it_was() -> None:
    """Events of the log are what they were when they came: in order, time, key and claimed time."""
    sent = [at(0, "b", context=REACT), at(0, "a"), at(-7, "c"), {"event": "d"}, at(10**9, "e")]
    before = received_of(*sent)
    update = Update([item.event for item in before], [item.raw for item in before])
    logged = [(item.message_key, item.time_ms) for item in before]
    # The log does not tell where they stood in their request, and nobody asks again.
    assert receive_again(update, logged) == [
        msgspec.structs.replace(item, place=0) for item in before
    ]
    assert [item.claimed_ms for item in before if item.event.event == "d"] == [0]
