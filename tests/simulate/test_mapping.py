"""Lines of other shapes become ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.errors import InputError, InvalidData
from edgewise.simulate.mapping import LineMapping, load_mapping
from edgewise.simulate.requests import Request
from edgewise.simulate.scan import Input, Scanner
from tests.simulate.worlds import MAIN, NOON_MS

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
EXPORT = PAGE.read_text("utf-8").partition("```yaml mapping\n")[2].partition("```")[0]

DEEP = b"[" * 50_000 + b"]" * 50_000


def mapped(text: str, tmp_path: Path, **line: Any) -> Any:
    """Return one line after the mapping of a text."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text, "utf-8")
    return msgspec.json.decode(load_mapping(path).apply(msgspec.json.encode(line)))


def test_export_of_a_warehouse(tmp_path: Path) -> None:
    """The mapping of the documentation makes an event of an export's line."""
    line = mapped(
        EXPORT,
        tmp_path,
        event_name="pageview",
        visitor_id="v1",
        page_url="https://shop.example/",
        props='{"cart_size": 2}',
        received_at="2026-11-01 12:00:00",
    )
    assert line["type"] == "page"
    assert line["anonymousId"] == "v1"
    assert line["context"] == {"page": {"url": "https://shop.example/"}}
    assert line["properties"] == {"cart_size": 2}
    assert line["environment"] == "demo/main"
    assert line["receivedAt"] == "2026-11-01T12:00:00+00:00"


def test_snake_case_leaves_free_names_alone(tmp_path: Path) -> None:
    """Names inside traits, properties and query are the visitor's and stay as they are."""
    line = mapped("case: snake", tmp_path, user_id="u", traits={"first_name": "A"}, sent_at=None)
    assert line == {"userId": "u", "traits": {"first_name": "A"}, "sentAt": None}


def test_snake_case_leaves_names_of_traits_alone(tmp_path: Path) -> None:
    """A patch changes the traits that the visitor has, so their names stay as they are."""
    patch = {"append": {"last_seen": "a"}, "unappend": {"old_tags": 1}, "unset": ["first_name"]}
    line = mapped("case: snake", tmp_path, trait_patch=patch, batch=[{"trait_patch": patch}])
    assert line == {"traitPatch": patch, "batch": [{"traitPatch": patch}]}


def test_dots_reach_into_objects(tmp_path: Path) -> None:
    """A source with dots is a path, unless a column has just that name."""
    text = "fields: {a: in.x, b: in.y}"
    line = mapped(text, tmp_path, **{"in": {"x": 1, "y": 2}, "in.y": 3})
    assert (line["a"], line["b"]) == (1, 3)


def test_line_leaves_nothing_in_the_mapping(tmp_path: Path) -> None:
    """The same line gives the same result each time, although its constants are replaced in it."""
    path = tmp_path / "mapping.yaml"
    text = "{constants: {properties: {x: {y: a}}}, values: {properties.x.y: {a: b, b: c}}}"
    path.write_text(text, "utf-8")
    mapping = load_mapping(path)
    lines = [mapping.apply(b"{}") for _ in range(3)]
    assert lines == [b'{"properties":{"x":{"y":"b"}}}'] * 3


def test_targets_of_one_source_are_apart(tmp_path: Path) -> None:
    """What is put into one member is not put into another one that came from the same source."""
    text = "{fields: {properties: in, traits: in, out: in.a}, constants: {properties.a.x: 1}}"
    line = mapped(text, tmp_path, **{"in": {"a": {"z": 0}}})
    untouched = {"a": {"z": 0}}
    assert line["properties"] == {"a": {"z": 0, "x": 1}}
    assert (line["traits"], line["in"], line["out"]) == (untouched, untouched, untouched["a"])


@pytest.mark.parametrize(
    ("form", "value", "time"),
    [
        pytest.param("seconds", 1793534400.25, 1793534400250, id="seconds"),
        pytest.param("milliseconds", "1793534400250", 1793534400250.0, id="text-of-milliseconds"),
    ],
)
def test_numbers_as_times(tmp_path: Path, form: str, value: Any, time: float) -> None:
    """Seconds and texts of numbers become numbers of milliseconds."""
    assert mapped(f"times: {form}", tmp_path, timestamp=value) == {"timestamp": time}


@pytest.mark.parametrize(
    ("form", "value"),
    [
        pytest.param("%Y-%m-%d %H:%M", "2026-11-01 10:00", id="utc"),
        pytest.param("%Y-%m-%d %H:%M %z", "2026-11-01 12:00 +0200", id="offset"),
        pytest.param("on %d.%m.%y at %I %p", "on 01.11.26 at 10 AM", id="words"),
    ],
)
def test_texts_as_times(tmp_path: Path, form: str, value: str) -> None:
    """A time is UTC unless its text tells an offset."""
    line = mapped(f'times: "{form}"', tmp_path, sentAt=value)
    assert datetime.fromisoformat(line["sentAt"]) == datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mapping", "data", "reason"),
    [
        pytest.param(LineMapping(), b"[1]", "one request, not a list$", id="no-object"),
        pytest.param(LineMapping(), b"{", "^not JSON at character 1", id="not-json"),
        pytest.param(LineMapping(), b'{"a":"\xff"}', "not UTF-8", id="not-utf-8"),
        pytest.param(LineMapping(case="snake"), b'{"a":%s}' % DEEP, "nested deeper", id="deep"),
        pytest.param(LineMapping(json=["p"]), b'{"p":"{"}', "^p: not JSON", id="column-is-no-json"),
        pytest.param(LineMapping(json=["p"]), b'{"p":"%s"}' % DEEP, "^p: nested", id="deep-column"),
        pytest.param(
            LineMapping(times="seconds"), b'{"sentAt":"now"}', "sentAt: .*no time", id="no-time"
        ),
        pytest.param(
            LineMapping(times="milliseconds"), b'{"sentAt":"inf"}', "no time", id="infinite-time"
        ),
    ],
)
def test_line_that_does_not_fit(mapping: LineMapping, data: bytes, reason: str) -> None:
    """A line that the mapping cannot read is broken, with the reason."""
    with pytest.raises(InvalidData, match=reason):
        mapping.apply(data)


