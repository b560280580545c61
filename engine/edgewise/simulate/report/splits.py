"""Charts of how experiences split their visitors over variants."""

from __future__ import annotations

import altair as alt

from edgewise.amounts import count, counted
from edgewise.simulate.chi_square import RatioTest
from edgewise.simulate.report.drawing import ROWS, Drawing, Margins, Row
from edgewise.simulate.report.figures import confidence, percent, probability
from edgewise.simulate.report.markup import Markup, element, join, name_of
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.report.widths import CARD
from edgewise.simulate.result import EnvironmentResult, ExperienceResult, VariantResult

MOST_CHARTS = 60

_MARGINS = Margins(left=72, top=2, right=60, bottom=24)
_VALUES_AT = CARD - _MARGINS.left


def variant_splits(environment: EnvironmentResult) -> Markup:
    """Return a chart per experience with a split to compare; suspicious ones first."""
    split = [one for one in environment.experiences if one.reach and one.ratio_test]
    if not split:
        return element("p", "No experience split its visitors over variants.", class_="note")
    ordered = sorted(split, key=lambda one: (not _is_mismatch(one), -one.reach, one.id))
    drawing = _chart()
    charts = [_experience(one, drawing) for one in ordered[:MOST_CHARTS]]
    return element(
        "div",
        _legend(),
        element("div", *charts, class_="charts"),
        rest_note(len(split), MOST_CHARTS, "experiences"),
    )


def verdict(test: RatioTest | None) -> Markup:
    """Return in a few words whether a split is as planned."""
    if test is None:
        return Markup()
    if test.too_few:
        return element("span", "too few to tell", class_="badge")
    p = f"p = {probability(test.p)}"
    if test.is_mismatch:
        return element("span", f"not as planned, {p}", class_="badge bad")
    return element("span", f"as planned, {p}", class_="badge good")


def _is_mismatch(experience: ExperienceResult) -> bool:
    return experience.ratio_test is not None and experience.ratio_test.is_mismatch


def _experience(experience: ExperienceResult, drawing: Drawing) -> Markup:
    variants = [one for one in experience.variants if one.share or one.profiles]
    return element(
        "figure",
        element(
            "figcaption",
            element("strong", name_of(experience.id)),
            element("span", counted(experience.reach, "visitor")),
        ),
        drawing.svg(
            f"{experience.id}: the share of visitors that each variant got",
            [_row(one, experience.reach) for one in variants],
        ),
        element("p", verdict(experience.ratio_test), class_="verdict"),
        class_="chart",
    )


def _row(variant: VariantResult, reach: int) -> Row:
    share = variant.profiles / reach
    low, high = confidence(variant.profiles, reach)
    label = "baseline" if variant.index == 0 else f"variant {variant.index}"
    return {
        "variant": label,
        "share": share,
        "low": low,
        "high": high,
        "planned": variant.share,
        "text": percent(share),
        "title": f"{label}: {count(variant.profiles)}, {percent(share)}, between {percent(low)} and"
        f" {percent(high)} with 95% confidence; planned {percent(variant.share)}",
    }


def _chart() -> Drawing:
    variants = alt.Y("variant:N", sort=None, title=None, axis=alt.Axis(ticks=False))
    axis = alt.Axis(format="~%", tickCount=4, labelFlush=False)
    shares = alt.X("share:Q", title=None, axis=axis, scale=alt.Scale(nice=4))
    base = alt.Chart(ROWS).encode(y=variants)
    bars = base.mark_bar(color="var(--accent)", opacity=0.55, height=14).encode(
        x=shares, description="title:N"
    )
    planned = base.mark_tick(
        color="var(--other)", thickness=3, height=22, opacity=1, aria=False
    ).encode(x="planned:Q")
    line = base.mark_rule(color="var(--ink)", strokeWidth=1.5, aria=False).encode(
        x="low:Q", x2="high:Q"
    )
    end = base.mark_tick(color="var(--ink)", thickness=1.5, height=9, opacity=1, aria=False)
    ends = [end.encode(x="low:Q"), end.encode(x="high:Q")]
    values = base.mark_text(align="right", aria=False).encode(
        x=alt.value(_VALUES_AT), text="text:N"
    )
    layers = alt.layer(bars, planned, line, *ends, values, height=alt.Step(27))
    return Drawing(layers, CARD, _MARGINS)


def _legend() -> Markup:
    keys = [
        element("span", element("i", class_="key bar"), "visitors"),
        element("span", element("i", class_="key whisker"), "95% confidence"),
        element("span", element("i", class_="key planned"), "planned share"),
    ]
    return element("p", join(keys), class_="legend keys")
