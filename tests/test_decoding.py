"""Request bodies → events."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.decoding import Update, decode_event, decode_object, decode_update
from edgewise.errors import InvalidData
from edgewise.model.event import TYPE_NAMES, Event, Page

REQUIRED = {"track": {"event": "e"}, "component": {"componentId": "c"}}


def body_of(*events: Any, **members: Any) -> bytes:
    """Return a body with these events and further members."""
    return json.dumps({"events": list(events), **members}).encode()


def track_body(members: str) -> bytes:
    """Return a body with one track event that has these members, written out."""
    return b'{"events":[{"type":"track","event":"e",%b}]}' % members.encode()


def event_of(members: dict[str, Any]) -> Event:
    """Return the decoded form of one event."""
    return decode_update(body_of(members)).events[0]


@pytest.mark.parametrize("kind", sorted(TYPE_NAMES))
def test_every_type_decodes_with_little_else(kind: str) -> None:
    """An event needs its type and what this type is about, nothing more."""
    assert event_of({"type": kind, **REQUIRED.get(kind, {})}).type == kind


def test_known_members_are_read() -> None:
    """What the engine reads arrives under its own name, whatever else is there."""
    event = event_of(
        {
            "type": "identify",
            "channel": "web",
            "messageId": "m",
            "timestamp": "2026-11-21T21:50:27.477Z",
            "anonymousId": "a",
            "userId": "u",
            "traits": {"plan": "pro", "n": [1, 2.5, None, {"deep": True}]},
            "context": {"library": {"name": "L", "version": "1"}, "unknown": [1], "locale": None},
        }
    )
    assert (event.message_id, event.anonymous_id, event.user_id) == ("m", "a", "u")
    assert event.traits == {"plan": "pro", "n": [1, 2.5, None, {"deep": True}]}
    assert event.context is not None
    assert event.context.library is not None
    assert (event.context.library.name, event.context.locale) == ("L", None)


def test_null_is_absent() -> None:
    """A member that is null counts as one that is not there."""
    members = dict.fromkeys(("messageId", "context", "properties", "traits", "userId", "sentAt"))
    assert event_of({"type": "group", **members}) == event_of({"type": "group"})


def test_raw_is_the_event_as_sent() -> None:
    """The log gets the bytes of each event, spaces and unknown members included."""
    first = b'{ "type":"group" ,"x":[1e400]}'
    second = b'{"type":"alias","userId":""}'
    update = decode_update(b'{"events": [ %b , %b ] }' % (first, second))
    assert update.raws == [first, second]


ONE = b'{"type":"group","messageId":"1"}'
TWO = b'{"type":"group","messageId":"2"}'


@pytest.mark.parametrize(
    ("body", "raws"),
    [
        pytest.param(b'{"events":[%b],"options":{}}' % ONE, [ONE], id="as-sdks-write"),
        pytest.param(b'{"events":[%b,%b],"options":{}}' % (ONE, TWO), [ONE, TWO], id="two"),
        pytest.param(
            b'{"events":[%b],"options":{},"events":[%b]}' % (ONE, TWO), [TWO], id="events-twice"
        ),
        pytest.param(
            b'{"events":[{"type":"group","properties":{"a":[{}],"options":{}}}]}',
            [b'{"type":"group","properties":{"a":[{}],"options":{}}}'],
            id="options-inside",
        ),
        pytest.param(
            b'{"events":[%b],"options":{"a":[{}],"options":{}}}' % ONE, [ONE], id="options-nested"
        ),
        pytest.param(b'{"events":[%b],"options":{}} ' % ONE, [ONE], id="space-behind"),
        pytest.param(b'{"options":{},"events":[%b]}' % ONE, [ONE], id="options-first"),
    ],
)
def test_every_order_of_members_is_read_alike(body: bytes, raws: list[bytes]) -> None:
    """Where the event and the options stand in a body does not change what is read."""
    assert decode_update(body).raws == raws


@pytest.mark.parametrize("rest", [b'{}"', b"{}]", b"{}} {}", b"{", b'{"features":1}}'])
def test_what_stands_behind_an_event_is_checked(rest: bytes) -> None:
    """A body is not taken for its event alone: it must be JSON to its end, of the right kind."""
    with pytest.raises(InvalidData):
        decode_update(b'{"events":[%b],"options":%b' % (ONE, rest))


def test_raw_outlives_the_body() -> None:
    """What is kept of a body is a copy, not a view of it."""
    body = body_of({"type": "group"})
    assert type(decode_update(body).raws[0]) is bytes


@pytest.mark.parametrize(
    ("options", "features"),
    [
        pytest.param({}, set(), id="empty"),
        pytest.param(None, set(), id="null"),
        pytest.param({"features": None}, set(), id="null-features"),
        pytest.param({"features": []}, set(), id="no-features"),
        pytest.param({"locale": "en", "location": {}}, set(), id="unknown-options"),
        pytest.param(
            {"features": ["location", "ip-enrichment", "new"]},
            {"location", "ip-enrichment", "new"},
            id="features",
        ),
    ],
)
def test_features(options: Any, features: set[str]) -> None:
    """The asked-for features are kept, known or not."""
    assert decode_update(body_of({"type": "group"}, options=options)).features == features


def test_identify_without_traits_has_none() -> None:
    """An identify event without traits sets no trait."""
    assert event_of({"type": "identify", "userId": "u", "traits": None}).traits == {}


@pytest.mark.parametrize(
    ("members", "page"),
    [
        pytest.param(
            {"properties": {"path": "/p", "url": "u"}}, Page(path="/p", url="u"), id="some"
        ),
        pytest.param(
            {"properties": {"query": {"a": ["1", 2, None]}, "title": "T", "search": "?a=1"}},
            Page(query={"a": ["1", 2, None]}, search="?a=1"),
            id="query",
        ),
        pytest.param(
            {"properties": {"path": 1, "referrer": ""}}, Page(referrer=""), id="no-string"
        ),
        pytest.param({"properties": {"title": "T"}}, None, id="nothing-of-a-page"),
        pytest.param({"properties": {}}, None, id="empty-properties"),
        pytest.param({}, None, id="no-properties"),
        pytest.param(
            {"properties": {"path": "/p"}, "context": {"page": {"path": "/c"}}},
            Page(path="/c"),
            id="page-in-context",
        ),
        pytest.param(
            {"properties": {"path": "/p"}, "context": {"locale": "de"}},
            Page(path="/p"),
            id="context-without-page",
        ),
    ],
)
def test_page_of_a_page_event(members: dict[str, Any], page: Page | None) -> None:
    """A page event's page is in its context, or else is taken from its properties."""
    event = event_of({"type": "page", **members})
    assert event.context is not None
    assert event.context.page == page


