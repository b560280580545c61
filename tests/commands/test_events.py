"""Requests are read from recorded lines, a list or a body, and what is wrong has a place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from edgewise.commands.events import Recording, read_recording
from edgewise.errors import InputError

MAIN, OTHER = "shop/main", "shop/other"
PAGE = b'{"type":"page"}'
BUY = b'{"type":"track","event":"buy"}'
BODY = b'{"events": [' + PAGE + b", " + BUY + b"]}"
NOON = "2026-11-01T12:00:00Z"
NOON_MS = 1_793_534_400_000


def read(folder: Path, data: bytes) -> Recording:
    """What a file of some bytes holds."""
    path = folder / "events.json"
    path.write_bytes(data)
    return read_recording(str(path), [MAIN, OTHER], MAIN)


def in_each_form(*events: dict[str, Any]) -> list[bytes]:
    """The same events as a list and as lines."""
    return [json.dumps(events).encode(), b"\n".join(json.dumps(one).encode() for one in events)]


@pytest.mark.parametrize(
    ("data", "requests"),
    [
        pytest.param(BODY, [[PAGE, BUY]], id="body"),
        pytest.param(BODY.replace(b" ", b"\n"), [[PAGE, BUY]], id="body in lines"),
        pytest.param(b"[" + PAGE + b",\n" + BUY + b"]\n", [[PAGE, BUY]], id="list"),
        pytest.param(PAGE + b"\n\n" + BUY + b"\n", [[PAGE], [BUY]], id="lines"),
        pytest.param(b"\xef\xbb\xbf" + PAGE + b"\r\n" + BUY, [[PAGE], [BUY]], id="of an editor"),
        pytest.param(BODY + b"\n" + PAGE, [[PAGE, BUY], [PAGE]], id="bodies as lines"),
        pytest.param(PAGE, [[PAGE]], id="one event"),
        pytest.param(b'{\n"type":"page"}', [[b'{\n"type":"page"}']], id="one event in lines"),
        pytest.param(gzip.compress(PAGE + b"\n" + BUY), [[PAGE], [BUY]], id="gzip"),
    ],
)
def test_requests_come_in_three_forms(
    tmp_path: Path, data: bytes, requests: list[list[bytes]]
) -> None:
    """A line is a request of its own, a list or a body is one; events are as they were written."""
    found = read(tmp_path, data)
    assert [record.events for record in found.records] == requests
    assert {(one.name, one.arrival_ms, one.environment) for one in found.records} == {("", 0, MAIN)}
    assert (found.parts, found.broken) == (len(requests), 0)


def test_long_requests_are_divided(tmp_path: Path) -> None:
    """A body or a list of more events than one request takes is several, with its members."""
    events = [{"type": "page", "messageId": str(number)} for number in range(450)]
    body = {"profileId": "p", "receivedAt": NOON, "environment": OTHER, "events": events}
    found = read(tmp_path, json.dumps(body).encode()).records
    assert [len(record.events) for record in found] == [200, 200, 50]
    assert {(one.name, one.arrival_ms, one.environment) for one in found} == {("p", NOON_MS, OTHER)}
    assert [len(one.events) for one in read(tmp_path, json.dumps(events).encode()).records] == [
        200,
        200,
        50,
    ]


def test_recorded_events_stand_alone_in_a_list_too(tmp_path: Path) -> None:
    """What tells when it was received, or whose it is, is a request of its own in each form."""
    one = {"type": "page", "profileId": "a", "receivedAt": NOON, "environment": OTHER}
    for data in in_each_form(one, {"type": "page"}):
        first, second = read(tmp_path, data).records
        assert (first.name, first.arrival_ms, first.environment) == ("a", NOON_MS, OTHER)
        assert (second.name, second.arrival_ms, second.environment) == ("", 0, MAIN)


def test_a_batch_is_divided_by_visitors(tmp_path: Path) -> None:
    """Events of several visitors in one body stand alone, and have what stands beside them."""
    events = [{"type": "page", "anonymousId": name} for name in "ab"]
    body: dict[str, Any] = {"receivedAt": NOON, "events": events}
    found = read(tmp_path, json.dumps(body).encode()).records
    assert [(one.name, one.arrival_ms) for one in found] == [("a", NOON_MS), ("b", NOON_MS)]
    (whole,) = read(tmp_path, json.dumps({**body, "profileId": "p"}).encode()).records
    assert (whole.name, len(whole.events)) == ("p", 2)
    nobody = [{"type": "page", "anonymousId": name} for name in (None, "", "a")]
    (whole,) = read(tmp_path, json.dumps({"events": nobody}).encode()).records
    assert (whole.name, len(whole.events)) == ("a", 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(PAGE + b'\n\n{"type":"dance"}', ", line 3: type: unknown event", id="line"),
        pytest.param(PAGE + b'\n{"type":"page"\n', ", line 2: not JSON at", id="no JSON"),
        pytest.param(
            PAGE + b"\n[]\n",
            ", line 2: a line is one event or one request, not a list",
            id="no object",
        ),
        pytest.param(PAGE + b"\n\xff", ", line 2: not UTF-8", id="no UTF-8"),
        pytest.param(
            PAGE + b'\n{"type":"page","receivedAt":"noon"}',
            ', line 2: receivedAt: "noon" is no time (write it like 2026-11-01T12:00:00Z)',
            id="no time",
        ),
        pytest.param(
            PAGE + b'\n{"type":"page","environment":"shop/dev"}',
            ', line 2: the rules have no environment "shop/dev"',
            id="no environment",
        ),
        pytest.param(b'{"type":"dance"}', ": type: unknown event type", id="one event"),
        pytest.param(
            b'[{"type":"page","receivedAt":1793534400000},{"type":"dance"}]',
            ", event 2: type: unknown event type",
            id="a recorded list",
        ),
    ],
)
def test_broken_lines_are_told_with_their_place(tmp_path: Path, data: bytes, message: str) -> None:
    """The message names the file, and the line or the event in it; the others are read."""
    found = read(tmp_path, data)
    assert found.first_broken.startswith(f"{tmp_path / 'events.json'}{message}")
    assert (found.broken, len(found.records)) == (1, found.parts - 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            b"[" + PAGE + b',{"type":"track"}]', ", event 2: event: expected a string", id="list"
        ),
        pytest.param(BODY.replace(b"page", b"fly"), ", event 1: type: unknown event", id="body"),
        pytest.param(b"[" + PAGE, ": no events can be read: Input data was", id="half a list"),
        pytest.param(b"[" * 100_000, ": no events can be read", id="bottomless"),
        pytest.param(b"", ": there are no events in it", id="nothing"),
        pytest.param(b"\n \n", ": there are no events in it", id="empty lines"),
        pytest.param(gzip.compress(PAGE)[:-9], ": Compressed file ended before", id="half a gzip"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    """What breaks the whole is an error that names the file, and the event in it."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    assert str(caught.value).startswith(f"{tmp_path / 'events.json'}{message}")
