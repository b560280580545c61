"""What rule parsers share: places, hints and typed reading."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from edgewise.errors import Fault
from edgewise.parsing import MAX_DEPTH, FaultList, closest, kind_of, pointer_join, quote_hint


def codes(faults: FaultList) -> list[tuple[str, str]]:
    return [(fault.code, fault.pointer) for fault in faults.faults]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        pytest.param((), "/a", id="nothing"),
        pytest.param(("b", 0), "/a/b/0", id="name-and-position"),
        pytest.param(("x/y", "~1"), "/a/x~1y/~01", id="escapes"),
        pytest.param(("",), "/a/", id="empty-name"),
    ],
)
def test_pointer_join(parts: tuple[str | int, ...], pointer: str) -> None:
    """A pointer is extended as RFC 6901 says."""
    assert pointer_join("/a", *parts) == pointer


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("trafic", 'did you mean "traffic"?', id="slip"),
        pytest.param("Traffic", 'did you mean "traffic"?', id="case"),
        pytest.param("inlinevariable", 'did you mean "InlineVariable"?', id="case-of-the-known"),
        pytest.param("zzz", "", id="nothing-near"),
        pytest.param("", "", id="empty"),
    ],
)
def test_closest(name: str, hint: str) -> None:
    """The nearest known name is suggested, and none where nothing is near."""
    assert closest(name, ["traffic", "audience", "InlineVariable"]) == hint


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "a text"),
        ({}, "an object"),
        ([], "a list"),
        (dt.date(2024, 1, 1), "a date"),
    ],
    ids=str,
)
def test_kind_of(value: Any, kind: str) -> None:
    """Kinds of values are named in an author's words."""
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (dt.date(2024, 1, 1), 'put it in quotes: "2024-01-01"'),
        (12, 'put it in quotes: "12"'),
        (True, "put it in quotes"),
        ([], ""),
        (None, ""),
    ],
    ids=str,
)
def test_quote_hint(value: Any, hint: str) -> None:
    """What YAML reads as another type is to be put in quotes; what is no text at all is not."""
    assert quote_hint(value) == hint


def test_fault_carries_its_context() -> None:
    """A fault names the file, the place and what is affected."""
    faults = FaultList("rules/demo.yaml", audience_id="vip")
    faults.experience_id = "hero"
    faults.at("/experiences/0", "some_code", "something is wrong", "mend it")
    assert faults.faults == [
        Fault(
            code="some_code",
            message="something is wrong",
            file="rules/demo.yaml",
            pointer="/experiences/0",
            audience_id="vip",
            experience_id="hero",
            hint="mend it",
        )
    ]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        pytest.param("x", None, id="text"),
        pytest.param(None, ("missing_key", "/a"), id="null"),
        pytest.param("", ("missing_key", "/a"), id="empty"),
        pytest.param(5, ("wrong_type", "/a"), id="number"),
        pytest.param("\ud800", ("invalid_text", "/a"), id="half-a-surrogate-pair"),
    ],
)
def test_required_text(value: Any, fault: tuple[str, str] | None) -> None:
    """A required text is there, is a text, and can be written as UTF-8."""
    faults = FaultList()
    text = faults.required_text({"a": value}, "a", "")
    assert codes(faults) == ([fault] if fault else [])
    assert text == ("" if fault else value)


def test_required_text_that_is_absent() -> None:
    """A missing member is reported at the object that lacks it."""
    faults = FaultList()
    faults.required_text({}, "a", "/x")
    assert codes(faults) == [("missing_key", "/x")]


@pytest.mark.parametrize(
    ("value", "share", "code", "hint"),
    [
        pytest.param(0, 0.0, "", "", id="zero"),
        pytest.param(1, 1.0, "", "", id="one"),
        pytest.param(None, 0.5, "", "", id="null"),
        pytest.param(50, 0.5, "out_of_range", "for 50 percent write 0.5", id="percent"),
        pytest.param(-0.1, 0.5, "out_of_range", "", id="negative"),
        pytest.param(101, 0.5, "out_of_range", "", id="more-than-percent"),
        pytest.param(10**400, 0.5, "out_of_range", "", id="more-than-a-float"),
        pytest.param(float("nan"), 0.5, "wrong_type", "", id="nan"),
        pytest.param(float("inf"), 0.5, "wrong_type", "", id="infinite"),
        pytest.param("0.5", 0.5, "wrong_type", "", id="text"),
        pytest.param(True, 0.5, "wrong_type", "", id="boolean"),
    ],
)
def test_share(value: Any, share: float, code: str, hint: str) -> None:
    """A share is a finite number from 0 to 1; a percentage is explained."""
    faults = FaultList()
    assert faults.share({"traffic": value}, "traffic", "", 0.5) == share
    assert [(fault.code, fault.hint) for fault in faults.faults] == ([(code, hint)] if code else [])


