"""Recorded lines become requests, or say why not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgewise.errors import InvalidData
from edgewise.simulate.requests import LineReader, Record, update_of
from tests.simulate.worlds import MAIN, NOON_MS, OTHER

READER = LineReader([MAIN, OTHER], MAIN, 7)


def read(**members: Any) -> Record:
    """Return the request of one line."""
    return READER.read(3, msgspec.json.encode(members))[0]


def test_event_is_a_request() -> None:
    """A line of one event keeps its bytes, and names its visitor, time and place in the input."""
    data = b'{"type":"page", "messageId":"m","anonymousId":"a","receivedAt":"2026-11-01T12:00:00Z"}'
    record, update = READER.read(3, data)
    assert record == Record(MAIN, "a", NOON_MS, 7, 3, (), [data])
    assert update.raws == [data]


@pytest.mark.parametrize(
    ("members", "name"),
    [
        pytest.param({"profileId": "p", "anonymousId": "a", "userId": "u"}, "p", id="profile"),
        pytest.param({"anonymousId": "a", "userId": "u"}, "a", id="anonymous"),
        pytest.param({"userId": "u"}, "u", id="user"),
        pytest.param({"anonymousId": "", "userId": "u"}, "u", id="empty-is-none"),
        pytest.param({"events": [{"type": "page", "anonymousId": "a"}]}, "a", id="inside"),
    ],
)
def test_name_of_the_visitor(members: dict[str, Any], name: str) -> None:
    """The profile id goes before the anonymous id, and that before the user id."""
    assert read(type="page", receivedAt=NOON_MS, **members).name == name


@pytest.mark.parametrize(
    ("members", "arrival_ms"),
    [
        pytest.param({"receivedAt": NOON_MS + 5, "timestamp": NOON_MS}, NOON_MS + 5, id="received"),
        pytest.param({"timestamp": NOON_MS}, NOON_MS, id="timestamp"),
        pytest.param({"originalTimestamp": NOON_MS}, NOON_MS, id="original"),
        pytest.param(
            {"events": [{"type": "page", "timestamp": NOON_MS + n} for n in (1, 9, 4)]},
            NOON_MS + 9,
            id="latest-event",
        ),
    ],
)
def test_time_of_arrival(members: dict[str, Any], arrival_ms: int) -> None:
    """Without a time of arrival the latest time of the events stands for it."""
    assert read(type="page", profileId="p", **members).arrival_ms == arrival_ms


def test_a_line_may_be_partial_where_that_is_meant() -> None:
    """A reader of partial lines leaves name and arrival empty, and refuses what is no time."""
    reader = LineReader([MAIN], MAIN, 0, partial=True)
    for members in ({"type": "page"}, {"events": [{"type": "page"}]}):
        record, _ = reader.read(1, msgspec.json.encode(members))
        assert (record.name, record.arrival_ms, record.environment) == ("", 0, MAIN)
        with pytest.raises(InvalidData, match="there is no "):
            read(**members)
    record, _ = reader.read(1, b'{"type":"page","userId":"u","sentAt":1793534400000}')
    assert (record.name, record.arrival_ms) == ("u", NOON_MS)
    with pytest.raises(InvalidData, match='timestamp: "noon" is no time'):
        reader.read(1, b'{"type":"page","timestamp":"noon"}')


def test_user_ids_of_identifying_events() -> None:
    """Only identify and alias events tell whose profiles belong together."""
    events = [
        {"type": "page", "userId": "no"},
        {"type": "identify", "userId": "u1"},
        {"type": "alias", "userId": "u2"},
        {"type": "identify", "userId": ""},
    ]
    assert read(profileId="p", receivedAt=NOON_MS, events=events).related == ("u1", "u2")


def test_profiles_that_were_joined_belong_together() -> None:
    """A line of an exported log tells whose profiles had become one, as an event or inside."""
    event = {"type": "identify", "userId": "u", "messageId": "m", "$joined": [["b", "a"]]}
    for line in (event, {"events": [{"type": "page"}, event]}):
        assert read(profileId="a", receivedAt=NOON_MS, **line).related == ("u", "b", "a")
    with pytest.raises(InvalidData, match=r"\$joined"):
        read(profileId="a", receivedAt=NOON_MS, **event | {"$joined": [["b"]]})


def test_environment_of_the_line() -> None:
    """A line may name its environment."""
    members = {"type": "page", "profileId": "p", "receivedAt": NOON_MS}
    assert read(**members, environment=OTHER).environment == OTHER


def test_line_without_message_id_is_what_was_sent() -> None:
    """A resend without a message id is the same event, whenever it arrives and whosever it is."""
    sent = {"type": "page", "anonymousId": "a"}
    event = msgspec.json.encode(sent)
    for number in range(2):
        added = {"receivedAt": NOON_MS + number, "profileId": "p", "environment": MAIN}
        assert read(**sent, **added).events == [event]
    inside = sent | {"profileId": "q"}
    assert read(profileId="p", receivedAt=NOON_MS, events=[inside]).events == [
        msgspec.json.encode(inside)
    ]


def test_body_with_members_of_an_event_is_a_body() -> None:
    """Whatever else stands beside them, `events` are what counts."""
    inside = {"type": "track", "event": "buy", "messageId": "1"}
    found = read(type="page", messageId="m", profileId="p", receivedAt=NOON_MS, events=[inside])
    assert found.events == [msgspec.json.encode(inside)]


def test_half_a_character_is_repaired() -> None:
    """What browsers send of an emoji that was cut is taken as a service takes it."""
    line = b'{"type":"page","messageId":"m","profileId":"p","receivedAt":1793534400000,%b}'
    event = b'"properties":{"title":"\\ud83d"}'
    replaced = '"title":"\ufffd"'.encode()
    assert replaced in READER.read(1, line % event)[0].events[0]
    body = b'{"profileId":"p","receivedAt":1793534400000,"events":[{"type":"page",%b}]}'
    assert replaced in READER.read(1, body % event)[0].events[0]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param(b'{"messageId":"m",', b"}", id="event"),
        pytest.param(b"{", b"}", id="event-without-message-id"),
        pytest.param(b'{"events":[{"messageId":"m",', b"}]}", id="request"),
    ],
)
def test_events_are_checked_and_repaired(start: bytes, end: bytes) -> None:
    """What a service would repair is repaired when it is read, and what it refuses is refused."""
    members = b'"type":"page","anonymousId":"a","timestamp":1793534400000,"properties":{"n":%b}'
    form = start + members + end
    event = start.removeprefix(b'{"events":[') + members + b"}"
    assert READER.read(1, form % b"7")[0].events == [event % b"7"]
    assert b'"n":1e+30' in READER.read(1, form % (b"1" + b"0" * 30))[0].events[0]
    with pytest.raises(InvalidData, match="number out of range"):
        READER.read(1, form % b"1e999")


def test_what_was_found_is_checked_too() -> None:
    """Traits that no record can hold make a line broken, whoever wrote them."""
    line = b'{"type":"page","messageId":"m","profileId":"p","receivedAt":1793534400000,%b}'
    with pytest.raises(InvalidData, match="number out of range"):
        READER.read(1, line % b'"$resolved":{"traits":{"n":100000000000000000000}}')


@pytest.mark.parametrize("kind", ["page", "identify"])
def test_checked_events_are_decoded_alike(kind: str) -> None:
    """What is left out is filled in when an event is read, and again when it is replayed."""
    event = {"type": kind, "messageId": "m", "properties": {"path": "/news"}}
    line = msgspec.json.encode(event | {"profileId": "p", "receivedAt": NOON_MS})
    record, update = READER.read(1, line)
    (read_once,), (read_again,) = update.events, update_of(record).events
    assert (read_again.context, read_again.traits) == (read_once.context, read_once.traits)
    assert (read_again.context is not None) is (kind == "page")
    assert (read_again.traits is not None) is (kind == "identify")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b'{"type":', "^not JSON at character 8", id="not-json"),
        pytest.param(b'["page"]', "one event or one request, not a list", id="list"),
        *(
            pytest.param(data, f"^a line is one event or one request, not {kind}$", id=kind)
            for data, kind in (
                (b'"page"', "a text"),
                (b"1", "a number"),
                (b"1.5", "a number"),
                (b"true", "a boolean"),
                (b"null", "null"),
                (b" [1]", "a list"),
            )
        ),
        pytest.param(
            b'{"profileId":"p","receivedAt":[]}', "^receivedAt: expected", id="wrong-type"
        ),
        pytest.param(b'{"receivedAt":1793534400000}', "no profileId", id="nobody"),
        pytest.param(b'{"profileId":"p"}', "no receivedAt", id="no-time"),
        pytest.param(
            b'{"profileId":"p","receivedAt":"soon"}',
            r'^receivedAt: "soon" is no time \(write it like 2026-11-01T12:00:00Z\)$',
            id="bad-arrival",
        ),
        pytest.param(
            b'{"profileId":"p","timestamp":"yesterday"}',
            r'^timestamp: "yesterday" is no time \(write it like',
            id="bad-time",
        ),
        pytest.param(
            b'{"profileId":"p","events":[{"type":"page"},{"type":"page","sentAt":1793534400}]}',
            "^sentAt: 1793534400 is no time",
            id="seconds",
        ),
        pytest.param(
            b'{"profileId":"p","receivedAt":1793534400000000}', "after the year 2099", id="far-time"
        ),
        pytest.param(
            b'{"profileId":"p","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
            "nested deeper",
            id="deep",
        ),
        pytest.param(
            b'{"profileId":"p","receivedAt":1793534400000,"environment":"x/y"}',
            'no environment "x/y"',
            id="unknown-environment",
        ),
        pytest.param(
            b'{"profileId":"p","receivedAt":1793534400000,"events":[]}', "1 to 200", id="empty"
        ),
        pytest.param(
            b'{"profileId":"p","receivedAt":1793534400000,"events":[[]]}',
            r"^events\[0\]: expected an object$",
            id="list-inside",
        ),
        pytest.param(
            b'{"profileId":"p\\u0000","receivedAt":1793534400000}', "control", id="odd-id"
        ),
    ],
)
def test_broken_line_says_why(data: bytes, reason: str) -> None:
    """A line that cannot be replayed is refused with its reason."""
    with pytest.raises(InvalidData, match=reason):
        READER.read(1, data)


def test_line_without_environment_is_broken_where_there_are_several() -> None:
    """Where the rules have several environments and none was chosen, a line must name one."""
    with pytest.raises(InvalidData, match="no environment, and"):
        LineReader([MAIN, OTHER], "", 0).read(1, b'{"profileId":"p","receivedAt":1793534400000}')