def test_other_events_get_no_page() -> None:
    """Only a page event is about the page that its properties describe."""
    assert event_of({"type": "track", "event": "e", "properties": {"path": "/"}}).context is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"[]", "body: expected an object", id="array"),
        pytest.param(b"", "body: expected an object, found nothing", id="nothing"),
        pytest.param(b" \n", "body: expected an object, found nothing", id="spaces"),
        pytest.param(b"{}", "events: required", id="no-events"),
        pytest.param(b'{"events":null}', "events: expected an array", id="null-events"),
        pytest.param(b'{"events":{}}', "events: expected an array", id="object-events"),
        pytest.param(b'{"events":[]}', "events: expected 1 to 200 events", id="empty-events"),
        pytest.param(b'{"events":[1],"options":[]}', "options: expected an object", id="options"),
        pytest.param(
            b'{"events":[1],"options":{"features":"location"}}',
            "options.features: expected an array",
            id="features",
        ),
        pytest.param(
            b'{"events":[1],"options":{"features":["a",1]}}',
            "options.features[1]: expected a string",
            id="feature",
        ),
        pytest.param(b'{"events":[1]}', "events[0]: expected an object", id="number-event"),
        pytest.param(b'{"events":[null]}', "events[0]: expected an object", id="null-event"),
        pytest.param(b'{"events":[{}]}', "events[0].type: required", id="no-type"),
        pytest.param(
            b'{"events":[{"type":null}]}', "events[0].type: expected a string", id="null-type"
        ),
        pytest.param(
            b'{"events":[{"type":"group"},{"type":"Page"}]}',
            "events[1].type: unknown event type",
            id="unknown-type",
        ),
        pytest.param(
            b'{"events":[{"type":"identify","traits":[]}]}',
            "events[0].traits: expected an object",
            id="traits",
        ),
        pytest.param(
            track_body('"timestamp":true'),
            "events[0].timestamp: expected a number or a string",
            id="timestamp",
        ),
        pytest.param(
            track_body('"context":{"page":{"url":1}}'),
            "events[0].context.page.url: expected a string",
            id="deep-member",
        ),
        pytest.param(
            b'{"events":[{"type":"track"}]}',
            "events[0].event: expected a string that is not empty",
            id="track-without-event",
        ),
        pytest.param(
            b'{"events":[{"type":"track","event":""}]}',
            "events[0].event: expected a string that is not empty",
            id="track-with-empty-event",
        ),
        pytest.param(
            b'{"events":[{"type":"component"}]}',
            "events[0].componentId: expected a string that is not empty",
            id="component-without-id",
        ),
        pytest.param(
            track_body('"userId":"%s"' % ("u" * 513)),
            "events[0].userId: expected at most 512 characters",
            id="long-user-id",
        ),
        pytest.param(
            track_body('"anonymousId":"a\\u0000"'),
            "events[0].anonymousId: expected no control characters",
            id="control-character",
        ),
        pytest.param(
            track_body('"properties":{"a":1e400}'),
            "events[0].properties[...]: number out of range",
            id="float-overflow",
        ),
        pytest.param(
            track_body('"properties":{"a":1%s}' % ("0" * 400)),
            "body: number out of range",
            id="integer-overflow",
        ),
        pytest.param(
            track_body('"traits":{"a":1%s}' % ("0" * 5000)),
            "events[0].traits[...]: integer value out of range",
            id="endless-integer",
        ),
        pytest.param(track_body('"a":NaN'), "body: NaN is not JSON", id="nan"),
        pytest.param(track_body('"a":-Infinity'), "body: -Infinity is not JSON", id="infinity"),
        pytest.param(
            track_body('"a":"\\ud800","traits":{"a":-1e400}'),
            "body: number out of range",
            id="float-overflow-in-a-repaired-body",
        ),
        pytest.param(b'{"events":[{"type":"\xff"}]}', "body: not UTF-8", id="not-utf-8"),
        pytest.param(
            b'{"x":"\xed\xa0\x80","events":[{"type":"group"}]}',
            "body: not UTF-8",
            id="encoded-surrogate-in-a-skipped-member",
        ),
        pytest.param(
            b'{"events":[{"type":"group"}]}x', "body: not JSON at character 29", id="tail"
        ),
    ],
)
def test_faulty_body_is_refused(body: bytes, message: str) -> None:
    """Invalid data is refused with the place and what was expected there."""
    with pytest.raises(InvalidData) as caught:
        decode_update(body)
    assert str(caught.value) == message


