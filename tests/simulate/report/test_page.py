"""The report holds every answer, trusts no name and asks for nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from html import unescape
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from edgewise.simulate.chi_square import ratio_test
from edgewise.simulate.report.page import html_report
from edgewise.simulate.result import EnvironmentResult, Result
from tests.simulate.report.results import HOSTILE, hostile, simulated

VOID = {"meta", "link"}


class Outline(HTMLParser):
    """Reads a page: its elements and texts, and whether each element is closed by its own tag."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that holds nothing."""
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Note that the innermost element closes."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


@cache
def page_of(events: int) -> str:
    """The report of some synthetic events."""
    return html_report(simulated(events))


@cache
def hostile_page() -> str:
    """The report of hostile names."""
    return html_report(hostile())


def with_environment(result: Result, **changes: object) -> Result:
    """A result whose only environment has other members."""
    (environment,) = result.environments
    changed: EnvironmentResult = replace(environment, **changes)
    return replace(result, environments=[changed])


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(partial(page_of, 2_000), id="some"),
        pytest.param(partial(page_of, 1), id="one-event"),
        pytest.param(partial(page_of, 0), id="nothing"),
        pytest.param(hostile_page, id="hostile"),
    ],
)
def test_page_is_whole_and_asks_for_nothing(page: Callable[[], str]) -> None:
    """Every element is closed, nothing is run, and no attribute leads out of the file."""
    outline = Outline(page())
    assert outline.open == []
    assert not outline.elements.keys() & {"script", "img", "iframe", "object", "base"}
    assert {value for name, value in outline.attributes if name in ("src", "href")} == {"data:,"}
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "url(" not in page()
    assert "@import" not in page()


def test_every_answer_is_there() -> None:
    """The page tells of all audiences and experiences, of overlap, splits and differences."""
    result = simulated(2_000)
    outline = Outline(page_of(2_000))
    texts = set(outline.texts)
    (environment,) = result.environments
    assert {one.id for one in environment.audiences} <= texts
    assert {one.id for one in environment.experiences} <= texts
    for title in (
        "Before and after",
        "Audience sizes over time",
        "Audiences that share visitors",
        "Variant splits",
        "All audiences",
        "All experiences",
    ):
        assert title in texts


def test_sizes_add_up_with_merged_members() -> None:
    """The table of audiences tells who entered, left and merged, so that the size follows."""
    result = simulated(2_000)
    page = page_of(2_000)
    (rows,) = re.findall(r"All audiences</h3>.*?<tbody>(.*?)</tbody>", page, re.DOTALL)
    cells = re.compile('data-label="([A-Za-z]+)">([0-9,]+)<')
    found = [
        {name: int(number.replace(",", "")) for name, number in cells.findall(row)}
        for row in rows.split("</tr>")[:-1]
    ]
    assert len(found) == len(result.environments[0].audiences)
    assert all(one["Size"] == one["Entered"] - one["Left"] - one["Merged"] for one in found)
    assert any(one["Merged"] for one in found)


def test_same_result_gives_the_same_page() -> None:
    """Nothing of the moment or the machine stands in a report."""
    assert html_report(simulated(2_000)) == page_of(2_000)


@pytest.mark.parametrize(
    ("events", "tile"),
    [(1, "<b>1</b><span>event</span>"), (2_000, "<b>2,000</b><span>events</span>")],
)
def test_one_is_no_plural(events: int, tile: str) -> None:
    """A single event is named in the singular."""
    assert tile in page_of(events)


def test_nobody_came() -> None:
    """Without visitors the report says so and has no chart."""
    outline = Outline(page_of(0))
    assert "Nobody came, so there is nothing to show." in outline.texts
    assert outline.elements["svg"] == 0


def test_hostile_names_are_shown_as_they_are() -> None:
    """Names that look like markup come out as text, whole."""
    texts = Outline(hostile_page()).texts
    assert HOSTILE.replace("\0", "") in {text.replace("\0", "").replace("�", "") for text in texts}


def test_mismatch_is_called_out() -> None:
    """A split that chance hardly makes is marked, one as planned is not."""
    result = simulated(2_000)
    (environment,) = result.environments
    fair, unfair = ratio_test([500, 500], [0.5, 0.5]), ratio_test([600, 400], [0.5, 0.5])
    one = next(one for one in environment.experiences if one.ratio_test)
    for test, is_bad in ((fair, False), (unfair, True)):
        page = html_report(with_environment(result, experiences=[replace(one, ratio_test=test)]))
        assert ('class="badge bad"' in page) is is_bad


def test_heat_map_shows_the_forty_largest() -> None:
    """Of 60 audiences that overlap 40 are in the map, and the page tells of the others."""
    page = hostile_page()
    cells = re.findall("<title>([^<]*) of either</title>", page)
    assert len(cells) == 3 * 40 * 39
    assert max(len(unescape(one)) for one in cells) < 160
    assert "20 more audiences with overlap stand in the JSON." in page


def test_equal_rules_change_nothing() -> None:
    """A comparison without a difference is one sentence."""
    result = simulated(2_000)
    against = result.environments[0].against
    assert against is not None
    same = replace(against, audiences=[], experiences=[])
    page = html_report(with_environment(result, against=same))
    assert "Nobody is treated differently than by the other rules." in page


def test_experiences_without_audiences() -> None:
    """An environment may lack audiences or experiences; what it lacks has no part in the page."""
    page = html_report(with_environment(simulated(2_000), audiences=[], overlap=[]))
    assert "All audiences" not in page
    assert "All experiences" in page
    page = html_report(with_environment(simulated(2_000), experiences=[]))
    assert "All experiences" not in page
