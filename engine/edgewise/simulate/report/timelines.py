"""Charts over time: visitors that appear, and how audiences grow and shrink."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.amounts import count
from edgewise.simulate.report.figures import day, moment, percent, short_count
from edgewise.simulate.report.markup import Markup, element, empty_element, name_of
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.result import AudienceResult, EnvironmentResult, TimelineResult

MOST_CHARTS = 40

_WIDTH, _HEIGHT = 300, 80
"""Units inside of a chart, which is stretched to the room that it gets."""
_HEADROOM = 4


def new_visitors(environment: EnvironmentResult, timeline: TimelineResult) -> Markup:
    """Return the chart of visitors that appeared in each bucket."""
    values = environment.new_profiles
    top = max(values, default=0)
    if not top:
        return Markup()
    width = _WIDTH / len(values)
    bars = [
        empty_element(
            "rect",
            x=f"{place * width + width * 0.1:.2f}",
            y=f"{_HEIGHT - _height(value, top):.2f}",
            width=f"{width * 0.8:.2f}",
            height=f"{_height(value, top):.2f}",
        )
        for place, value in enumerate(values)
        if value
    ]
    title = f"New visitors per {timeline.bucket}"
    return element(
        "figure",
        element("figcaption", element("strong", title), element("span", f"at most {count(top)}")),
        _plot(f"{title}, at most {count(top)}", top, bars),
        _time_axis(timeline),
        class_="chart wide",
    )


def audience_sizes(environment: EnvironmentResult, timeline: TimelineResult) -> Markup:
    """Return a chart per audience that ever had members, the largest first."""
    ordered = sorted(environment.audiences, key=lambda one: (-max(one.sizes, default=0), one.id))
    shown = [one for one in ordered if any(one.sizes)]
    if not shown:
        return element("p", "No audience had a member at the end of a stretch.", class_="note")
    charts = [_audience(one, timeline) for one in shown[:MOST_CHARTS]]
    return element(
        "div",
        element(
            "p", "Members at the end of each stretch; each chart has its own scale.", class_="note"
        ),
        element("div", *charts, class_="charts"),
        rest_note(len(shown), MOST_CHARTS, "audiences"),
    )


def _audience(audience: AudienceResult, timeline: TimelineResult) -> Markup:
    top = max(audience.sizes)
    line = _line(audience.sizes, top)
    marks = [
        empty_element("path", class_="area", d=f"{line}L{_WIDTH},{_HEIGHT}L0,{_HEIGHT}Z"),
        empty_element("path", class_="line", d=line),
    ]
    sentence = f"{audience.id}: {count(audience.size)} at the end, at most {count(top)}"
    return element(
        "figure",
        element(
            "figcaption",
            element("strong", name_of(audience.id)),
            element("span", f"{count(audience.size)} · {percent(audience.share)}"),
        ),
        _plot(sentence, top, marks),
        _time_axis(timeline),
        class_="chart",
    )


def _plot(sentence: str, top: int, marks: Sequence[Markup]) -> Markup:
    grid = empty_element("path", class_="grid", d=f"M0,{_HEADROOM}H{_WIDTH}M0,{_HEIGHT}H{_WIDTH}")
    return element(
        "div",
        element("span", short_count(top), class_="top"),
        element(
            "svg",
            element("title", sentence),
            grid,
            *marks,
            viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
            preserveAspectRatio="none",
            role="img",
        ),
        class_="plot",
    )


def _time_axis(timeline: TimelineResult) -> Markup:
    show = moment if timeline.bucket == "hour" else day
    ends = [show(timeline.first), show(timeline.last)]
    texts = ends if ends[0] != ends[1] else ends[:1]
    return element("div", *(element("span", one) for one in texts), class_="axis")


def _line(values: Sequence[int], top: int) -> str:
    heights = [_HEIGHT - _height(value, top) for value in values]
    if len(heights) == 1:
        return f"M0,{heights[0]:.1f}H{_WIDTH}"
    step = _WIDTH / (len(heights) - 1)
    points = (f"{place * step:.1f},{height:.1f}" for place, height in enumerate(heights))
    return "M" + "L".join(points)


def _height(value: int, top: int) -> float:
    return (_HEIGHT - _HEADROOM) * max(value, 0) / top