def test_too_many_events_are_refused() -> None:
    """The number of events is limited, and the message names the limit."""
    assert len(decode_update(body_of(*[{"type": "group"}] * 3), max_events=3).events) == 3
    with pytest.raises(InvalidData, match="1 to 3 events"):
        decode_update(body_of(*[{"type": "group"}] * 4), max_events=3)


def test_byte_order_mark_is_skipped() -> None:
    """A UTF-8 byte order mark in front of the body means nothing."""
    assert decode_update(b"\xef\xbb\xbf" + body_of({"type": "group"})).events[0].type == "group"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param('"\\ud800"', "\ufffd", id="high-half"),
        pytest.param('"a\\udc00b"', "a\ufffdb", id="low-half"),
        pytest.param('"\\ud83d\\ud83d\\ude00"', "\ufffd\U0001f600", id="half-before-pair"),
        pytest.param('"\\ude00\\ud83d"', "\ufffd\ufffd", id="wrong-order"),
        pytest.param('{"\\ud800":[1]}', {"\ufffd": [1]}, id="key"),
        pytest.param('["\\ud800",1.5,true,null]', ["\ufffd", 1.5, True, None], id="neighbours"),
        pytest.param("18446744073709551616", 18446744073709551616.0, id="beyond-unsigned"),
        pytest.param("-9223372036854775809", -9223372036854775808.0, id="beyond-signed"),
        pytest.param("[[123456789012345678901234]]", [[123456789012345678901234.0]], id="nested"),
    ],
)
@pytest.mark.parametrize("member", ["traits", "properties"])
def test_unstorable_values_are_repaired(member: str, written: str, value: Any) -> None:
    """Half surrogate pairs become U+FFFD and large integers floats, in the event and its raw."""
    update = decode_update(track_body(f'"{member}":{{"a":{written}}}'))
    (event,) = update.events
    found = event.traits if member == "traits" else event.properties
    assert found == {"a": value}
    assert json.loads(update.raws[0])[member] == {"a": value}
    assert msgspec.msgpack.encode(event)
    assert "int" not in repr(type(value))


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**53 + 1])
@pytest.mark.parametrize("neighbour", ["", '"\\ud800"'], ids=["alone", "beside-a-repair"])
def test_integers_of_64_bits_stay_exact(number: int, neighbour: str) -> None:
    """An integer that the store can hold is not touched, whatever else is repaired."""
    members = f'"properties":{{"a":{number}}}' + (f',"x":{neighbour}' if neighbour else "")
    (event,) = decode_update(track_body(members)).events
    assert event.properties == {"a": number}
    assert isinstance(event.properties["a"], int)


