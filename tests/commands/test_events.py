"""Events of one visitor are read from three forms, and what is wrong has a place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.commands.events import read_events
from edgewise.errors import InputError

PAGE = b'{"type":"page"}'
BUY = b'{"type":"track","event":"buy"}'
BODY = b'{"events": [' + PAGE + b", " + BUY + b"]}"


def saved(folder: Path, data: bytes) -> Path:
    """A file of some bytes."""
    path = folder / "events.json"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BODY, id="body"),
        pytest.param(b"[" + PAGE + b",\n" + BUY + b"]\n", id="list"),
        pytest.param(PAGE + b"\n\n" + BUY + b"\n", id="lines"),
        pytest.param(b"\xef\xbb\xbf" + PAGE + b"\r\n" + BUY, id="lines of an editor"),
    ],
)
def test_events_come_in_three_forms(tmp_path: Path, data: bytes) -> None:
    """Each form gives the same events, as they were written."""
    assert read_events(saved(tmp_path, data)) == [PAGE, BUY]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(PAGE + b'\n\n{"type":"dance"}', ", line 3: type: unknown event", id="line"),
        pytest.param(PAGE + b'\n{"type":"page"\n', ", line 2: not JSON at", id="no JSON"),
        pytest.param(PAGE + b"\n[]\n", ", line 2: expected an object", id="no object"),
        pytest.param(PAGE + b"\n\xff", ", line 2: not UTF-8", id="no UTF-8"),
        pytest.param(
            b"[" + PAGE + b',{"type":"track"}]', ", event 2: event: expected a string", id="list"
        ),
        pytest.param(BODY.replace(b"page", b"fly"), ", event 1: type: unknown event", id="body"),
        pytest.param(b'{"type":"dance"}', ": type: unknown event type", id="one event"),
        pytest.param(b"[" + PAGE, ": no events can be read: Input data was", id="half a list"),
        pytest.param(b"[" * 100_000, ": no events can be read", id="bottomless"),
        pytest.param(b"", ": there are no events in it", id="nothing"),
        pytest.param(
            b'{"type":"page","anonymousId":"a"}\n{"type":"page","anonymousId":"b"}',
            ': these are the events of several visitors (anonymousId "a", "b"); leave those of one',
            id="two visitors",
        ),
        pytest.param(
            b"\n".join(b'{"type":"page","profileId":"p%d"}' % number for number in range(5)),
            ': these are the events of several visitors (profileId "p0", "p1" and 3 more);',
            id="five visitors",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, data: bytes, message: str) -> None:
    """The message names the file, and the line or the event in it."""
    path = saved(tmp_path, data)
    with pytest.raises(InputError) as caught:
        read_events(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_one_visitor_may_be_named_in_any_way(tmp_path: Path) -> None:
    """Events may name their visitor or not, as long as they name no other one."""
    lines = [PAGE, b'{"type":"page","anonymousId":"a","profileId":"p"}'] * 2
    assert read_events(saved(tmp_path, b"\n".join(lines))) == lines
