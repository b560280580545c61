"""Charts → SVG inside of a page: without scripts, in the colours and the font of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import altair as alt
import vl_convert

from edgewise.simulate.report.markup import Markup

ROWS = alt.NamedData(name="rows")
"""What charts draw: a drawing fills it in."""
Row = Mapping[str, object]

_TEXT_SIZE = 12
_PRIVATE = range(0xE000, 0xF900)
_NAMESPACE = re.compile(r' xmlns(:\w+)?="[^"]*"')
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Margins(NamedTuple):
    """The room around what a chart draws, in pixels: for its axes."""

    left: int
    top: int
    right: int
    bottom: int


def whole_ticks(scale: str, most: int) -> alt.ExprRef:
    """Return how many ticks an axis of whole numbers from 0 on has: none between two of them."""
    return alt.ExprRef(f"min({most}, domain('{scale}')[1])")


class Drawing:
    """A chart that is drawn with other rows each time; to compile it takes longer than to draw.

    Args:
        width: of the whole picture, margins included; its own height a chart has to tell.
    """

    def __init__(self, chart: alt.LayerChart, width: int, margins: Margins) -> None:
        room = width - margins.left - margins.right
        whole = _styled(chart.properties(width=room, padding=margins._asdict(), autosize="none"))
        spec = vl_convert.vegalite_to_vega(whole.to_dict())
        self._spec: dict[str, Any] = spec
        (self._data,) = (one for one in spec["data"] if one["name"] == ROWS.name)

    def svg(self, sentence: str, rows: Sequence[Row]) -> Markup:
        """Return the picture of some rows.

        Args:
            sentence: what it shows, for who cannot see it.
        """
        values = [{key: _drawable(value) for key, value in row.items()} for row in rows]
        stand_ins = _stand_ins(values)
        self._data["values"] = [
            {
                key: value.translate(stand_ins) if isinstance(value, str) else value
                for key, value in row.items()
            }
            for row in values
        ]
        drawn = vl_convert.vega_to_svg(self._spec)
        drawn = drawn.translate({ord(other): one for one, other in stand_ins.items()})
        root = ET.fromstring(_NAMESPACE.sub("", drawn, count=2))
        _tidy(root)
        title = ET.Element("title")
        title.text = _drawable(sentence)
        root.insert(0, title)
        root.attrib = {"class": "drawn", "role": "img", "viewBox": root.attrib["viewBox"]}
        return Markup(ET.tostring(root, encoding="unicode"))


def _styled(chart: alt.LayerChart) -> alt.LayerChart:
    # Names of the style sheet stand for colours, so that they follow the page in the dark.
    return (
        chart.configure(background="transparent", font="sans-serif")
        .configure_view(stroke="transparent")
        .configure_text(fontSize=_TEXT_SIZE, color="var(--ink)")
        .configure_axis(
            aria=False,
            domain=False,
            gridColor="var(--rule)",
            labelColor="var(--soft)",
            labelFontSize=_TEXT_SIZE,
            labelPadding=6,
            tickColor="var(--soft)",
            titleColor="var(--soft)",
            titleFontSize=_TEXT_SIZE,
            titleFontWeight="normal",
        )
    )


def _drawable(value: Any) -> Any:
    """XML has no room for most control characters and for half a pair of surrogates."""
    return _NO_TEXT.sub("\ufffd", value) if isinstance(value, str) else value


def _stand_ins(rows: Sequence[Row]) -> dict[int, str]:
    """A private character for each that JavaScript has as two: Vega may cut a name in between."""
    texts = [value for row in rows for value in row.values() if isinstance(value, str)]
    used = set().union(*texts)
    free = (chr(code) for code in _PRIVATE if chr(code) not in used)
    return dict(zip((ord(one) for one in sorted(used) if one > "\uffff"), free, strict=False))


def _is_unseen(one: ET.Element) -> bool:
    paint = one.get("stroke") or one.get("fill")
    return one.get("display") == "none" or one.get("opacity") == "0" or paint == "transparent"


def _tidy(parent: ET.Element) -> None:
    """Leave out what nobody sees; make titles, which a pointer shows, of descriptions of marks."""
    for child in list(parent):
        if _is_unseen(child):
            parent.remove(child)
            continue
        _tidy(child)
        label = child.get("aria-label")
        if label and child.tag != "g":
            ET.SubElement(child, "title").text = label
        for name in [one for one in child.attrib if one == "role" or one.startswith("aria-")]:
            del child.attrib[name]
        child.attrib.pop("font-family", None)
