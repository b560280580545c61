"""What browsers report of components is taken as it comes, or refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgewise.errors import InvalidData
from edgewise.ingest.insights import MAX_INTERACTIONS, MAX_VISITS, Visit, decode_visits

VIEW = {"type": "component", "componentId": "c"}
CLICK = {"type": "component_click", "componentId": "c"}
HOVER = {"type": "component_hover", "componentId": "c", "hoverId": "h", "hoverDurationMs": 12.5}


def visits_of(*events: Any, **members: Any) -> list[Visit]:
    """The visits of a body with one item."""
    item = {"profile": {"id": "p"}, "events": list(events), **members}
    return decode_visits(json.dumps([item]).encode())


def refusal_of(body: Any) -> str:
    """Why a body is refused."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(InvalidData) as raised:
        decode_visits(text)
    return str(raised.value)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(VIEW, id="view"),
        pytest.param({**VIEW, "componentType": "Variable"}, id="variable"),
        pytest.param(
            {
                **VIEW,
                "componentType": "Entry",
                "experienceId": "e",
                "variantIndex": 1,
                "viewId": "v",
                "viewDurationMs": 2000,
            },
            id="view with all members",
        ),
        pytest.param({**VIEW, "experienceId": None, "variantIndex": None}, id="nulls"),
        pytest.param({**VIEW, "variantIndex": 1.0}, id="index as a float"),
        pytest.param(CLICK, id="click"),
        pytest.param(HOVER, id="hover"),
        pytest.param({**VIEW, "more": {"a": [1, {}]}}, id="unknown members"),
    ],
)
def test_events_are_kept_as_sent(event: dict[str, Any]) -> None:
    """Every kind of event is accepted, and its JSON is that of the request."""
    (visit,) = visits_of(event)
    assert visit.name == "p"
    (raw,) = visit.update.raws
    assert json.loads(raw) == event


def test_items_keep_their_order_and_empty_ones_are_left_out() -> None:
    """Each item is one visit; an item without events tells nothing."""
    items = [
        {"profile": {"id": "a", "traits": {"x": 1}}, "events": [VIEW, CLICK]},
        {"profile": {"id": "b"}, "events": []},
        {"profile": {"id": "c"}, "events": [HOVER]},
    ]
    found = decode_visits(b"\xef\xbb\xbf" + json.dumps(items).encode())
    assert [(visit.name, len(visit.update.events)) for visit in found] == [("a", 2), ("c", 1)]
    assert decode_visits(b"[]") == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({"events": []}, "body: expected an array", id="an object"),
        pytest.param(b"", "body: expected an array", id="nothing"),
        pytest.param(b"[{", "body: not JSON", id="half of it"),
        pytest.param(b'[{"a":"\xff"}', "body: not JSON", id="other than UTF-8"),
        pytest.param([1], "[0]: expected an object", id="a number for an item"),
        pytest.param([{"events": []}], "[0].profile: expected an object", id="no profile"),
        pytest.param(
            [{"profile": "p", "events": []}], "[0].profile: expected an object", id="profile text"
        ),
        pytest.param(
            [{"profile": {}, "events": []}],
            "[0].profile.id: expected a string that is not empty",
            id="no id",
        ),
        pytest.param(
            [{"profile": {"id": 5}, "events": []}],
            "[0].profile.id: expected a string that is not empty",
            id="id a number",
        ),
        pytest.param(
            [{"profile": {"id": "a\nb"}, "events": []}],
            "[0].profile.id: expected no control characters",
            id="id with a control character",
        ),
        pytest.param([{"profile": {"id": "p"}}], "[0].events: expected an array", id="no events"),
        pytest.param(
            [{"profile": {"id": "p"}, "events": {}}],
            "[0].events: expected an array",
            id="events an object",
        ),
        pytest.param(
            [{"profile": {"id": "p"}, "events": [VIEW]}, {"profile": {"id": "q"}, "events": [5]}],
            "[1].events[0]: expected an object",
            id="an event a number",
        ),
    ],
)
def test_bodies_of_another_shape_are_refused(body: Any, message: str) -> None:
    """The message names the item that is at fault."""
    assert refusal_of(body) == message


