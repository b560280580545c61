"""What is imported as parts of the queue, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgewise.errors import StoreCorrupt
from edgewise.importing import MAX_PART_EVENTS, decode_part, parts_of
from edgewise.model.imports import ImportedProfile
from tests.serving import NOW_MS, ORGANIZATION, event, identify, name_key, track

HEX_ID = "ab" * 32


def imported(*events: dict[str, Any], names: tuple[str, ...] = ("a",)) -> ImportedProfile:
    return ImportedProfile(names, tuple(json.dumps(one).encode() for one in events))


def lane(key: str) -> str:
    return f"{ORGANIZATION}/main\n{key}"


def test_part_comes_back() -> None:
    """A part tells its environment, its arrival, and all about the profile."""
    profile = imported(track(), identify("u"))
    (part,) = parts_of(ORGANIZATION, "main", [profile], NOW_MS)
    found = decode_part(part.data)
    assert (found.organization, found.environment) == (ORGANIZATION, "main")
    assert (found.arrival_ms, found.profile) == (NOW_MS, profile)
    assert part.queued_ms == NOW_MS


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param("a", name_key("a"), id="name"),
        pytest.param(HEX_ID, HEX_ID, id="id"),
    ],
)
def test_lane(name: str, key: str) -> None:
    """A part waits in the lane of the key under which its profile is looked for."""
    (part,) = parts_of(ORGANIZATION, "main", [imported(track(), names=(name,))], NOW_MS)
    assert part.lane == lane(key)


def test_further_keys() -> None:
    """A part is found by its further names and by the user ids that its events claim, once each."""
    profile = imported(
        identify("u"),
        event("alias", userId="v"),
        identify(""),
        identify("u"),
        identify("a"),
        track(userId="w"),
        names=("a", "b"),
    )
    (part,) = parts_of(ORGANIZATION, "main", [profile], NOW_MS)
    assert part.further_keys == tuple(lane(name_key(name)) for name in "buv")


def test_long_profile() -> None:
    """Many events of one profile become several parts of one lane, in order."""
    events = [track() for _ in range(2 * MAX_PART_EVENTS + 1)]
    parts = parts_of(ORGANIZATION, "main", [imported(*events)], NOW_MS)
    assert [part.lane for part in parts] == [lane(name_key("a"))] * 3
    shares = [decode_part(part.data).profile for part in parts]
    assert [len(share.events) for share in shares] == [MAX_PART_EVENTS, MAX_PART_EVENTS, 1]
    assert [raw for share in shares for raw in share.events] == list(imported(*events).events)
    assert {share.names for share in shares} == {("a",)}


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80"], ids=["empty", "no-msgpack", "no-part"])
def test_broken_part(data: bytes) -> None:
    """Bytes that are no part are reported as what the store has lost."""
    with pytest.raises(StoreCorrupt):
        decode_part(data)
