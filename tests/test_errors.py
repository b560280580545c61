"""Errors carry their data, derive their text, and survive a process boundary."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from edgewise import errors
from edgewise.errors import EdgewiseError, Fault, RulesError

FAULT = Fault("unknown_key", "unknown key", "a.yaml", "/x", "vip", "hero", "remove it")
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "RulesError": ([FAULT, Fault("syntax", "not valid")],),
    "MethodNotAllowed": (["GET", "POST"],),
    "BodyTooLarge": (1024,),
}


def classes(base: type[EdgewiseError] = EdgewiseError) -> Iterator[type[EdgewiseError]]:
    """Every class of the tree."""
    yield base
    for subclass in base.__subclasses__():
        yield from classes(subclass)


def example(kind: type[EdgewiseError]) -> EdgewiseError:
    """An error of a class, with the data it needs."""
    return kind(*ARGUMENTS.get(kind.__name__, ("what is wrong",)))


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: str(kind.__name__))
def test_error_pickles(kind: type[EdgewiseError]) -> None:
    """An error comes out of a pickle with its type, text and data."""
    error = example(kind)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error) != ""
    assert vars(copy) == vars(error)


def test_fault_pickles() -> None:
    """A fault comes out of a pickle as it went in."""
    assert pickle.loads(pickle.dumps(FAULT)) == FAULT


def test_codes() -> None:
    """Every class has a code of its own, and the tree at the top of the file shows it."""
    kinds = [kind for kind in classes() if kind.__module__ == errors.__name__]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    drawn = (errors.__doc__ or "").split()
    abstract = {"edgewise_error", "request_failed"}
    for kind in kinds:
        assert kind.__name__ in drawn
        assert kind.code in drawn or kind.code in abstract


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (FAULT, "a.yaml#/x: unknown key (remove it)"),
        (Fault("c", "wrong", "a.yaml"), "a.yaml: wrong"),
        (Fault("c", "wrong", pointer="/x"), "#/x: wrong"),
        (Fault("c", "wrong", hint="do better"), "wrong (do better)"),
        (Fault("c", "wrong"), "wrong"),
        (Fault("c", "wrong", "a.yaml", "/x", hint="better", line=3), "a.yaml:3: wrong (better)"),
    ],
    ids=str,
)
def test_fault_text(fault: Fault, text: str) -> None:
    """A fault reads as place, message and hint, as far as it has them."""
    assert str(fault) == text


@pytest.mark.parametrize(
    ("fault", "note", "text"),
    [
        (Fault("c", "wrong", "a.yaml", "/x", line=3), "", "a.yaml:3: wrong [c at /x]"),
        (Fault("c", "wrong", "a.yaml", "/x", line=3), "late", "a.yaml:3: wrong [c at /x, late]"),
        (Fault("c", "wrong", "a.yaml", line=3), "", "a.yaml:3: wrong [c]"),
        (Fault("c", "wrong", "a.yaml", "/x"), "late", "a.yaml#/x: wrong [c, late]"),
    ],
    ids=str,
)
def test_fault_line(fault: Fault, note: str, text: str) -> None:
    """A line of a log or a terminal has the kind of the fault, and its pointer, behind it."""
    assert fault.told_as("c", note) == text


def test_rules_error_text() -> None:
    """All faults of a load stand in the text, one per line."""
    error = RulesError([FAULT, Fault("c", "wrong")])
    assert str(error) == "a.yaml#/x: unknown key (remove it)\nwrong"
    assert error.faults == (FAULT, Fault("c", "wrong"))
