"""A drawing is plain SVG with the page's colours, whatever stands in its rows."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import altair as alt
import pytest

from edgewise.simulate.report.drawing import ROWS, Drawing, Margins, whole_ticks


def bars() -> Drawing:
    """A drawing with a bar for each row, and its name."""
    base = alt.Chart(ROWS).encode(y=alt.Y("name:N", axis=None, sort=None))
    axis = alt.Axis(tickCount=whole_ticks("x", 4))
    bar = base.mark_bar(color="var(--accent)").encode(
        x=alt.X("value:Q", axis=axis, title=None), description="name:N"
    )
    names = base.mark_text(limit=100, aria=False).encode(x=alt.value(0), text="name:N")
    return Drawing(alt.layer(bar, names, height=alt.Step(20)), 300, Margins(10, 5, 20, 15))


def texts(root: ET.Element) -> list[str]:
    """All texts of a picture, in order."""
    return [one.text or "" for one in root.iter("text")]


def test_picture_is_as_large_as_asked_for() -> None:
    """The width is that of the whole, and the height follows the rows."""
    drawing = bars()
    for count in (1, 3):
        rows = [{"name": f"n{place}", "value": place + 1} for place in range(count)]
        root = ET.fromstring(drawing.svg("Bars", rows))
        assert root.get("viewBox") == f"0 0 300 {5 + 20 * count + 15}"
        assert len(root.findall(".//path[@fill='var(--accent)']")) == count


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("<script>alert(1)</script>", id="markup"),
        pytest.param('" onload="x', id="quote"),
        pytest.param("a&amp;b", id="entity"),
        pytest.param("\u202eab", id="direction"),
        pytest.param("datum.name + 1", id="expression"),
    ],
)
def test_names_are_text(name: str) -> None:
    """A name is text in the picture and its titles, and nothing else."""
    root = ET.fromstring(bars().svg(name, [{"name": name, "value": 1}]))
    assert [one.text for one in root.iter("title")] == [name, name]
    assert {one.tag for one in root.iter()} == {"svg", "title", "g", "path", "line", "text"}


@pytest.mark.parametrize("place", range(0, 40, 3))
def test_names_are_cut_between_whole_characters(place: int) -> None:
    """Characters beyond the first plane are two to what measures a name, and one to a reader."""
    name = "w" * place + "📧🔥\ue000" + "w" * (40 - place)
    root = ET.fromstring(bars().svg("Bars", [{"name": name, "value": 1}]))
    (shown,) = [one for one in texts(root) if "w" in one]
    assert shown.endswith("…")
    assert name.startswith(shown[:-1])
    assert [one.text for one in root.iter("title")] == ["Bars", name]


def test_characters_without_a_place_in_xml_are_replaced() -> None:
    """Control characters and half a pair of surrogates do not end a report."""
    root = ET.fromstring(bars().svg("\0", [{"name": "a\0b\x1bc\ud800", "value": 1}]))
    assert [one.text for one in root.iter("title")] == ["\ufffd", "a\ufffdb\ufffdc\ufffd"]


def test_long_names_are_cut() -> None:
    """What is longer than its room ends with an ellipsis; the title has all of it."""
    name = "wide " * 40
    root = ET.fromstring(bars().svg("Bars", [{"name": name, "value": 1}]))
    assert any(text.endswith("…") for text in texts(root))
    assert name in {one.text for one in root.iter("title")}


@pytest.mark.parametrize(("most", "labels"), [(1, ["0", "1"]), (2, ["0", "1", "2"])])
def test_ticks_are_whole_numbers(most: int, labels: list[str]) -> None:
    """Between one visitor and the next there is no tick."""
    root = ET.fromstring(bars().svg("Bars", [{"name": "", "value": most}]))
    assert [text for text in texts(root) if text] == labels
