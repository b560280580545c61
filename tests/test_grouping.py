"""The events of a batch by profile."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.errors import InvalidData
from edgewise.grouping import MAX_IDENTIFIES, MAX_PROFILES, group_events
from tests.serving import identify, track, update_of


def by(name: str, **members: Any) -> dict[str, Any]:
    return track(anonymousId=name, **members)


def test_order_of_first_appearance() -> None:
    """Profiles come in the order in which they first appear, each with its events in order."""
    events = [by("b"), by("a"), by("b"), by("c"), by("a")]
    groups = group_events(update_of(*events))
    ids = {name: [event.message_id for event in one.events] for name, one in groups.items()}
    sent = [event["messageId"] for event in events]
    assert list(ids.items()) == [
        ("b", [sent[0], sent[2]]),
        ("a", [sent[1], sent[4]]),
        ("c", [sent[3]]),
    ]


def test_raws_stay_with_their_events() -> None:
    """Each group has the JSON of its own events, and the features of the request."""
    update = update_of(by("a"), by("b"), by("a"))
    groups = group_events(update)
    assert groups["a"].raws == [update.raws[0], update.raws[2]]
    assert groups["b"].raws == [update.raws[1]]


@pytest.mark.parametrize(
    ("members", "name"),
    [
        pytest.param({"anonymousId": "a", "userId": "u"}, "a", id="both"),
        pytest.param({"userId": "u"}, "u", id="only-user-id"),
        pytest.param({"anonymousId": "", "userId": "u"}, "u", id="empty-anonymous-id"),
        pytest.param({"anonymousId": None, "userId": "u"}, "u", id="null-anonymous-id"),
    ],
)
def test_name(members: dict[str, Any], name: str) -> None:
    """A profile is named by the anonymous id, and by the user id where there is no other."""
    assert list(group_events(update_of(track(**members)))) == [name]


@pytest.mark.parametrize("members", [{}, {"anonymousId": "", "userId": ""}], ids=["none", "empty"])
def test_event_without_a_name(members: dict[str, Any]) -> None:
    """An event that names nobody is refused with its index."""
    with pytest.raises(InvalidData, match=r"^events\[1\]\.anonymousId: required"):
        group_events(update_of(by("a"), track(**members)))


def test_most_profiles() -> None:
    """50 profiles are taken; the event that names one more is refused by its index."""
    events = [by(f"p{number}") for number in range(MAX_PROFILES)]
    assert len(group_events(update_of(*events, by("p0")))) == MAX_PROFILES
    with pytest.raises(InvalidData, match=r"^events\[51\]\.anonymousId: .* 50 profiles"):
        group_events(update_of(*events, by("p0"), by("one more")))


def test_most_identifies() -> None:
    """50 identify events are taken beside others; one more is refused by its index."""
    events = [{**identify("u"), "anonymousId": "a"} for _ in range(MAX_IDENTIFIES)]
    assert list(group_events(update_of(*events, by("a")))) == ["a"]
    with pytest.raises(InvalidData, match=r"^events\[51\]\.type: .* 50 identify events"):
        group_events(update_of(*events, by("a"), events[0]))