def test_only_the_repaired_event_is_rewritten() -> None:
    """A large integer in one event leaves the bytes of its neighbours alone."""
    fine = b'{"type" : "group"}'
    large = b'{"type":"track","event":"e","properties":{"a":99999999999999999999}}'
    update = decode_update(b'{"events":[%b,%b]}' % (fine, large))
    assert update.raws[0] == fine
    assert update.raws[1] == large.replace(b"99999999999999999999", b"1e+20")


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_depth_is_limited(opening: str) -> None:
    """64 levels of brackets pass, 65 do not; the event is the third level."""
    closing = "]" if opening == "[" else "}"
    deep = [opening * depth + "1" + closing * depth for depth in (61, 62)]
    assert len(decode_update(track_body(f'"x":{deep[0]}')).events) == 1
    with pytest.raises(InvalidData, match="nested deeper than 64 levels"):
        decode_update(track_body(f'"x":{deep[1]}'))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 99, id="plain"),
        pytest.param('\\"' + "{" * 99, id="behind-an-escaped-quote"),
        pytest.param("\\\\", id="escaped-backslash"),
    ],
)
def test_brackets_in_strings_are_no_depth(text: str) -> None:
    """Brackets inside of strings do not count, nor do brackets side by side."""
    many = ",".join("[]" for _ in range(99))
    update = decode_update(track_body(f'"properties":{{"a":"{text}","b":[{many}]}}'))
    assert update.events[0].properties == {"a": json.loads(f'"{text}"'), "b": [[]] * 99}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="only-opening"),
        pytest.param(b'{"events":[' + b'{"a":' * 50_000, id="objects"),
        pytest.param(b"[" * 65 + b'"' + b'\\"' * 300_000, id="escapes-without-end"),
        pytest.param(b"[]" * 300_000, id="many-pairs"),
    ],
)
def test_hostile_nesting_is_refused(body: bytes) -> None:
    """No nesting exhausts the stack."""
    with pytest.raises(InvalidData):
        decode_update(body)


