"""What a record remembers of the messages that it has counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.merging import KEPT_MESSAGE_KEYS, MESSAGE_KEY_BYTES
from edgewise.messages import may_be_forgotten, remember, unseen
from edgewise.model.event import Event, ReceivedEvent
from edgewise.model.profiles import Profile
from edgewise.receiving import receive
from tests.serving import NOW_MS, track, update_of

KEYS = st.integers(0, 2**64 - 1)


def make_profile() -> Profile:
    return Profile(organization="o", environment="main", id="p", stable_id="p", created_ms=0)


def received(key: int, claimed_ms: int = 0) -> ReceivedEvent:
    return ReceivedEvent(Event(type="page"), 0, key, b"{}", claimed_ms)


def test_new_record_has_seen_nothing() -> None:
    """All events are new to a record without messages."""
    events = [received(1), received(2)]
    assert unseen(make_profile(), events) == events


def test_remembered_messages_are_seen() -> None:
    """Exactly the messages that a record remembers are left out, and the order stays."""
    profile = make_profile()
    remember(profile, [received(3), received(1)])
    events = [received(key) for key in (4, 3, 2, 1)]
    assert [event.message_key for event in unseen(profile, events)] == [4, 2]


@given(st.lists(KEYS, min_size=2, max_size=6), st.integers(1, 7))
def test_neighbours_are_no_message(keys: list[int], shift: int) -> None:
    """Bytes of two neighbouring messages that read like a third are not taken for it."""
    profile = make_profile()
    remember(profile, [received(key) for key in keys])
    straddling = int.from_bytes(profile.message_ids[shift : shift + MESSAGE_KEY_BYTES], "big")
    expected = [] if straddling in keys else [received(straddling)]
    assert unseen(profile, [received(straddling)]) == expected


def test_oldest_messages_are_forgotten() -> None:
    """A record keeps the newest 256 messages, in 8 bytes each, and tells which had to go."""
    profile = make_profile()
    gone = b"".join(
        remember(profile, [received(key), received(key + 1)]) for key in range(0, 300, 2)
    )
    assert gone == b"".join(key.to_bytes(MESSAGE_KEY_BYTES, "big") for key in range(44))
    assert len(profile.message_ids) == KEPT_MESSAGE_KEYS * MESSAGE_KEY_BYTES == 2048
    new = unseen(profile, [received(key) for key in range(300)])
    assert [event.message_key for event in new] == list(range(44))


def test_nothing_new_leaves_the_record() -> None:
    """Remembering no messages changes nothing."""
    profile = make_profile()
    remember(profile, [received(1, claimed_ms=5)])
    before = profile.message_ids
    remember(profile, [])
    assert (profile.message_ids, profile.newest_claim_ms) == (before, 5)


def test_record_with_room_has_forgotten_nothing() -> None:
    """Until a record is full an event that it has not seen is new, whatever it claims."""
    profile = make_profile()
    remember(profile, [received(key, claimed_ms=9) for key in range(255)])
    assert not may_be_forgotten(profile, received(999))
    assert not may_be_forgotten(profile, received(999, claimed_ms=1))


@pytest.mark.parametrize(
    ("claimed_ms", "forgotten"),
    [
        pytest.param(8, True, id="older"),
        pytest.param(9, True, id="same"),
        pytest.param(10, False, id="newer"),
        pytest.param(0, True, id="none"),
    ],
)
def test_full_record_asks_what_an_event_claims(claimed_ms: int, forgotten: bool) -> None:
    """An event that claims a later time than all counted ones cannot be one of them."""
    profile = make_profile()
    remember(profile, [received(0, claimed_ms=9), *(received(key) for key in range(1, 256))])
    assert may_be_forgotten(profile, received(999, claimed_ms)) == forgotten


TIMES = st.none() | st.integers(-10 * 60_000, 10 * 60_000)


@given(
    events=st.lists(st.tuples(TIMES, TIMES, st.integers(0, 60_000)), min_size=1, max_size=12),
    later_ms=st.integers(-60_000, 3_600_000),
)
def test_no_resend_passes_for_new(
    events: list[tuple[int | None, int | None, int]], later_ms: int
) -> None:
    """Whatever times its events claim and whatever the clock says by then, a full record never
    takes a message that it has counted and forgotten for a new one."""
    profile = make_profile()
    arrival_ms = NOW_MS
    bodies = []
    for timestamp, original, pause_ms in events:
        arrival_ms += pause_ms
        times: dict[str, Any] = {"timestamp": None, "sentAt": arrival_ms}
        if timestamp is not None:
            times["timestamp"] = arrival_ms + timestamp
        if original is not None:
            times["originalTimestamp"] = arrival_ms + original
        bodies.append(track(**times))
        remember(profile, receive(update_of(bodies[-1]), "p", arrival_ms))
    remember(profile, [received(key) for key in range(KEPT_MESSAGE_KEYS)])
    for body in bodies:
        again = {**body, "sentAt": arrival_ms + later_ms}
        (event,) = receive(update_of(again), "p", arrival_ms + later_ms)
        assert unseen(profile, [event]) == [event]
        assert may_be_forgotten(profile, event)


def test_absurd_claims_fit_into_a_record() -> None:
    """A claim that no record could hold counts as the latest there is."""
    profile = make_profile()
    events = receive(update_of(track(timestamp=1e300), track(timestamp="9999-12-31")), "p", NOW_MS)
    remember(profile, events)
    assert profile.newest_claim_ms < 2**63
    assert [event.claimed_ms <= profile.newest_claim_ms for event in events] == [True, True]