def test_broken_line_ends_nothing(tmp_path: Path) -> None:
    """Lines that nobody can read are left out and counted, and the others are taken."""
    path = tmp_path / "events.ndjson"
    good = b'{"type":"page","anonymousId":"a","receivedAt":%d}' % NOON_MS
    path.write_bytes(b"\n".join([good, b'{"type":"\xff"}', b'{"a":%s}' % DEEP, good]))
    source = Input(
        paths=(str(path),), environments=(MAIN,), environment=MAIN, mapping=LineMapping()
    )
    taken: list[Request] = []
    scanned = Scanner(source, taken.extend).run()
    assert ([record.line for record, _ in taken], scanned.broken) == ([1, 4], 2)
    assert [(one.line, one.reason) for one in scanned.broken_lines] == [
        (2, "not UTF-8"),
        (3, "nested deeper than 64 levels"),
    ]


def test_line_is_repaired_as_without_mapping() -> None:
    """Half a surrogate pair becomes U+FFFD and an integer beyond 64 bits a float."""
    data = rb'{"a":"\ud800","b":100000000000000000000,"c":"{\"d\":\"\\ud800\"}"}'
    line = LineMapping(json=["c"]).apply(data)
    assert msgspec.json.decode(line) == {"a": "\ufffd", "b": 1e20, "c": {"d": "\ufffd"}}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(
            "columns: {}",
            '#/columns: unknown key "columns" '
            "(known are: case, json, fields, constants, values, times)",
            id="unknown-key",
        ),
        pytest.param(
            "field: {}",
            '#/field: unknown key "field" (did you mean "fields"?)',
            id="misspelt-key",
        ),
        pytest.param("[a]", ": a mapping must be an object, not a list", id="no-object"),
        pytest.param("case: camel", '#/case: unknown case "camel" (write snake)', id="case"),
        pytest.param(
            "times: second",
            '#/times: "second" is no form of times (did you mean "seconds"?)',
            id="times",
        ),
        pytest.param(
            'times: "%Y-%Q"',
            '#/times: "%Y-%Q" is no form of times (write a strptime format with a year)',
            id="unknown-directive",
        ),
        pytest.param(
            'times: "%H:%M"',
            '#/times: "%H:%M" is no form of times (write a strptime format with a year)',
            id="no-year",
        ),
        pytest.param(
            'times: "%Y %Y"',
            '#/times: "%Y %Y" is no form of times (write a strptime format with a year)',
            id="repeated-directive",
        ),
        pytest.param("json: p", '#/json: "json" must be a list, not a text', id="json"),
        pytest.param("json: [{}]", '#/json/0: "json" must be a text, not an object', id="column"),
        pytest.param(
            "fields: {a.b: 1}",
            '#/fields/a.b: "a.b" must be a text, not a number (put it in quotes: "1")',
            id="source",
        ),
        pytest.param(
            "fields: {1: a}",
            '#/fields/1: "member name" must be a text, not a number (put it in quotes: "1")',
            id="target",
        ),
        pytest.param(
            "constants: {a: {null: 1}}",
            '#/constants/a/None: "member name" must be a text, not null',
            id="constant",
        ),
        pytest.param(
            "values: {type: {true: page}}",
            '#/values/type/True: "member name" must be a text, not a boolean (put it in quotes)',
            id="value",
        ),
        pytest.param(
            "values: {type: page}",
            '#/values/type: "type" must be an object, not a text',
            id="values",
        ),
        pytest.param(
            "values:\n  type: {a: b}\n  type: {c: d}",
            ': the key "type" stands here twice in line 3, column 3',
            id="repeated-key",
        ),
        pytest.param(
            "case: snake\nfields: [", ": did not find expected node content in line", id="no-yaml"
        ),
    ],
)
def test_faulty_mapping_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    """A mapping that says something unknown is refused with the place, before anything is read."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        load_mapping(path)
    assert refused.value.message.startswith(f"{path}{fault}")


def test_every_fault_of_a_mapping_is_told(tmp_path: Path) -> None:
    """A line each, so that all can be mended at once."""
    path = tmp_path / "mapping.yaml"
    path.write_text("{case: camel, times: 1, values: [], colour: red}", "utf-8")
    with pytest.raises(InputError) as refused:
        load_mapping(path)
    faults = refused.value.message.splitlines()
    assert [fault.partition("#")[2].partition(":")[0] for fault in faults] == [
        "/colour",
        "/case",
        "/times",
        "/values",
    ]


def test_mapping_is_read_as_rules_are(tmp_path: Path) -> None:
    """The words on, off, yes and no are texts, and an empty key says nothing."""
    text = "constants: {country: no}\nvalues: {type: {on: page}}\nfields:\n"
    assert mapped(text, tmp_path, type="on") == {"type": "page", "country": "no"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param(b"case: \xff", "'utf-8' codec", id="not-utf-8"),
        pytest.param(b"case: \x00", "unacceptable character", id="control-character"),
    ],
)
def test_unreadable_mapping_is_named(tmp_path: Path, data: bytes | None, reason: str) -> None:
    """A mapping that is not there, or is no text, is named with the reason."""
    path = tmp_path / "nope.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError) as refused:
        load_mapping(path)
    assert refused.value.message.startswith(f"{path}: {reason}")