def test_logged_event_decodes_to_the_same() -> None:
    """A raw event from the log decodes to what was received, the page included."""
    update = decode_update(
        body_of(
            {"type": "page", "properties": {"path": "/p", "n": 2**70}},
            {"type": "identify"},
        )
    )
    assert [decode_event(raw) for raw in update.raws] == update.events


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(b"{}", "event.type: required", id="no-type"),
        pytest.param(b"[" * 99, "body: nested deeper than 64 levels", id="deep"),
        pytest.param(b'{"type":"a\xff"}', "body: not UTF-8", id="not-utf-8"),
    ],
)
def test_faulty_single_event_is_refused(raw: bytes, message: str) -> None:
    """A single event is checked like one in a body."""
    with pytest.raises(InvalidData) as caught:
        decode_event(raw)
    assert str(caught.value) == message


ANY_TEXT = st.text(st.characters(codec=None), max_size=8)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
MEMBERS = (
    "type messageId timestamp originalTimestamp sentAt anonymousId userId context event name"
    " properties traits componentId componentType experienceId variantIndex"
).split()
ANY_EVENT = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(TYPE_NAMES)), "event": ANY_TEXT, "componentId": ANY_TEXT},
    optional={
        "properties": st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3),
        "traits": st.dictionaries(ANY_TEXT, ANY_JSON, max_size=3),
        "timestamp": st.floats() | st.integers() | ANY_TEXT,
        "userId": ANY_TEXT,
        "unknown": ANY_JSON,
    },
)
ANY_BODY = st.fixed_dictionaries(
    {
        "events": st.lists(
            ANY_EVENT | st.dictionaries(st.sampled_from(MEMBERS), ANY_JSON) | ANY_JSON, max_size=4
        )
    },
    optional={"options": ANY_JSON, "x": ANY_JSON},
)


def decoded_or_none(body: bytes) -> Update | None:
    """Return the update, or None where the body is refused as invalid data."""
    try:
        return decode_update(body)
    except InvalidData:
        return None


@given(st.binary() | st.binary().map(lambda part: b'{"events":[{"type":"group","a":%b}]}' % part))
def test_arbitrary_bytes_decode_or_are_invalid(body: bytes) -> None:
    """No bytes raise anything but InvalidData."""
    update = decoded_or_none(body)
    assert update is None or len(update.events) == len(update.raws) >= 1


@given(ANY_BODY | ANY_JSON, st.booleans())
def test_arbitrary_json_decodes_to_what_can_be_stored(tree: Any, ascii_only: bool) -> None:
    """Whatever JSON is accepted can be stored, logged and decoded again."""
    text = json.dumps(tree, ensure_ascii=ascii_only)
    update = decoded_or_none(text.encode(errors="surrogatepass"))
    if update is not None:
        msgspec.msgpack.encode(update.events)
        assert [decode_event(raw) for raw in update.raws] == update.events


def test_object_keeps_every_member() -> None:
    """Any JSON object is decoded whole; what the store could not hold is repaired."""
    body = b'\xef\xbb\xbf{"a":[1,{"b":null}],"big":123456789012345678901234567890,"s":"\\ud800"}'
    tree = decode_object(body)
    assert tree == {"a": [1, {"b": None}], "big": 123456789012345678901234567890.0, "s": "\ufffd"}
    assert isinstance(tree["big"], float)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"a":NaN}', b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", b'{"a":"\xff"}'],
    ids=["empty", "array", "cut", "nan", "deep", "not-utf-8"],
)
def test_no_object(body: bytes) -> None:
    """What is no JSON object is refused."""
    with pytest.raises(InvalidData):
        decode_object(body)


