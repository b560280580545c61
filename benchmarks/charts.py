"""The pictures of the documentation, drawn from the committed results.

    python -m benchmarks.charts

writes docs/images/cost-by-audiences.svg and the table of docs/peers.md from results/peers.json, and
docs/images/request-stages.svg from results/stages.json, where these are there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt
import msgspec

from benchmarks.bench_stages import RESULTS as STAGES_FILE
from benchmarks.bench_stages import StagesReport
from benchmarks.peers.libraries import library
from benchmarks.peers.results import RESULTS as PEERS_FILE
from benchmarks.peers.results import Report
from benchmarks.peers.table import FLOOR, OURS, page_text, with_results

DOCS = Path(__file__).resolve().parent.parent / "docs"
IMAGES, PAGE = DOCS / "images", DOCS / "peers.md"
FONT = "Helvetica, Arial, sans-serif"
INK, ACCENT, GREY = "#24292f", "#c2410c", "#8c959f"
LABEL_GAP = 1.45
"""How far two labels at the right end must lie apart: a factor, as the axis is logarithmic."""


def cost_points(report: Report) -> list[dict[str, Any]]:
    """Return a point per label and size, with microseconds per decision."""
    points = [
        {"label": library(entry.name).title, "audiences": entry.size, "us": entry.library_us}
        for entry in report.entries
    ]
    for size in sorted({entry.size for entry in report.entries}):
        at = [entry for entry in report.entries if entry.size == size]
        points.append(
            {"label": OURS, "audiences": size, "us": median(entry.ours_us for entry in at)}
        )
        points.append(
            {"label": FLOOR, "audiences": size, "us": median(entry.floor_us for entry in at)}
        )
    return points


def label_places(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last point of each label, with `at` moved up where labels would overlap."""
    last: dict[str, dict[str, Any]] = {}
    for point in sorted(points, key=lambda one: one["audiences"]):
        last[point["label"]] = point
    places: list[dict[str, Any]] = []
    below: dict[int, float] = {}
    for point in sorted(last.values(), key=lambda one: one["us"]):
        size = point["audiences"]
        at = max(point["us"], below.get(size, 0) * LABEL_GAP)
        below[size] = at
        places.append(point | {"at": at})
    return places


def cost_chart(report: Report) -> alt.LayerChart:
    """Return cost against the number of audiences, both axes logarithmic."""
    points = cost_points(report)
    sizes = sorted({point["audiences"] for point in points})
    ours = alt.datum.label == OURS
    floor = alt.datum.label == FLOOR
    across = alt.X(
        "audiences:Q",
        title="audiences, each with an experiment",
        scale=alt.Scale(type="log", domain=[sizes[0], sizes[-1] * 6]),
        axis=alt.Axis(values=sizes, format=",", grid=False),
    )
    up = alt.Y(
        "us:Q",
        title="microseconds per decision over all of them",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format=",", gridOpacity=0.4, values=[10**power for power in range(6)]),
    )
    colour = (
        alt.when(ours).then(alt.value(ACCENT)).when(floor).then(alt.value(GREY))
        .otherwise(alt.value(INK))
    )  # fmt: skip
    base = alt.Chart(alt.Data(values=points)).encode(x=across, y=up, color=colour, detail="label:N")
    lines = base.mark_line(point=alt.OverlayMarkDef(size=28)).encode(
        strokeWidth=alt.when(ours).then(alt.value(3.5)).otherwise(alt.value(1.3)),
        strokeDash=alt.when(floor).then(alt.value([5, 4])).otherwise(alt.value([1, 0])),
        opacity=alt.when(ours | floor).then(alt.value(1)).otherwise(alt.value(0.65)),
    )
    names = (
        alt.Chart(alt.Data(values=label_places(points)))
        .mark_text(align="left", dx=8, fontSize=11)
        .encode(
            x=across, y=alt.Y("at:Q", scale=alt.Scale(type="log")), text="label:N", color=colour
        )
    )
    return styled((lines + names).properties(width=620, height=430))


def stages_chart(report: StagesReport) -> alt.LayerChart:
    """Return where a request's microseconds go: a bar per case, a part per stage."""
    parts = [
        {"case": case.label, "stage": stage.name, "us": stage.us, "order": order}
        for case in report.cases
        for order, stage in enumerate(case.stages)
    ]
    stages = [stage.name for stage in report.cases[0].stages]
    cases = [case.label for case in report.cases]
    base = alt.Chart(alt.Data(values=parts)).encode(
        y=alt.Y("case:N", sort=cases, title=None, axis=alt.Axis(labelLimit=240)),
        x=alt.X("us:Q", stack="zero", title="microseconds (median)", axis=alt.Axis(format=",.0f")),
        order=alt.Order("order:Q"),
    )
    colours = alt.Scale(domain=stages, scheme="tableau10")
    bars = base.mark_bar(height={"band": 0.62}).encode(
        color=alt.Color("stage:N", scale=colours, sort=stages, title=None)
    )
    totals = (
        alt.Chart(alt.Data(values=parts))
        .mark_text(align="left", dx=6, fontSize=11, color=INK)
        .transform_aggregate(total="sum(us)", groupby=["case"])
        .encode(
            y=alt.Y("case:N", sort=cases),
            x=alt.X("total:Q"),
            text=alt.Text("total:Q", format=",.0f"),
        )
    )
    return styled((bars + totals).properties(width=560, height=46 * len(cases)))


def styled(chart: alt.LayerChart) -> alt.LayerChart:
    """Return a chart in the documentation's look; text is readable on any page background."""
    return (
        chart.configure(background="white", font=FONT, padding=12)
        .configure_view(strokeWidth=0)
        .configure_axis(labelColor=INK, titleColor=INK, titleFontWeight="normal", titlePadding=8)
        .configure_legend(labelColor=INK, orient="bottom", columns=4)
    )


def main() -> int:
    """Draw what there are results for and return the exit status."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    drawn = []
    if PEERS_FILE.exists():
        report = msgspec.json.decode(PEERS_FILE.read_bytes(), type=Report)
        cost_chart(report).save(IMAGES / "cost-by-audiences.svg")
        PAGE.write_text(with_results(PAGE.read_text("utf-8"), page_text(report)), "utf-8")
        drawn += ["cost-by-audiences.svg", PAGE.name]
    if STAGES_FILE.exists():
        stages = msgspec.json.decode(STAGES_FILE.read_bytes(), type=StagesReport)
        stages_chart(stages).save(IMAGES / "request-stages.svg")
        drawn.append("request-stages.svg")
    print("\n".join(drawn) or "no results to draw: run make bench and make bench-peers")
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
