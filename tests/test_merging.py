"""What one profile becomes when another turns out to be the same visitor."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.merging import KEPT_MESSAGE_KEYS, absorb
from edgewise.messages import remember, unseen
from edgewise.model.audience import Constant, Matcher
from edgewise.model.event import Event, ReceivedEvent
from edgewise.model.profiles import LandingPage, Location, Profile, Session
from edgewise.sessions import fold_session

WINDOW = Matcher(id=2, tree=Constant(True), window_ms=1_000, kept=3)
MATCHERS = {1: Matcher(id=1, tree=Constant(True)), 2: WINDOW}


def make_profile(profile_id: str, **members: Any) -> Profile:
    common = {"organization": "o", "environment": "main", "stable_id": f"stable-{profile_id}"}
    return Profile(id=profile_id, **{"created_ms": 5, **common, **members})


def merged(survivor: Profile, loser: Profile) -> Profile:
    absorb(survivor, loser, MATCHERS)
    return survivor


def session(first_ms: int, last_ms: int, count: int = 1, closed_ms: int = 0) -> Session:
    return Session(
        id=f"session-{last_ms}",
        count=count,
        started_ms=first_ms,
        last_ms=last_ms,
        closed_ms=closed_ms,
        landing_page=LandingPage(path=f"/{first_ms}"),
    )


def test_survivor_keeps_who_it_is() -> None:
    """Id and stable_id are the survivor's, so that its variants stay; the older birth counts."""
    profile = merged(make_profile("s", created_ms=9), make_profile("l", created_ms=3))
    assert (profile.id, profile.stable_id, profile.created_ms) == ("s", "stable-s", 3)


def test_loser_stays_as_it_was() -> None:
    """The merge can be begun again from the loser's record."""
    loser = make_profile("l", traits={"a": 1}, counts={1: 2}, recent={2: [7]}, absorbed=["k"])
    before = copy.deepcopy(loser)
    merged(make_profile("s"), loser)
    assert loser == before


def test_second_time_adds_nothing() -> None:
    """A loser that was absorbed before is not added again, and nobody absorbs itself."""
    survivor = make_profile("s", session=session(1, 2), counts={1: 1})
    loser = make_profile("l", session=session(3, 4), counts={1: 1})
    once = copy.deepcopy(merged(survivor, loser))
    assert merged(survivor, loser) == once
    assert merged(survivor, copy.deepcopy(survivor)) == once


@pytest.mark.parametrize(
    ("written_ms", "value"),
    [
        pytest.param(4, "survivor", id="older"),
        pytest.param(5, "survivor", id="same-time"),
        pytest.param(6, "loser", id="newer"),
    ],
)
def test_later_write_of_a_trait_wins(written_ms: int, value: str) -> None:
    """Of two values of one trait the later written one stays, of two at once the survivor's."""
    survivor = make_profile("s", traits={"plan": "survivor", "a": 1}, trait_times={"plan": 5})
    loser = make_profile("l", traits={"plan": "loser", "b": 2}, trait_times={"plan": written_ms})
    profile = merged(survivor, loser)
    assert profile.traits == {"plan": value, "a": 1, "b": 2}
    assert profile.trait_times["plan"] == max(written_ms, 5)


@pytest.mark.parametrize("newer", ["survivor", "loser"])
def test_sessions_of_both_count(newer: str) -> None:
    """All sessions count once, and the one that was active last goes on."""
    early, late = session(10, 30, count=2, closed_ms=100), session(50, 90, count=3, closed_ms=7)
    survivor = make_profile("s", session=late if newer == "survivor" else early)
    loser = make_profile("l", session=early if newer == "survivor" else late)
    assert merged(survivor, loser).session == Session(
        id="session-90",
        count=5,
        started_ms=50,
        last_ms=90,
        closed_ms=100 + 7 + 20,
        landing_page=LandingPage(path="/50"),
    )


@pytest.mark.parametrize("empty", ["survivor", "loser"])
def test_profile_without_sessions_adds_none(empty: str) -> None:
    """Who was never seen changes nothing about the other's sessions."""
    seen = session(10, 30)
    profile = merged(
        make_profile("s", session=Session() if empty == "survivor" else seen),
        make_profile("l", session=seen if empty == "survivor" else Session()),
    )
    assert profile.session == seen


NOWHERE = Location()
BERLIN = Location(city="Berlin")
ROME = Location(city="Rome")


