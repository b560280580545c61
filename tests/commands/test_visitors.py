"""The requests of one visitor are picked out of those of many."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.commands.visitors import NOBODY, Visit, pick_visitor
from edgewise.errors import InputError
from edgewise.records import id_for_name
from edgewise.simulate.requests import Record

MAIN = "shop/main"


def record(name: str, *related: str) -> Record:
    """A request of a visitor who was identified by these user ids."""
    return Record(MAIN, name, 1, 0, 1, related, [])


def picked(names: str, wanted: str = "", **related: Any) -> Visit:
    """The visit among one request for each letter; "-" names nobody."""
    records = [record(one.strip("-"), *related.get(one, ())) for one in names]
    return pick_visitor(records, wanted, "FILE")


@pytest.mark.parametrize(
    ("names", "wanted", "name"),
    [
        pytest.param("--", "", NOBODY, id="nobody"),
        pytest.param("--", "anna", "anna", id="nobody gets a name"),
        pytest.param("aa", "", "a", id="one"),
        pytest.param("-a-", "", "a", id="one, and nobody"),
        pytest.param("-a-", "a", "a", id="one by its name"),
    ],
)
def test_all_requests_are_those_of_the_only_visitor(names: str, wanted: str, name: str) -> None:
    """Requests that name nobody are those of the only one who is named."""
    visit = picked(names, wanted)
    assert [one.name for one in visit.records] == [name] * len(names)
    assert (visit.name, visit.visitors, visit.nameless) == (name, 1, 0)


def test_the_wanted_visitor_is_picked() -> None:
    """Of several visitors one is picked, by its name or its id; the others are left out."""
    for wanted in ("a", id_for_name(MAIN, "a")):
        visit = picked("ab-a", wanted)
        assert [one.name for one in visit.records] == ["a", "a"]
        assert (visit.name, visit.visitors, visit.nameless) == (wanted, 2, 1)


@pytest.mark.parametrize("wanted", ["a", "c", "u", "w"])
def test_those_who_become_one_are_picked_together(wanted: str) -> None:
    """User ids make visitors one, whichever of the names is wanted, and in chains."""
    visit = picked("abca", wanted, a=["u"], c=["w", "u"])
    assert [one.name for one in visit.records] == ["a", "c", "a"]
    assert visit.visitors == 2


def test_visitors_who_become_one_are_one() -> None:
    """Where all of them become one, nobody needs to be picked."""
    assert picked("ab", a=["u"], b=["u"]).visitors == 1


@pytest.mark.parametrize(
    ("names", "wanted", "message"),
    [
        pytest.param(
            "abcde-",
            "",
            'FILE: these are the events of 5 visitors ("a", "b", "c" and 2 more);'
            ' pick one with --id, as in --id "a"',
            id="several",
        ),
        pytest.param(
            "ab", "z", 'FILE: there is no visitor "z" among 2 ("a", "b")', id="none of several"
        ),
        pytest.param("a-", "z", 'FILE: there is no visitor "z", but only "a"', id="another one"),
    ],
)
def test_who_cannot_be_picked_is_told(names: str, wanted: str, message: str) -> None:
    """The message tells who is there, and how to pick one."""
    with pytest.raises(InputError) as caught:
        picked(names, wanted)
    assert str(caught.value) == message