@pytest.mark.parametrize(
    ("event", "message"),
    [
        pytest.param(
            {"type": "page"},
            "type: expected component, component_click or component_hover",
            id="a page",
        ),
        pytest.param({"type": "wink"}, "type: unknown event type", id="an unknown type"),
        pytest.param({"componentId": "c"}, "type: required", id="no type"),
        pytest.param(
            {"type": "component"}, "componentId: expected a string that is not empty", id="no id"
        ),
        pytest.param(
            {**CLICK, "componentId": ""},
            "componentId: expected a string that is not empty",
            id="empty id",
        ),
        pytest.param(
            {**HOVER, "componentId": 5}, "componentId: expected a string", id="id a number"
        ),
        pytest.param(
            {**VIEW, "componentType": "Page"},
            "componentType: expected Entry or Variable",
            id="an unknown kind of component",
        ),
        pytest.param(
            {**VIEW, "experienceId": ""},
            "experienceId: expected a string that is not empty",
            id="empty experience",
        ),
        pytest.param(
            {**VIEW, "variantIndex": -1}, "variantIndex: expected a whole number from 0", id="-1"
        ),
        pytest.param(
            {**VIEW, "variantIndex": 0.5}, "variantIndex: expected a whole number from 0", id="0.5"
        ),
        pytest.param(
            {**VIEW, "variantIndex": 10**30},
            "variantIndex: expected a whole number from 0",
            id="a huge index",
        ),
        pytest.param({**VIEW, "variantIndex": True}, "variantIndex: expected a number", id="true"),
        pytest.param(
            {**VIEW, "viewId": 7}, "viewId: expected a string that is not empty", id="view a number"
        ),
        pytest.param(
            {**VIEW, "viewDurationMs": "2 s"},
            "viewDurationMs: expected a number of milliseconds",
            id="duration a text",
        ),
        pytest.param(
            {**VIEW, "viewDurationMs": -5},
            "viewDurationMs: expected a number of milliseconds",
            id="negative duration",
        ),
        pytest.param(
            {**HOVER, "hoverId": None},
            "hoverId: expected a string that is not empty",
            id="hover without id",
        ),
        pytest.param(
            {**HOVER, "hoverDurationMs": None},
            "hoverDurationMs: expected a number of milliseconds",
            id="hover without duration",
        ),
        pytest.param(
            {**VIEW, "messageId": 5}, "messageId: expected a string", id="message id a number"
        ),
    ],
)
def test_events_of_another_shape_are_refused(event: Any, message: str) -> None:
    """The message names the item, the event and the member."""
    first = {"profile": {"id": "p"}, "events": [VIEW]}
    second = {"profile": {"id": "q"}, "events": [CLICK, event]}
    assert refusal_of([first, second]) == f"[1].events[1].{message}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'[{"profile":{"id":"\\ud800"},"events":[]}]', id="id"),
        pytest.param(
            b'[{"profile":{"id":"p"},"events":[{"type":"component","componentId":"c",'
            b'"viewId":"\\ud800"}]}]',
            id="view",
        ),
        pytest.param(
            b'[{"profile":{"id":"p"},"events":[{"type":"component","componentId":"c",'
            b'"viewDurationMs":1e999}]}]',
            id="infinite duration",
        ),
        pytest.param(b"[" * 3000 + b"]" * 3000, id="nested without end"),
        pytest.param(
            b'[{"profile":{"id":"p"},"events":[{"type":"component","componentId":"c","x":'
            + b"[" * 70
            + b"]" * 70
            + b"}]}]",
            id="nested too deep",
        ),
    ],
)
def test_what_the_log_could_not_give_back_is_refused(body: bytes) -> None:
    """Texts and numbers that no JSON may hold, and endless nesting, are the sender's fault."""
    assert refusal_of(body)


def test_a_request_has_limits() -> None:
    """So many events and items are taken, and one more refuses the request."""
    item = {"profile": {"id": "p"}, "events": [VIEW] * (MAX_INTERACTIONS // 2)}
    found = decode_visits(json.dumps([item, item]).encode())
    assert sum(len(visit.update.events) for visit in found) == MAX_INTERACTIONS
    message = f"[2].events: expected at most {MAX_INTERACTIONS} events in all"
    assert refusal_of([item, item, {**item, "events": [VIEW]}]) == message
    empty = {"profile": {"id": "p"}, "events": []}
    assert decode_visits(json.dumps([empty] * MAX_VISITS).encode()) == []
    assert refusal_of([empty] * (MAX_VISITS + 1)) == f"body: expected at most {MAX_VISITS} items"
