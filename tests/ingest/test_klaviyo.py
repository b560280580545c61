"""What of a request to Klaviyo's endpoints is understood, and what is refused, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgewise.ingest.klaviyo import EARLIEST_MS, names_of, parse_bulk, parse_single
from edgewise.ingest.klaviyo_model import (
    KlaviyoBlock,
    KlaviyoEvent,
    KlaviyoLocation,
    KlaviyoProfile,
)
from edgewise.model.event import TraitPatch
from tests.ingest.requests import BLOCKS, NOW_MS, block, bulk, event, metric_of, person, single

SAMPLE = Path(__file__).parent.parent / "data" / "klaviyo-sample.json"
EVENT = f"{BLOCKS}/0/attributes/events/data/0/attributes"
NO_OBJECT: Any = 1
PERSON = f"{BLOCKS}/0/attributes/profile/data"


def parsed(*blocks: dict[str, Any]) -> tuple[KlaviyoBlock, ...]:
    """The blocks of a request without a problem."""
    result = parse_bulk(bulk(*blocks), NOW_MS)
    assert result.problems == ()
    return result.blocks


def parsed_event(**attributes: Any) -> KlaviyoEvent:
    ((found,),) = [one.events for one in parsed(block(event(**attributes)))]
    return found


def parsed_person(**members: Any) -> KlaviyoProfile:
    (found,) = parsed(block(event(), profile=person(**members)))
    return found.profile


def pointers(body: dict[str, Any]) -> list[str]:
    """The places of all problems of a request in bulk."""
    return [problem.pointer for problem in parse_bulk(body, NOW_MS).problems]


def pointers_of_event(**attributes: Any) -> list[str]:
    return pointers(bulk(block(event(**attributes))))


def pointers_of_person(**members: Any) -> list[str]:
    return pointers(bulk(block(event(), profile=person(**members))))


def test_published_sample() -> None:
    """The sample as it is published is understood: placeholders for values are none."""
    result = parse_bulk(json.loads(SAMPLE.read_text("utf-8")), NOW_MS)
    assert result.problems == ()
    assert [len(one.events) for one in result.blocks] == [2, 2]
    assert result.blocks[0].events[0] == KlaviyoEvent(
        metric="<string>", service="<string>", value_currency="<string>"
    )
    assert result.blocks[1].profile.patch == TraitPatch(unset=["<string>"])


def test_published_sample_with_values() -> None:
    """The sample with values in the place of its placeholders is understood."""
    text = SAMPLE.read_text("utf-8")
    text = text.replace('"<dateTime>"', '"2026-05-06T07:08:09+02:00"').replace('"<number>"', "9.5")
    body = json.loads(text)
    for number, one in enumerate(body["data"]["attributes"]["events-bulk-create"]["data"]):
        for place, made in enumerate(one["attributes"]["events"]["data"]):
            made["attributes"]["unique_id"] = f"{number}-{place}"
    result = parse_bulk(body, NOW_MS)
    assert result.problems == ()
    first = result.blocks[0].events[0]
    assert (first.value, first.unique_id) == (9.5, "0-0")
    assert first.time_ms == 1_778_044_089_000


def test_event_has_everything() -> None:
    """Every attribute of an event is read."""
    made = parsed_event(
        properties={"a": [1, {"b": None}]},
        metric=metric_of("Viewed", service="shop"),
        time="2026-01-02T03:04:05.678Z",
        value=9.5,
        value_currency="EUR",
        unique_id="u1",
        backfill=True,
    )
    assert made == KlaviyoEvent(
        metric="Viewed",
        service="shop",
        properties={"a": [1, {"b": None}]},
        time_ms=1_767_323_045_000,
        value=9.5,
        value_currency="EUR",
        unique_id="u1",
        backfill=True,
    )


def test_null_is_absent() -> None:
    """An attribute that is null is one that is not there."""
    names = ("time", "value", "value_currency", "unique_id", "backfill", "properties")
    assert parsed_event(**dict.fromkeys(names)) == parsed_event()
    everything = dict.fromkeys(("first_name", "location", "properties", "phone_number", "_kx"))
    assert parsed_person(email="a@b.example", **everything) == parsed_person(email="a@b.example")


def test_properties_may_be_left_out() -> None:
    """An event without properties has none."""
    made = event()
    del made["attributes"]["properties"]
    ((found,),) = [one.events for one in parsed(block(made))]
    assert found.properties == {}


def test_person_has_everything() -> None:
    """Every attribute of a profile is read."""
    names = ("first_name", "last_name", "organization", "title", "image", "locale")
    texts: dict[str, Any] = {name: name for name in names}
    found = parsed_person(
        id="k",
        external_id="e",
        email="m",
        phone_number="p",
        anonymous_id="a",
        _kx="x",
        properties={"plan": "pro"},
        location={"city": "Oslo", "latitude": "59.9", "longitude": 10.7, "ip": "192.0.2.1"},
        **texts,
    )
    assert found == KlaviyoProfile(
        id="k",
        external_id="e",
        email="m",
        phone_number="p",
        anonymous_id="a",
        kx="x",
        properties={"plan": "pro"},
        location=KlaviyoLocation(city="Oslo", latitude="59.9", longitude=10.7, ip="192.0.2.1"),
        **texts,
    )


META = {
    "patch_properties": {"append": {"a": 1}, "unappend": {"b": [2]}, "unset": ["c", "d"]},
    "patch_identifiers": {"append": {"email": ["Two@b.example"]}, "unappend": {"email": "x"}},
}


def test_patches_of_a_bulk_request() -> None:
    """Patches stand beside the attributes of a profile."""
    found = parsed_person(meta=META)
    assert found.patch == TraitPatch(append={"a": 1}, unappend={"b": [2]}, unset=["c", "d"])
    assert found.further_emails == ("Two@b.example",)


@pytest.mark.parametrize("inside", [False, True], ids=["beside-attributes", "inside-attributes"])
def test_patches_of_a_single_request(*, inside: bool) -> None:
    """Patches of a single event may stand inside of the attributes too."""
    made = person()
    place = made["data"]["attributes"] if inside else made["data"]
    place["meta"] = {"patch_properties": {"unset": "c"}}
    result = parse_single(single(made), NOW_MS)
    assert result.problems == ()
    assert result.blocks[0].profile.patch == TraitPatch(unset=["c"])


def test_single_event() -> None:
    """A request with one event is a block with one event."""
    result = parse_single(single(person(external_id="e"), name="Viewed", value=1), NOW_MS)
    assert result.problems == ()
    (found,) = result.blocks
    assert found.profile.external_id == "e"
    assert found.events == (KlaviyoEvent(metric="Viewed", value=1),)


def test_names_in_order() -> None:
    """The names of a person are tried from the one that says most, each once."""
    profile = KlaviyoProfile(
        id="k",
        external_id="e",
        email=" Ann@B.example ",
        phone_number="+4912",
        anonymous_id="a",
        kx="x",
        further_emails=("ANN@b.example", "two@b.example"),
    )
    assert names_of(profile) == (
        "klaviyo:k",
        "e",
        "email:ann@b.example",
        "phone:+4912",
        "a",
        "kx:x",
        "email:two@b.example",
    )


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        pytest.param({"properties": []}, "properties", id="properties-array"),
        pytest.param({"properties": dict.fromkeys(map(str, range(401)))}, "properties", id="401"),
        pytest.param({"properties": {"a/b": "x" * 102_401}}, "properties/a~1b", id="long-string"),
        pytest.param({"properties": {"a": "é" * 51_201}}, "properties/a", id="long-bytes"),
        pytest.param({"properties": {"a": [0] * 4001}}, "properties/a", id="long-array"),
        pytest.param({"metric": None}, "metric", id="no-metric"),
        pytest.param({"metric": {"data": {}}}, "metric/data/type", id="empty-metric"),
        pytest.param({"time": "yesterday"}, "time", id="no-time"),
        pytest.param({"time": 1_700_000_000}, "time", id="number-for-time"),
        pytest.param({"time": "1990-12-31T23:59:59Z"}, "time", id="too-early"),
        pytest.param({"time": "2027-09-23T00:00:00Z"}, "time", id="too-late"),
        pytest.param({"value": "9.5"}, "value", id="text-for-value"),
        pytest.param({"value": True}, "value", id="boolean-for-value"),
        pytest.param({"value_currency": 1}, "value_currency", id="currency"),
        pytest.param({"unique_id": 1}, "unique_id", id="unique-id"),
        pytest.param({"backfill": "yes"}, "backfill", id="backfill"),
    ],
)
def test_refused_event(attributes: dict[str, Any], place: str) -> None:
    """An attribute of an event that is wrong is refused at its place."""
    assert pointers_of_event(**attributes)[:1] == [f"{EVENT}/{place}"]


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [("", False), (" ", False), ("x" * 127, True), ("x" * 128, False), (None, False), (1, False)],
    ids=["empty", "blank", "127", "128", "null", "number"],
)
def test_metric_name(name: Any, *, is_taken: bool) -> None:
    """The name of a metric is a text of fewer than 128 characters."""
    place = f"{EVENT}/metric/data/attributes/name"
    assert pointers(bulk(block(event(name)))) == ([] if is_taken else [place])


@pytest.mark.parametrize(
    ("depth", "is_taken"), [(10, True), (11, False)], ids=["ten-levels", "eleven-levels"]
)
def test_nesting(depth: int, *, is_taken: bool) -> None:
    """Ten objects or arrays may lie in each other inside of properties."""
    value: Any = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    assert (pointers_of_event(properties={"p": value}) == []) is is_taken


def test_limits_are_inclusive() -> None:
    """What just fits is taken."""
    properties: dict[str, Any] = dict.fromkeys(map(str, range(398)), 1)
    properties |= {"text": "x" * 102_400, "list": [0] * 4000}
    assert pointers_of_event(properties=properties) == []
    assert pointers_of_event(time="1991-01-01T00:00:00Z") == []
    assert parsed_event(time="1991-01-01").time_ms == EARLIEST_MS


@pytest.mark.parametrize(
    ("members", "place"),
    [
        pytest.param({"email": 1}, "attributes/email", id="email"),
        pytest.param({"external_id": "x" * 513}, "attributes/external_id", id="long-identifier"),
        pytest.param({"anonymous_id": "a\nb"}, "attributes/anonymous_id", id="control-character"),
        pytest.param({"email": "a", "first_name": []}, "attributes/first_name", id="name"),
        pytest.param({"location": "Oslo"}, "attributes/location", id="location"),
        pytest.param({"location": {"city": 1}}, "attributes/location/city", id="city"),
        pytest.param({"location": {"latitude": []}}, "attributes/location/latitude", id="degrees"),
        pytest.param({"location": {"ip": 1}}, "attributes/location/ip", id="address"),
        pytest.param({"properties": 1}, "attributes/properties", id="properties"),
        pytest.param({"meta": 1}, "meta", id="meta"),
        pytest.param(
            {"meta": {"patch_properties": {"append": []}}},
            "meta/patch_properties/append",
            id="append",
        ),
        pytest.param(
            {"meta": {"patch_properties": {"unset": [1]}}},
            "meta/patch_properties/unset",
            id="unset",
        ),
        pytest.param({"email": ""}, "attributes", id="nobody"),
    ],
)
def test_refused_person(members: dict[str, Any], place: str) -> None:
    """A member of a profile that is wrong is refused at its place."""
    assert pointers_of_person(**members)[:1] == [f"{PERSON}/{place}"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param({}, "/data", id="empty"),
        pytest.param({"data": []}, "/data", id="array"),
        pytest.param({"data": {"type": "x", "attributes": {}}}, "/data/type", id="type"),
        pytest.param(
            {"data": {"type": "event-bulk-create-job"}}, "/data/attributes", id="no-attributes"
        ),
        pytest.param(bulk(*[{}]), f"{BLOCKS}/0/type", id="empty-block"),
        pytest.param(bulk(NO_OBJECT), f"{BLOCKS}/0", id="no-block"),
        pytest.param(
            bulk(block(NO_OBJECT)),
            f"{BLOCKS}/0/attributes/events/data/0",
            id="no-event",
        ),
    ],
)
def test_refused_frame(body: dict[str, Any], place: str) -> None:
    """What a request needs around its events is required."""
    assert pointers(body)[:1] == [place]


def test_every_wrong_place_is_told() -> None:
    """Each place that is wrong is told, with the block that it lies in."""
    body = bulk(
        block(event(value="x"), event(time="x")),
        block(event()),
        block(event(unique_id=[]), profile=person(email=1)),
    )
    assert pointers(body) == [
        f"{BLOCKS}/0/attributes/events/data/0/attributes/value",
        f"{BLOCKS}/0/attributes/events/data/1/attributes/time",
        f"{BLOCKS}/2/attributes/profile/data/attributes/email",
        f"{BLOCKS}/2/attributes/profile/data/attributes",
        f"{BLOCKS}/2/attributes/events/data/0/attributes/unique_id",
    ]


def test_single_event_is_refused_at_its_place() -> None:
    """The places of a single event are those of its own form."""
    body = single(person(email=1), value="x", time="x")
    assert [problem.pointer for problem in parse_single(body, NOW_MS).problems] == [
        "/data/attributes/time",
        "/data/attributes/value",
        "/data/attributes/profile/data/attributes/email",
        "/data/attributes/profile/data/attributes",
    ]


def test_events_are_counted_over_all_blocks() -> None:
    """A thousand events are taken, however many blocks they are in, and not one more."""
    events = [event() for _ in range(500)]
    assert pointers(bulk(block(*events), block(*events))) == []
    assert pointers(bulk(block(*events), block(*events), block(event()))) == [BLOCKS]


@pytest.mark.parametrize(
    ("blocks", "places"),
    [
        pytest.param([block(event(unique_id="u"), event(unique_id="u"))], ["0/1"], id="one-block"),
        pytest.param([block(event(unique_id="u"))] * 2, ["1/0"], id="two-blocks"),
        pytest.param(
            [
                block(event(unique_id="u"), profile=person(external_id="e", email="a@b.example")),
                block(event(unique_id="u"), profile=person(email="A@b.example")),
            ],
            ["1/0"],
            id="other-identifiers",
        ),
        pytest.param(
            [
                block(event(unique_id="u"), profile=person(external_id="e")),
                block(event(unique_id="u"), profile=person(external_id="f")),
            ],
            [],
            id="other-person",
        ),
        pytest.param([block(event(unique_id="u"), event("b", unique_id="u"))], [], id="metric"),
        pytest.param([block(event(), event())], [], id="none"),
    ],
)
def test_repeated_unique_id(blocks: list[dict[str, Any]], places: list[str]) -> None:
    """A unique id may stand once in a request for the same person and metric."""
    expected = [
        f"{BLOCKS}/{index}/attributes/events/data/{place}/attributes/unique_id"
        for index, _, place in (pair.partition("/") for pair in places)
    ]
    assert pointers(bulk(*blocks)) == expected
