"""The fold: what each type of event does to a profile, in one batch or in many."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.fold import FoldRules, fold_events
from edgewise.model.audience import Constant, Matcher
from edgewise.model.event import (
    TYPE_NAMES,
    Context,
    Coordinates,
    Event,
    EventLocation,
    Page,
    ReceivedEvent,
    TraitPatch,
)
from edgewise.model.profiles import Location, Profile, Session

START_MS = 1_700_000_000_000
ARRIVAL_MS = START_MS + 5
MINUTE_MS = 60_000

PAGES = Matcher(id=1, tree=Constant(True))
RECENT_TRACKS = Matcher(id=2, tree=Constant(True), window_ms=86_400_000, kept=2)

PHONE = "Mozilla/5.0 (Linux; Android 10; K) Chrome/124.0.0.0 Mobile Safari/537.36"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0.0.0 Safari/537.36"


def match_event(event: Event) -> Iterable[Matcher]:
    if event.type == "page":
        return (PAGES,)
    return (RECENT_TRACKS,) if event.type == "track" else ()


RULES = FoldRules(match_event=match_event, sticky_variants={"sticky": 3, "other": 2})


def make_profile() -> Profile:
    return Profile(organization="o", environment="main", id="p", stable_id="p", created_ms=0)


def receive(event: Event, time_ms: int = START_MS) -> ReceivedEvent:
    return ReceivedEvent(event=event, time_ms=time_ms, message_key=0, raw=b"{}")


def fold(*events: Event, profile: Profile | None = None, arrival_ms: int = ARRIVAL_MS) -> Profile:
    profile = make_profile() if profile is None else profile
    fold_events(profile, [receive(event) for event in events], RULES, arrival_ms)
    return profile


def view(experience_id: str | None, index: float | None, event_type: str = "component") -> Event:
    return Event(
        type=event_type, component_id="c", experience_id=experience_id, variant_index=index
    )


@pytest.mark.parametrize("event_type", sorted(TYPE_NAMES))
def test_every_type_touches_session_location_and_device(event_type: str) -> None:
    """An event of any type is a sign of life of a visitor somewhere on some device."""
    context = Context(page=Page(path="/p"), user_agent=PHONE, location=EventLocation(city="Berlin"))
    profile = fold(Event(type=event_type, context=context))
    assert (profile.session.count, profile.session.last_ms) == (1, START_MS)
    assert profile.session.landing_page.path == "/p"
    assert (profile.device, profile.location.city) == ("mobile", "Berlin")
    assert profile.updated_ms == ARRIVAL_MS


@pytest.mark.parametrize("event_type", ["alias", "group", "screen", "component_click"])
def test_other_types_change_nothing_else(event_type: str) -> None:
    """Types without an effect of their own leave traits, pins, tallies and identity alone."""
    event = view("sticky", 1, event_type)
    event.traits = {"plan": "pro"}
    event.user_id = "user-1"
    expected = make_profile()
    profile = fold(event)
    expected.session = profile.session
    expected.updated_ms = ARRIVAL_MS
    assert profile == expected


def test_an_event_without_context_counts() -> None:
    """Events may lack their whole context."""
    profile = fold(Event(type="track", event="e"))
    assert (profile.session.count, profile.device, profile.location) == (1, "unknown", Location())


def test_no_events_change_nothing() -> None:
    """Where all events turned out to be known, the profile stays as it is."""
    assert fold() == make_profile()


def test_every_matcher_that_an_event_satisfies_counts_it() -> None:
    """Tallies follow what the rules say of an event, with its own time where they need one."""
    profile = make_profile()
    events = [
        receive(Event(type="page"), START_MS),
        receive(Event(type="page"), START_MS + 1),
        receive(Event(type="track", event="a"), START_MS + 2),
        receive(Event(type="identify"), START_MS + 3),
    ]
    fold_events(profile, events, RULES, ARRIVAL_MS)
    assert (profile.counts, profile.recent) == ({1: 2}, {2: [START_MS + 2]})


def test_one_event_may_satisfy_several_matchers() -> None:
    """Matchers count independently of each other."""
    rules = FoldRules(match_event=lambda _: [PAGES, RECENT_TRACKS], sticky_variants={})
    profile = make_profile()
    fold_events(profile, [receive(Event(type="page"))], rules, ARRIVAL_MS)
    assert (profile.counts, profile.recent) == ({1: 1}, {2: [START_MS]})


def test_a_late_event_counts_but_does_not_touch_the_session() -> None:
    """A late event has its place in the tallies and none in the sessions."""
    profile = make_profile()
    fold_events(profile, [receive(Event(type="track"), START_MS)], RULES, ARRIVAL_MS)
    session = copy.deepcopy(profile.session)
    late = receive(Event(type="track"), START_MS - 90 * MINUTE_MS)
    fold_events(profile, [late], RULES, ARRIVAL_MS + 1)
    assert profile.recent == {2: [START_MS - 90 * MINUTE_MS, START_MS]}
    assert profile.session == session


def test_a_gap_inside_a_batch_starts_a_session_with_its_own_landing_page() -> None:
    """Session rules hold inside one request as they do between requests."""
    events = [
        receive(Event(type="page", context=Context(page=Page(path=path))), START_MS + offset)
        for path, offset in (("/a", 0), ("/b", 1), ("/c", 31 * MINUTE_MS + 1))
    ]
    profile = make_profile()
    fold_events(profile, events, RULES, ARRIVAL_MS)
    assert profile.session.count == 2
    assert profile.session.landing_page.path == "/c"
    assert profile.session.closed_ms == 1


def test_traits_merge_shallowly() -> None:
    """The latest value of a trait wins as a whole; other traits stay."""
    profile = fold(
        Event(type="identify", traits={"plan": "free", "address": {"city": "Berlin", "zip": "1"}}),
        Event(type="identify", traits={"plan": "pro", "address": {"city": "Paris"}}),
        Event(type="identify", traits={"age": 7}),
    )
    assert profile.traits == {"plan": "pro", "address": {"city": "Paris"}, "age": 7}


def test_traits_remember_when_they_were_written() -> None:
    """Each trait has the arrival time of its last write, also if the value is the same."""
    profile = fold(Event(type="identify", traits={"a": 1, "b": 1}), arrival_ms=10)
    fold(Event(type="identify", traits={"b": 1}), profile=profile, arrival_ms=20)
    assert profile.trait_times == {"a": 10, "b": 20}


@pytest.mark.parametrize("traits", [None, {}], ids=["absent", "empty"])
def test_an_identify_event_may_have_no_traits(traits: dict[str, Any] | None) -> None:
    """Identifying with a user id alone sets no trait."""
    profile = fold(Event(type="identify", user_id="u", traits=traits))
    assert (profile.traits, profile.trait_times) == ({}, {})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="null"),
        pytest.param("", id="empty text"),
        pytest.param(False, id="false"),
        pytest.param(0, id="zero"),
        pytest.param(2**63, id="large integer"),
        pytest.param([1, [2, {"a": None}]], id="nested list"),
        pytest.param({"": {"__proto__": []}}, id="odd names"),
        pytest.param("x" * 100_000, id="long text"),
        pytest.param("\u0000\U0001f600", id="odd characters"),
    ],
)
def test_any_json_value_is_a_trait(value: Any) -> None:
    """Traits are kept exactly as sent and replace an earlier value, null included."""
    profile = fold(
        Event(type="identify", traits={"t": "before"}),
        Event(type="identify", traits={"t": value}),
    )
    assert profile.traits == {"t": value}
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(profile), type=Profile)
    assert stored.traits == {"t": value}


def test_only_identify_events_set_traits() -> None:
    """Members that do not belong to a type of event have no effect."""
    assert fold(Event(type="track", traits={"a": 1})).traits == {}


def test_the_event_stays_as_it_was() -> None:
    """Folding does not change what is logged afterwards, nor tie the profile to it."""
    event = Event(type="identify", traits={"a": 1})
    profile = fold(event)
    fold(Event(type="identify", traits={"a": 2}), profile=profile)
    assert event.traits == {"a": 1}


@pytest.mark.parametrize(
    ("experience_id", "index", "assignments"),
    [
        pytest.param("sticky", 1, {"sticky": 1}, id="variant"),
        pytest.param("sticky", 0, {"sticky": 0}, id="baseline"),
        pytest.param("sticky", 2, {"sticky": 2}, id="last variant"),
        pytest.param("sticky", 1.0, {"sticky": 1}, id="integral float"),
        pytest.param("sticky", 3, {}, id="one too many"),
        pytest.param("sticky", -1, {}, id="negative"),
        pytest.param("sticky", 1.5, {}, id="fraction"),
        pytest.param("sticky", float("nan"), {}, id="NaN"),
        pytest.param("sticky", float("inf"), {}, id="infinite"),
        pytest.param("sticky", None, {}, id="no index"),
        pytest.param("unknown", 0, {}, id="unknown or not sticky"),
        pytest.param("", 0, {}, id="empty experience"),
        pytest.param(None, 0, {}, id="no experience"),
    ],
)
def test_a_view_pins_a_variant_that_exists(
    experience_id: str | None, index: float | None, assignments: dict[str, int]
) -> None:
    """Only an index that a sticky experience has is pinned; anything else is ignored."""
    profile = fold(view(experience_id, index))
    assert profile.assignments == assignments
    assert all(type(pinned) is int for pinned in profile.assignments.values())


def test_the_first_view_wins() -> None:
    """A pinned variant stays, per experience, whatever is seen later."""
    profile = fold(view("sticky", 1), view("sticky", 2), view("other", 0), view("other", 1))
    assert profile.assignments == {"sticky": 1, "other": 0}


def test_the_device_is_that_of_the_latest_event_that_names_one() -> None:
    """Events without a user agent keep the device that is known."""
    agents = [PHONE, DESKTOP, None, ""]
    profile = fold(*(Event(type="page", context=Context(user_agent=agent)) for agent in agents))
    assert profile.device == "desktop"


def test_an_unknown_user_agent_is_an_unknown_device() -> None:
    """A user agent that names no device replaces the one that was known."""
    agents = [PHONE, "curl/8.0"]
    profile = fold(*(Event(type="page", context=Context(user_agent=agent)) for agent in agents))
    assert profile.device == "unknown"


def test_profiles_share_nothing() -> None:
    """Folding into one profile does not reach another that was made the same way."""
    one, other = make_profile(), make_profile()
    context = Context(location=EventLocation(city="Berlin"))
    fold(
        Event(type="page", context=context),
        Event(type="track"),
        Event(type="identify", traits={"a": 1}),
        view("sticky", 1),
        profile=one,
    )
    assert other == make_profile()
    assert other.session == Session()


contexts = st.builds(
    Context,
    user_agent=st.sampled_from([None, "", PHONE, DESKTOP, "curl/8.0"]),
    page=st.none()
    | st.builds(
        Page,
        path=st.sampled_from(["/a", "/b"]),
        query=st.dictionaries(st.sampled_from("xy"), st.text(max_size=2) | st.integers()),
    ),
    location=st.none()
    | st.builds(
        EventLocation,
        city=st.sampled_from([None, "", "Berlin"]),
        country_code=st.sampled_from([None, "DE", "XX"]),
        coordinates=st.none() | st.just(Coordinates(latitude="1.5", longitude=2)),
    ),
)
events = st.builds(
    Event,
    type=st.sampled_from(sorted(TYPE_NAMES)),
    context=st.none() | contexts,
    traits=st.none() | st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 9)),
    experience_id=st.sampled_from([None, "sticky", "other", "unknown"]),
    variant_index=st.sampled_from([None, 0.0, 1.0, 1.5, 2.0]),
)
received_events = st.lists(st.builds(receive, events, st.integers(START_MS, START_MS + 10**7)))


def fold_in_parts(received: Sequence[ReceivedEvent], cuts: Iterable[int]) -> Profile:
    """A profile that was stored and read back after each part, as between requests."""
    profile = make_profile()
    begin = 0
    for end in [*sorted(cuts), len(received)]:
        fold_events(profile, received[begin:end], RULES, ARRIVAL_MS)
        profile = msgspec.msgpack.decode(msgspec.msgpack.encode(profile), type=Profile)
        begin = max(begin, end)
    return profile


@given(received_events, st.lists(st.integers(0, 20)))
def test_one_batch_or_many_make_the_same_profile(
    received: list[ReceivedEvent], cuts: list[int]
) -> None:
    """However events are spread over requests, the profile depends on their order alone."""
    assert fold_in_parts(received, cuts) == fold_in_parts(received, [])


@given(received_events)
def test_the_fold_is_deterministic(received: list[ReceivedEvent]) -> None:
    """Folding the same events again gives the same bytes, session ids included."""
    profiles = [make_profile(), make_profile()]
    for profile in profiles:
        fold_events(profile, copy.deepcopy(received), RULES, ARRIVAL_MS)
    first, second = [msgspec.msgpack.encode(profile) for profile in profiles]
    assert first == second


def test_a_reported_event_is_no_visit() -> None:
    """What another system reports counts and brings a location, and leaves the session alone."""
    context = Context(app={"name": "klaviyo"}, location=EventLocation(city="Oslo"))
    profile = fold(Event(type="track", context=context))
    assert profile.session == Session()
    assert profile.recent == {RECENT_TRACKS.id: [START_MS]}
    assert profile.location == Location(city="Oslo")


@pytest.mark.parametrize(
    "app",
    [None, {}, {"name": "shop"}, "klaviyo", ["klaviyo"]],
    ids=["none", "empty", "named", "text", "list"],
)
def test_any_other_application_visits(app: Any) -> None:
    """An event of the visitor's own opens a session, whatever its application calls itself."""
    assert fold(Event(type="track", context=Context(app=app))).session.count == 1


def test_a_patch_follows_the_traits_of_its_event() -> None:
    """The patch of an identify event sees the traits of the same event."""
    patch = TraitPatch(append={"likes": "b"}, unset=["gone"])
    profile = fold(Event(type="identify", traits={"likes": ["a"], "gone": 1}, trait_patch=patch))
    assert profile.traits == {"likes": ["a", "b"]}
    assert fold(Event(type="track", trait_patch=patch)).traits == {}