def test_numbers_of_a_patch_fit_into_the_store() -> None:
    """Numbers beyond 64 bits in a patch of traits become floats, as in traits."""
    event = {"type": "identify", "traitPatch": {"append": {"t": 2**70}}}
    patch = decode_event(json.dumps(event).encode()).trait_patch
    assert patch is not None
    assert patch.append == {"t": float(2**70)}
    assert isinstance(patch.append["t"], float)


RESOLVED = {"location": {"city": "Rome"}}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("$resolved", id="plain"),
        pytest.param("\\u0024resolved", id="escaped-dollar"),
        pytest.param("$\\u0072esolved", id="escaped-letter"),
        pytest.param("$joined", id="joined"),
        pytest.param("\\u0024joined", id="joined-escaped-dollar"),
        pytest.param("$join\\u0065d", id="joined-escaped-letter"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [json.dumps(RESOLVED), '[["a","b"]]', "5", "null", '"\\ud800"'],
    ids=["found", "joined", "5", "null", "half"],
)
def test_nobody_sends_what_the_engine_writes(name: str, value: str) -> None:
    """A member that only the engine writes is neither read nor kept, however it is written."""
    body = f'{{"events":[{{"type":"page","{name}":{value},"messageId":"m"}}]}}'
    for sent in (body, body[:-1] + ',"options":{}}'):
        update = decode_update(sent.encode())
        assert (update.events[0].resolved, update.events[0].joined) == (None, None)
        assert json.loads(update.raws[0]) == {"type": "page", "messageId": "m"}


def test_sent_twice() -> None:
    """A member is left out as often as it is there, beside another one too."""
    body = b'{"events":[{"$resolved":{},"type":"page","$resolved":null,"$joined":[]}]}'
    assert decode_update(body).raws == [b'{"type":"page"}']


def test_the_name_elsewhere_is_no_matter() -> None:
    """Inside of traits, and as a text, the name is as good as any; the bytes stay as sent."""
    raw = b'{"type": "identify", "traits": {"$resolved": "\\u00fc $resolved"}}'
    update = decode_update(b'{"events":[' + raw + b"]}")
    assert update.raws == [raw]
    assert update.events[0].traits == {"$resolved": "\u00fc $resolved"}


@pytest.mark.parametrize("raw", [b'["$resolved"]', b'"$resolved"', b"5"], ids=repr)
def test_no_object_is_still_refused(raw: bytes) -> None:
    """What is no object has no members to leave out."""
    with pytest.raises(InvalidData, match=r"events\[0\]: expected an object"):
        decode_update(b'{"x":"$resolved","events":[' + raw + b"]}")


def test_log_tells_what_was_found() -> None:
    """An event of the log is read with what was found out for its request."""
    event = decode_event(json.dumps({"type": "page", "$resolved": RESOLVED}).encode())
    assert event.resolved is not None
    assert event.resolved.location is not None
    assert event.resolved.location.city == "Rome"


def test_log_tells_who_was_joined() -> None:
    """An event of the log is read with the profiles that were joined before it."""
    assert decode_event(b'{"type":"page","$joined":[["b","a"]]}').joined == (("b", "a"),)
    assert decode_event(b'{"type":"page","$joined":null}').joined is None


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param("5", r"^event\.\$resolved: ", id="no-object"),
        pytest.param(
            '{"traits":{"a":1%s}}' % ("0" * 30), r"^event\.\$resolved\.traits", id="large"
        ),
    ],
)
def test_faulty_finds_in_a_log(value: str, place: str) -> None:
    """What no engine has written is told, and no store has to hold it."""
    with pytest.raises(InvalidData, match=place):
        decode_event(b'{"type":"page","$resolved":%b}' % value.encode())


@pytest.mark.parametrize("value", ["5", '["a","b"]', '[["a"]]', '[["a","b","c"]]', "[[1,2]]"])
def test_faulty_joins_in_a_log(value: str) -> None:
    """What no engine has written is told."""
    with pytest.raises(InvalidData, match=r"^event\.\$joined"):
        decode_event(b'{"type":"page","$joined":%b}' % value.encode())
