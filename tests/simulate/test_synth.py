"""Synthetic traffic is exact in number, the same for a seed, and believable."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from edgewise.decoding import decode_event
from edgewise.receiving import parse_time
from edgewise.simulate.synth import DEFAULT_START_MS, Traffic, synthesize

DAY_MS = 86_400_000
SOME = Traffic(profiles=1_500, events=12_000, seed=4, days=14)


def test_same_seed_same_bytes() -> None:
    """A seed gives one traffic, and another seed another."""
    first, again = list(synthesize(SOME)), list(synthesize(SOME))
    other = list(synthesize(Traffic(profiles=1_500, events=12_000, seed=5, days=14)))
    assert first == again != other


@pytest.mark.parametrize(
    ("profiles", "events", "days"),
    [
        pytest.param(1, 0, 1, id="nothing"),
        pytest.param(1, 1, 1, id="one"),
        pytest.param(3, 500, 1, id="few-visitors"),
        pytest.param(5_000, 700, 3, id="few-events"),
    ],
)
def test_number_of_events_is_exact(profiles: int, events: int, days: int) -> None:
    """There are as many lines as asked for, and never more visitors."""
    lines = list(synthesize(Traffic(profiles=profiles, events=events, seed=1, days=days)))
    names = {msgspec.json.decode(one)["anonymousId"] for one in lines}
    assert len(lines) == events
    assert len(names) <= profiles


@pytest.mark.parametrize("seed", range(4))
def test_traffic_does_not_end_in_a_burst(seed: int) -> None:
    """What sessions fall short of, which comes after the last day, is next to nothing."""
    lines = list(synthesize(Traffic(profiles=4_000, events=30_000, seed=seed, days=30)))
    end_ms = DEFAULT_START_MS + 30 * DAY_MS
    arrivals = [parse_time(msgspec.json.decode(one)["receivedAt"]) or 0 for one in lines]
    assert sum(time_ms >= end_ms for time_ms in arrivals) < len(lines) // 50
    assert arrivals[-1] > end_ms - DAY_MS


def test_traffic_is_what_a_shop_has() -> None:
    """Events are valid and in order, within their days, busier by evening than by night, with
    logins on second devices, purchases, sticky views, late and repeated events."""
    events = [decode_event(one) for one in synthesize(SOME)]
    heads = [msgspec.json.decode(one) for one in synthesize(SOME)]
    arrivals = [parse_time(one["receivedAt"]) or 0 for one in heads]
    assert all(first <= second for first, second in pairwise(arrivals))
    assert arrivals[0] >= DEFAULT_START_MS
    assert arrivals[-1] <= DEFAULT_START_MS + 14 * DAY_MS + DAY_MS // 24
    hours = Counter(time_ms // 3_600_000 % 24 for time_ms in arrivals)
    assert hours[20] > 4 * hours[3]
    devices: dict[str, set[str]] = {}
    for event in events:
        if event.type == "identify":
            devices.setdefault(event.user_id or "", set()).add(event.anonymous_id or "")
    assert max(map(len, devices.values())) > 1
    assert {"page", "track", "identify", "component"} == {event.type for event in events}
    assert {"add_to_cart", "purchase"} == {event.event for event in events if event.event}
    ids = Counter(event.message_id for event in events)
    assert max(ids.values()) == 2
    assert any(one["timestamp"] < one["receivedAt"] for one in heads)
