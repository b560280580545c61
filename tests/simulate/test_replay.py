"""A replay gives what the service gives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.errors import InvalidData, NamespaceMismatch
from edgewise.simulate.counting import Counting
from edgewise.simulate.replay import Replay
from edgewise.simulate.requests import Record, received_of, update_of
from edgewise.simulate.rounds import Rounds
from edgewise.simulate.rules_input import compile_rules, read_rules
from edgewise.simulate.synth import Traffic, synthesize
from edgewise.simulate.visitors import Visitor, Visitors
from edgewise.simulate.window import make_window
from tests.simulate.worlds import (
    DAY_MS,
    DEMO_RULES,
    MAIN,
    MINUTE_MS,
    NOON_MS,
    OTHER,
    SHOP,
    line,
    records_of,
    served,
    write_rules,
)


def is_other(line: bytes) -> bool:
    """Whether a synthetic visitor is put into the second environment: one in three is."""
    return int(line.partition(b'"anonymousId":"')[2][:4], 16) % 3 == 0


class Rig:
    """Replays of all environments of a folder of rules."""

    def __init__(self, rules: Path, max_open: int = 1000) -> None:
        self.visitors = Visitors(max_open)
        self.rounds = Rounds()
        self.counting = {}
        self.replays = {}
        self.window = make_window(NOON_MS, NOON_MS + 90 * DAY_MS)
        for environment, ruleset in compile_rules(read_rules(rules)).items():
            self.counting[environment] = Counting(ruleset)
            self.replays[environment] = Replay(ruleset, self.visitors, self.counting[environment])

    def apply(self, record: Record) -> Visitor:
        """Replay one request."""
        ((_, visitor),) = self.apply_all([record])
        return visitor

    def apply_all(self, records: Sequence[Record]) -> Iterator[tuple[Record, Visitor]]:
        """Replay requests in rounds; iterate over visitors as they are right after each of them."""
        for round_ in self.rounds.divide([(record, update_of(record)) for record in records]):
            for environment, replay in self.replays.items():
                mine = [one for one in round_ if one[0].environment == environment]
                received = [(record, received_of(record, update)) for record, update in mine]
                found = replay.apply(received)
                for (record, _), visitor in zip(mine, found, strict=True):
                    if not isinstance(visitor, Visitor):
                        raise visitor
                    yield record, visitor
        self.visitors.spill()


def assert_same(rules: Path, records: list[Record], max_open: int = 1000, at_once: int = 1) -> Rig:
    """Replay and serve some requests, and compare everything after each of them."""
    rig = Rig(rules, max_open)
    outcomes = dict(zip((one.line for one in records), served(rules, records), strict=True))
    for start in range(0, len(records), at_once):
        for record, visitor in rig.apply_all(records[start : start + at_once]):
            outcome = outcomes.pop(record.line)
            variants = {one.experience_id: one.variant_index for one in outcome.decision.variants}
            assert visitor.audiences == outcome.decision.audiences
            assert visitor.variants == variants
            assert visitor.profile == outcome.profile
    assert not outcomes
    return rig


@pytest.mark.parametrize(
    ("max_open", "at_once"),
    [
        pytest.param(100_000, 2_000, id="in-memory"),
        pytest.param(200, 500, id="spilling"),
        pytest.param(100_000, 1, id="one-by-one"),
    ],
)
def test_replay_equals_the_service_on_demo_rules(
    tmp_path: Path, max_open: int, at_once: int
) -> None:
    """On 20,000 synthetic events in two environments each request gets what the service gave."""
    rules = tmp_path / "rules"
    shutil.copytree(DEMO_RULES, rules)
    write_rules(rules, {OTHER: SHOP})
    traffic = Traffic(profiles=2_500, events=20_000, seed=5, days=60)
    lines = [
        one[:-1] + b',"environment":"%s"}' % (OTHER.encode() if is_other(one) else b"demo/main")
        for one in synthesize(traffic)
    ]
    rig = assert_same(rules, records_of(lines, ("demo/main", OTHER)), max_open, at_once)
    merged = {name: sum(one.result(rig.window).merged) for name, one in rig.counting.items()}
    assert all(merged.values())
    assert any(visitor.profile.assignments for visitor in rig.visitors.all_visitors())
    rig.visitors.close()


PATHS = st.sampled_from(["/", "/news"])
EVENTS = st.one_of(
    st.builds(
        lambda path: {"type": "page", "context": {"page": {"path": path}}},
        PATHS,
    ),
    st.sampled_from(
        [
            {"type": "track", "event": "buy"},
            {"type": "identify", "userId": "u-1", "traits": {"tier": "gold"}},
            {"type": "identify", "userId": "u-2", "traits": {"tier": None}},
            {"type": "identify", "userId": "anna"},
            {"type": "alias", "userId": "u-1"},
            {"type": "identify", "userId": "a" * 64},
            {"type": "component", "componentId": "x", "experienceId": "hero", "variantIndex": 2},
            {"type": "page", "context": {"userAgent": "Mozilla/5.0 (iPhone; CPU) Mobile"}},
            {"type": "page", "context": {"location": {"countryCode": "AT"}}},
            {"type": "page", "context": {"location": {"countryCode": "DE"}}},
            {"type": "page", "$resolved": {"location": {"city": "Graz", "countryCode": "AT"}}},
            {"type": "page", "$resolved": {"location": {"countryCode": "DE"}, "device": "mobile"}},
            {"type": "track", "event": "buy", "$resolved": {"traits": {"tier": "gold"}}},
            {"type": "page", "context": {"gdpr": {"isConsentGiven": False}}},
        ]
    ),
)
REQUESTS = st.tuples(
    st.sampled_from(["anna", "ben", "cleo", "a" * 64, "u-2"]),
    st.sampled_from([0, 1, MINUTE_MS, 45 * MINUTE_MS, DAY_MS - 1, DAY_MS, DAY_MS + 1, 2 * DAY_MS]),
    st.lists(
        st.tuples(
            EVENTS,
            st.sampled_from([0, 0, 0, -MINUTE_MS, -DAY_MS, -3 * DAY_MS, MINUTE_MS]),
            st.one_of(st.none(), st.integers(0, 30)),
        ),
        min_size=1,
        max_size=3,
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    requests=st.lists(REQUESTS, min_size=1, max_size=25),
    backwards=st.booleans(),
    consent=st.sampled_from(["always", "unless refused"]),
    at_once=st.sampled_from([1, 3, 25]),
)
def test_replay_equals_the_service_on_anything(
    tmp_path_factory: pytest.TempPathFactory,
    requests: list[tuple[str, int, list[tuple[dict[str, Any], int, int | None]]]],
    backwards: bool,
    consent: str,
    at_once: int,
) -> None:
    """Merges, late and repeated events, windows and clocks that go back change nothing about it."""
    rules = tmp_path_factory.mktemp("rules")
    write_rules(rules, {MAIN: f"environment: {{data from the address: {consent}}}\n{SHOP}"})
    now_ms = NOON_MS
    lines = []
    for name, pause_ms, events in requests:
        now_ms += -pause_ms if backwards and pause_ms == DAY_MS else pause_ms
        lines.append(
            {
                "profileId": name,
                "receivedAt": now_ms,
                "events": [
                    event
                    | {"timestamp": now_ms + shift}
                    | ({} if number is None else {"messageId": f"m-{number}"})
                    for event, shift, number in events
                ],
            }
        )
    assert_same(rules, records_of(lines), at_once=at_once)


def test_window_closes_between_events(tmp_path: Path) -> None:
    """Who looked twice leaves the audience in the millisecond in which one look is too old."""
    rules = write_rules(tmp_path, {MAIN: SHOP})
    rig = Rig(rules)
    news = {"context": {"page": {"path": "/news"}}}
    for record in records_of(
        [line("a", NOON_MS, **news), line("a", NOON_MS + MINUTE_MS, messageId="2", **news)]
    ):
        visitor = rig.apply(record)
    replay = rig.replays[MAIN]
    replay.advance(visitor, NOON_MS + 2 * DAY_MS)
    assert "readers" in visitor.audiences
    replay.advance(visitor, NOON_MS + 2 * DAY_MS + 1)
    assert "readers" not in visitor.audiences
    assert rig.counting[MAIN].result(rig.window).audiences["readers"].exits[2] == 1


def test_windows_of_two_who_become_one_have_closed(tmp_path: Path) -> None:
    """Before visitors are joined both have left what they had to leave, on the day they had to."""
    rig = Rig(write_rules(tmp_path, {MAIN: SHOP}))
    news = {"context": {"page": {"path": "/news"}}}
    nine_days_ms = NOON_MS + 9 * DAY_MS
    lines = [
        line(name, NOON_MS + number, messageId=f"{name}{number}", **news)
        for name in ("a", "b")
        for number in range(2)
    ]
    lines.append(line("b", NOON_MS + 5, type="identify", userId="anna"))
    lines.append(line("a", nine_days_ms, type="identify", userId="anna"))
    for record in records_of(lines):
        rig.apply(record)
    readers = rig.counting[MAIN].result(rig.window).audiences["readers"]
    assert (readers.entries[0], readers.exits[2], sum(readers.exits)) == (2, 2, 2)
    assert sum(readers.merged) == 0


def test_forgotten_messages_are_still_known(tmp_path: Path) -> None:
    """A message that comes again after 400 others is not counted again, as with a log."""
    rules = write_rules(tmp_path, {MAIN: SHOP})
    lines = [line("a", NOON_MS + number * 1000, messageId=f"m{number}") for number in range(400)]
    lines.append(lines[3] | {"receivedAt": NOON_MS + DAY_MS})
    rig = assert_same(rules, records_of(lines))
    assert rig.replays[MAIN].duplicates == 1


def test_profile_of_another_environment_is_refused(tmp_path: Path) -> None:
    """An id that the other environment's profile has cannot be used here, as in the service."""
    rules = write_rules(tmp_path, {MAIN: SHOP, OTHER: SHOP})
    rig = Rig(rules)
    mine, foreign = records_of(
        [line("c" * 64, NOON_MS), line("c" * 64, NOON_MS, environment=OTHER)], (MAIN, OTHER)
    )
    rig.apply(mine)
    with pytest.raises(NamespaceMismatch):
        rig.apply(foreign)


def test_a_login_for_which_there_is_no_room_is_refused(tmp_path: Path) -> None:
    """Two profiles too large for one stay two, as in the service, unless the log says otherwise."""
    rig = Rig(write_rules(tmp_path, {MAIN: SHOP}))
    texts = {"a": {"first": "x" * 1_200_000}, "b": {"second": "x" * 1_200_000}}
    lines = [
        line(name, NOON_MS, type="identify", userId=name, traits=traits)
        for name, traits in texts.items()
    ]
    lines.append(line("b", NOON_MS + 1, type="identify", userId="a"))
    *known, login = records_of(lines)
    for record in known:
        rig.apply(record)
    with pytest.raises(InvalidData, match="would exceed 2 MiB"):
        rig.apply(login)
    assert rig.visitors.created == 2