@pytest.mark.parametrize(
    ("loser_last_ms", "survivor_place", "loser_place", "expected"),
    [
        pytest.param(99, (BERLIN, "mobile"), (ROME, "desktop"), (ROME, "desktop"), id="newer"),
        pytest.param(1, (BERLIN, "mobile"), (ROME, "desktop"), (BERLIN, "mobile"), id="older"),
        pytest.param(
            99, (BERLIN, "mobile"), (NOWHERE, "unknown"), (BERLIN, "mobile"), id="newer-unknown"
        ),
        pytest.param(
            1, (NOWHERE, "unknown"), (ROME, "desktop"), (ROME, "desktop"), id="older-only-known"
        ),
    ],
)
def test_latest_known_place_counts(
    loser_last_ms: int,
    survivor_place: tuple[Location, str],
    loser_place: tuple[Location, str],
    expected: tuple[Location, str],
) -> None:
    """Location and device are those of the later event, unless only the other ones are known."""
    survivor = make_profile(
        "s", session=session(50, 50), location=survivor_place[0], device=survivor_place[1]
    )
    loser = make_profile(
        "l",
        session=session(loser_last_ms, loser_last_ms),
        location=loser_place[0],
        device=loser_place[1],
    )
    profile = merged(survivor, loser)
    assert (profile.location, profile.device) == expected


def test_tallies_add_up() -> None:
    """Counts add up; of the times in windows the newest are kept, as many as a rule needs."""
    survivor = make_profile("s", counts={1: 2}, recent={2: [10, 30]})
    loser = make_profile("l", counts={1: 3}, recent={2: [20, 40]})
    profile = merged(survivor, loser)
    assert (profile.counts, profile.recent) == ({1: 5}, {2: [20, 30, 40]})


def test_pins_of_the_survivor_come_first() -> None:
    """Each sticky variant that either has seen stays; where both have, the survivor's."""
    survivor = make_profile("s", assignments={"one": 1})
    loser = make_profile("l", assignments={"one": 2, "two": 0})
    assert merged(survivor, loser).assignments == {"one": 1, "two": 0}


def test_names_and_ids_of_both_belong_to_the_survivor() -> None:
    """What led to the loser, and what it had absorbed, is the survivor's from now on."""
    survivor = make_profile("s", aliases=["x"], absorbed=["a"])
    loser = make_profile("l", aliases=["y", "x"], absorbed=["b"])
    profile = merged(survivor, loser)
    assert profile.aliases == ["x", "y"]
    assert profile.absorbed == ["a", "l", "b"]


def test_what_the_log_does_not_tell_yet_is_known() -> None:
    """Who was joined to either waits for the log in the order in which it was; nobody twice."""
    survivor = make_profile("s", joined=(("a", "s"),))
    loser = make_profile("l", joined=(("b", "l"), ("c", "l")))
    expected = (("a", "s"), ("b", "l"), ("c", "l"), ("l", "s"))
    assert merged(survivor, loser).joined == expected
    assert merged(survivor, loser).joined == expected


@given(st.integers(0, 300), st.integers(0, 300))
def test_messages_of_both_are_remembered(ours: int, theirs: int) -> None:
    """The survivor remembers messages of both, its own first of all where there is no room, and
    what it claims to know at the latest is the later of both."""

    def messages(first: int, count: int) -> list[ReceivedEvent]:
        return [ReceivedEvent(Event(type="page"), 0, first + n, b"", n) for n in range(count)]

    survivor, loser = make_profile("s"), make_profile("l")
    remember(survivor, messages(0, ours))
    remember(loser, messages(1_000, theirs))
    profile = merged(survivor, loser)
    forgotten_ours = len(unseen(profile, messages(0, ours)))
    forgotten_theirs = len(unseen(profile, messages(1_000, theirs)))
    assert forgotten_ours == max(0, ours - KEPT_MESSAGE_KEYS)
    assert ours + theirs - forgotten_ours - forgotten_theirs == min(
        KEPT_MESSAGE_KEYS, min(ours, KEPT_MESSAGE_KEYS) + min(theirs, KEPT_MESSAGE_KEYS)
    )
    assert profile.newest_claim_ms == max(ours - 1, theirs - 1, 0)


TIMES = st.lists(st.integers(0, 10**8), max_size=20)


@given(st.tuples(TIMES, TIMES, TIMES))
def test_order_of_merges_does_not_matter_for_sums(times: tuple[list[int], ...]) -> None:
    """Three profiles have the same sessions and tallies in whatever order they become one."""
    profiles = []
    for name, of_profile in zip("abc", times, strict=True):
        profile = make_profile(name)
        for time_ms in sorted(of_profile):
            fold_session(profile, time_ms, None)
            profile.counts[1] = profile.counts.get(1, 0) + 1
        profiles.append(profile)
    a, b, c = copy.deepcopy(profiles)
    left = merged(merged(a, b), c)
    a, b, c = profiles
    right = merged(a, merged(b, c))
    assert left.counts == right.counts
    assert left.session.count == right.session.count
    assert left.session.last_ms == right.session.last_ms
    lengths = [
        one.closed_ms + one.last_ms - one.started_ms for one in (left.session, right.session)
    ]
    assert lengths[0] == lengths[1]