@pytest.mark.parametrize(
    ("value", "choice", "hint"),
    [
        pytest.param("red", "red", None, id="known"),
        pytest.param(None, "blue", None, id="null"),
        pytest.param("rad", "blue", 'did you mean "red"?', id="slip"),
        pytest.param("xyz", "blue", "possible are: red, blue", id="strange"),
        pytest.param(7, "blue", 'put it in quotes: "7"', id="number"),
    ],
)
def test_choice(value: Any, choice: str, hint: str | None) -> None:
    """A choice is one of the known texts, else there is one fault with the remedy."""
    faults = FaultList()
    assert faults.choice({"colour": value}, "colour", "", ("red", "blue"), "blue") == choice
    assert [fault.hint for fault in faults.faults] == ([hint] if hint else [])


@pytest.mark.parametrize(
    ("method", "default"), [("list_of", []), ("object_of", {})], ids=["list", "object"]
)
def test_containers_of_the_wrong_type(method: str, default: Any) -> None:
    """A member that is not the expected container is a fault and counts as empty."""
    faults = FaultList()
    assert getattr(faults, method)({"a": "text"}, "a", "") == default
    assert getattr(faults, method)({"a": None}, "a", "") == default
    assert codes(faults) == [("wrong_type", "/a")]


def test_boolean_of_the_wrong_type() -> None:
    """A text is no boolean, whatever it says."""
    faults = FaultList()
    assert faults.boolean({"a": "false"}, "a", "", True)
    assert codes(faults) == [("wrong_type", "/a")]


def test_unknown_keys() -> None:
    """Every unknown member is named with a remedy, and a name that YAML read as a date too."""
    faults = FaultList()
    raw = {"id": 1, "nmae": 2, "qqqq": 3, dt.date(2024, 1, 1): 4}
    faults.unknown_keys(raw, "", ("id", "name"))
    assert [(fault.pointer, fault.hint) for fault in faults.faults] == [
        ("/nmae", 'did you mean "name"?'),
        ("/qqqq", "known are: id, name"),
        ("/2024-01-01", 'put it in quotes: "2024-01-01"'),
    ]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def endless() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"a": [1, 2.5, "x", None, True]}, [], id="json"),
        pytest.param(nested(MAX_DEPTH), [], id="deep"),
        pytest.param({"a": float("nan")}, [("out_of_range", "/a")], id="nan"),
        pytest.param([2**64], [("out_of_range", "/0")], id="huge"),
        pytest.param([dt.date(2024, 1, 1)], [("wrong_type", "/0")], id="date"),
        pytest.param({1: "x"}, [("wrong_type", "/1")], id="number-as-name"),
        pytest.param(
            {"a": {"x"}, "b": b""}, [("wrong_type", "/a"), ("wrong_type", "/b")], id="set"
        ),
        pytest.param(["\ud800"], [("invalid_text", "/0")], id="half-a-surrogate-pair"),
        pytest.param(nested(MAX_DEPTH + 1), [("too_deep", "/0" * MAX_DEPTH)], id="too-deep"),
        pytest.param(endless(), [("too_deep", "/0" * MAX_DEPTH)], id="endless"),
    ],
)
def test_json_value(value: Any, expected: list[tuple[str, str]]) -> None:
    """Every part of a value that JSON cannot say is a fault at its own place."""
    faults = FaultList()
    faults.json_value(value, "")
    assert codes(faults) == expected


def test_faults_can_always_be_written() -> None:
    """A fault about a text that is no valid Unicode can itself be encoded."""
    faults = FaultList()
    faults.unknown_keys({"\ud800": 1}, "", ("id",))
    assert b"ud800" in msgspec.json.encode(faults.faults)
