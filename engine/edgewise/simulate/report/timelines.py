"""Charts over time: visitors that appear, and how audiences grow and shrink."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import altair as alt

from edgewise.amounts import count
from edgewise.simulate.report.drawing import ROWS, Drawing, Margins, Row, whole_ticks
from edgewise.simulate.report.figures import percent
from edgewise.simulate.report.markup import Markup, element, name_of
from edgewise.simulate.report.stretches import bounds_ms, stretch_name
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.report.widths import CARD, NARROW, at_each_width
from edgewise.simulate.result import AudienceResult, EnvironmentResult, TimelineResult

MOST_CHARTS = 40

_MARGINS = Margins(left=46, top=8, right=8, bottom=24)
_DATES = dict.fromkeys(("year", "quarter", "month", "week", "day", "date"), "%-d %b")
_TIMES: dict[str, str | dict[str, str]] = {
    "hour": _DATES | {"hours": "%H:%M", "minutes": "%H:%M"},
    "day": "%-d %b",
    "week": "%b %Y",
}
_FLUSH_PX = {"hour": 12, "day": 12, "week": 20}
"""How near an end of the axis a label is moved inside: it would stand over the edge."""
_GAP = 0.1
"""The share of a stretch that stays free on each side of its bar."""


def new_visitors(environment: EnvironmentResult, timeline: TimelineResult) -> Markup:
    """Return the chart of visitors that appeared in each bucket."""
    values = environment.new_profiles
    top = max(values, default=0)
    if not top:
        return Markup()
    title = f"New visitors per {timeline.bucket}"
    sentence = f"{title}, at most {count(top)}"
    rows = _bars(values, timeline)
    return element(
        "figure",
        element("figcaption", element("strong", title), element("span", f"at most {count(top)}")),
        at_each_width(lambda width: _bar_chart(width, timeline).svg(sentence, rows)),
        class_="chart full",
    )


def audience_sizes(environment: EnvironmentResult, timeline: TimelineResult) -> Markup:
    """Return a chart per audience that ever had members, the largest first."""
    ordered = sorted(environment.audiences, key=lambda one: (-max(one.sizes, default=0), one.id))
    shown = [one for one in ordered if any(one.sizes)]
    if not shown:
        return element("p", "No audience had a member at the end of a stretch.", class_="note")
    drawing = _line_chart(timeline)
    charts = [_audience(one, timeline, drawing) for one in shown[:MOST_CHARTS]]
    return element(
        "div",
        element(
            "p", "Members at the end of each stretch; each chart has its own scale.", class_="note"
        ),
        element("div", *charts, class_="charts"),
        rest_note(len(shown), MOST_CHARTS, "audiences"),
    )


def _audience(audience: AudienceResult, timeline: TimelineResult, drawing: Drawing) -> Markup:
    most = count(max(audience.sizes))
    sentence = f"{audience.id}: {count(audience.size)} at the end, at most {most}"
    return element(
        "figure",
        element(
            "figcaption",
            element("strong", name_of(audience.id)),
            element("span", f"{count(audience.size)} · {percent(audience.share)}"),
        ),
        drawing.svg(sentence, _points(audience.sizes, timeline)),
        class_="chart",
    )


def _bars(values: Sequence[int], timeline: TimelineResult) -> list[Row]:
    return [
        {
            "from": start + _GAP * (end - start),
            "to": end - _GAP * (end - start),
            "visitors": value,
            "title": f"{stretch_name(text, timeline.bucket)}: {count(value)}",
        }
        for value, text, (start, end) in zip(
            values, timeline.starts, pairwise(bounds_ms(timeline)), strict=True
        )
    ]


def _points(sizes: Sequence[int], timeline: TimelineResult) -> list[Row]:
    """Before its first stretch an audience has no members."""
    return [
        {"time": time, "members": size}
        for time, size in zip(bounds_ms(timeline), [0, *sizes], strict=True)
    ]


def _bar_chart(width: int, timeline: TimelineResult) -> Drawing:
    bars = (
        alt.Chart(ROWS)
        .mark_rect(color="var(--accent)")
        .encode(
            x=_time_axis("from", timeline, 5 if width == NARROW else 9),
            x2="to",
            y=_number_axis("visitors"),
            y2=alt.datum(0),
            description="title:N",
        )
    )
    return Drawing(alt.layer(bars, height=130), width, _MARGINS)


def _line_chart(timeline: TimelineResult) -> Drawing:
    base = alt.Chart(ROWS).encode(x=_time_axis("time", timeline, 5), y=_number_axis("members"))
    area = base.mark_area(color="var(--accent)", opacity=0.15, aria=False)
    line = base.mark_line(color="var(--accent)", strokeJoin="round", aria=False)
    return Drawing(alt.layer(area, line, height=88), CARD, _MARGINS)


def _time_axis(field: str, timeline: TimelineResult, ticks: int) -> alt.X:
    times = bounds_ms(timeline)
    axis = alt.Axis(
        format=_TIMES[timeline.bucket],
        tickCount=min(ticks, len(times)),
        grid=False,
        labelFlush=_FLUSH_PX[timeline.bucket],
        labelOverlap=True,
        labelSeparation=8,
    )
    scale = alt.Scale(type="utc", domain=[times[0], times[-1]])
    return alt.X(f"{field}:T", title=None, scale=scale, axis=axis)


def _number_axis(field: str) -> alt.Y:
    short = "datum.value < 10000 ? format(datum.value, ',') : format(datum.value, '~s')"
    axis = alt.Axis(labelExpr=short, tickCount=whole_ticks("y", 3), ticks=False)
    return alt.Y(f"{field}:Q", title=None, stack=None, scale=alt.Scale(nice=3), axis=axis)
