"""Sessions: when one starts, continues and stays as it is, and what the answer says about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from edgewise.asgi.wire import wire_session
from edgewise.model.event import Page
from edgewise.model.profiles import LandingPage, Profile, Session
from edgewise.sessions import _session_id, fold_session

START_MS = 1_700_000_000_000
MINUTE_MS = 60_000


def make_profile(profile_id: str = "p") -> Profile:
    return Profile(
        organization="o", environment="main", id=profile_id, stable_id=profile_id, created_ms=0
    )


def fold_minutes(*minutes: float) -> Session:
    profile = make_profile()
    for minute in minutes:
        fold_session(profile, START_MS + round(minute * MINUTE_MS), None)
    return profile.session


@pytest.mark.parametrize(
    ("minutes", "count"),
    [
        pytest.param((0,), 1, id="first event"),
        pytest.param((0, 29), 1, id="short break"),
        pytest.param((0, 30), 1, id="exactly thirty minutes"),
        pytest.param((0, 30 + 1 / MINUTE_MS), 2, id="one millisecond more"),
        pytest.param((0, 31), 2, id="long break"),
        pytest.param((0, 20, 40, 60), 1, id="the break counts from the last event"),
        pytest.param((0, 31, 62), 3, id="three sessions"),
        pytest.param((0, -31), 1, id="late event"),
        pytest.param((0, 25, 5, 40), 1, id="a late event does not move the end back"),
    ],
)
def test_a_session_ends_after_more_than_thirty_minutes(
    minutes: tuple[float, ...], count: int
) -> None:
    """Only a break of more than thirty minutes after the last event starts a new session."""
    assert fold_minutes(*minutes).count == count


def test_a_first_event_at_time_zero_starts_one_session() -> None:
    """Whether there is a session is told by its count, not by its times."""
    profile = make_profile()
    fold_session(profile, 0, None)
    fold_session(profile, 0, None)
    assert (profile.session.count, profile.session.started_ms) == (1, 0)


def test_a_late_event_leaves_the_session_as_it_is() -> None:
    """A late event neither ends, moves nor renames a session, and its page lands nowhere."""
    profile = make_profile()
    fold_session(profile, START_MS, Page(path="/first"))
    fold_session(profile, START_MS + 40 * MINUTE_MS, Page(path="/second"))
    before = repr(profile)
    fold_session(profile, START_MS + MINUTE_MS, Page(path="/late"))
    assert repr(profile) == before


def active_s(session: Session) -> int:
    """How long the active session has lasted, as clients read it."""
    return wire_session(session).active_session_length


def average_s(session: Session) -> float:
    """How long a session lasts, as clients read it."""
    return wire_session(session).average_session_length


def test_lengths_cover_all_sessions_but_no_breaks() -> None:
    """The average counts the active session and every earlier one, never the time between."""
    session = fold_minutes(0, 10, 50, 54, 100, 101.5)
    assert session.closed_ms == (10 + 4) * MINUTE_MS
    assert active_s(session) == 90
    assert average_s(session) == (600 + 240 + 90) / 3


def test_the_average_may_be_fractional() -> None:
    """Lengths add up in milliseconds, so the average keeps its fraction."""
    session = Session(count=10, closed_ms=18_763_000 - 1_605_000, started_ms=0, last_ms=1_605_000)
    assert (active_s(session), average_s(session)) == (1605, 1876.3)


def test_the_active_length_is_cut_to_whole_seconds() -> None:
    """A part of a second does not count for the active length."""
    assert active_s(Session(count=1, started_ms=0, last_ms=1_999)) == 1


def test_a_profile_without_events_has_no_lengths() -> None:
    """Before the first event both lengths are zero."""
    assert (active_s(Session()), average_s(Session())) == (0, 0.0)


def test_each_session_has_the_page_it_began_on() -> None:
    """The landing page is that of the first event of the active session."""
    profile = make_profile()
    landing_pages = []
    for minute, path in ((0, "/a"), (5, "/b"), (60, "/c"), (61, "/d")):
        fold_session(profile, START_MS + minute * MINUTE_MS, Page(path=path))
        landing_pages.append(profile.session.landing_page.path)
    assert landing_pages == ["/a", "/a", "/c", "/c"]


def test_a_landing_page_is_complete() -> None:
    """Members that the page lacks are empty, because clients refuse null."""
    profile = make_profile()
    fold_session(profile, START_MS, Page(path="/p", query={"utm_source": "g"}, url="https://x/p"))
    assert profile.session.landing_page == LandingPage(
        path="/p", query={"utm_source": "g"}, referrer="", search="", url="https://x/p"
    )


def test_a_session_that_starts_without_a_page_forgets_the_earlier_one() -> None:
    """A session whose first event had no page has an empty landing page."""
    profile = make_profile()
    fold_session(profile, START_MS, Page(path="/a"))
    fold_session(profile, START_MS + 31 * MINUTE_MS, None)
    assert profile.session.landing_page == LandingPage()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a", "a", id="text"),
        pytest.param("", "", id="empty text"),
        pytest.param(["a", "b"], "a", id="repeated parameter"),
        pytest.param([2, "b"], "2", id="list of number"),
        pytest.param([[True]], "true", id="list in list"),
        pytest.param([], "", id="empty list"),
        pytest.param(None, "", id="null"),
        pytest.param({"a": 1}, "", id="object"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(7, "7", id="integer"),
        pytest.param(7.0, "7", id="integral float"),
        pytest.param(0.5, "0.5", id="fraction"),
    ],
)
def test_query_values_become_texts(value: Any, text: str) -> None:
    """A landing page holds texts only, whatever the sender put into the query."""
    profile = make_profile()
    fold_session(profile, START_MS, Page(query={"q": value}))
    assert profile.session.landing_page.query == {"q": text}


def test_landing_pages_of_two_profiles_are_separate() -> None:
    """Two sessions without a page do not share one query."""
    one, other = make_profile(), make_profile()
    fold_session(one, START_MS, None)
    fold_session(other, START_MS, None)
    one.session.landing_page.query["q"] = "1"
    assert other.session.landing_page.query == {}


def test_a_session_id_is_a_uuid_of_version_four() -> None:
    """Clients take the session id for a random UUID."""
    identifier = UUID(fold_minutes(0).id)
    assert (identifier.version, identifier.variant) == (4, "specified in RFC 4122")
    assert str(identifier) == fold_minutes(0).id


def test_session_ids_differ_by_profile_count_and_start() -> None:
    """Only the same session of the same profile has the same id."""
    other = make_profile("other")
    fold_session(other, START_MS, None)
    ids = [fold_minutes(0).id, fold_minutes(0, 31).id, fold_minutes(31).id, other.session.id]
    assert len(set(ids)) == len(ids)
    assert fold_minutes(0, 5).id == fold_minutes(0).id


@given(st.lists(st.integers(0, 10**8), min_size=1))
def test_the_session_reaches_to_the_newest_event(offsets: list[int]) -> None:
    """The active session ends at the newest event folded, and no length is negative."""
    profile = make_profile()
    for offset in offsets:
        fold_session(profile, START_MS + offset, None)
    session = profile.session
    assert session.last_ms == START_MS + max(offsets)
    assert session.last_ms >= session.started_ms
    assert session.closed_ms >= 0
    assert 1 <= session.count <= len(offsets)


@pytest.mark.parametrize(
    ("profile_id", "count", "started_ms"),
    [("a" * 64, 1, START_MS), ("b" * 64, 2, START_MS), ("", 10**6, 0), ("ü", 3, 1)],
)
def test_session_id_is_a_uuid_of_the_hash(profile_id: str, count: int, started_ms: int) -> None:
    """An id is the UUID of version 4 that the bits of the hash make, as it always was."""
    session = Session(count=count, started_ms=started_ms)
    bits = xxhash.xxh3_128_intdigest(f"{profile_id} {count} {started_ms}".encode())
    assert _session_id(profile_id, session) == str(UUID(int=bits, version=4))
