"""Charts of how experiences split their visitors over variants."""

from __future__ import annotations

from edgewise.amounts import count, counted
from edgewise.simulate.chi_square import RatioTest
from edgewise.simulate.report.figures import confidence, percent, place, probability
from edgewise.simulate.report.markup import Markup, element, empty_element, join, name_of
from edgewise.simulate.report.tables import rest_note
from edgewise.simulate.result import EnvironmentResult, ExperienceResult, VariantResult

MISMATCH_P = 0.01
"""Below this a split is called out: chance alone hardly makes it."""
MOST_CHARTS = 60

_ROW_HEIGHT = "26"


def variant_splits(environment: EnvironmentResult) -> Markup:
    """Return a chart per experience with a split to compare; suspicious ones first."""
    split = [one for one in environment.experiences if one.reach and one.ratio_test]
    if not split:
        return element("p", "No experience split its visitors over variants.", class_="note")
    ordered = sorted(split, key=lambda one: (not is_mismatch(one.ratio_test), -one.reach, one.id))
    return element(
        "div",
        _legend(),
        element("div", *(_experience(one) for one in ordered[:MOST_CHARTS]), class_="charts"),
        rest_note(len(split), MOST_CHARTS, "experiences"),
    )


def is_mismatch(test: RatioTest | None) -> bool:
    """Tell whether a split is hardly as planned."""
    return test is not None and not test.too_few and test.p < MISMATCH_P


def verdict(test: RatioTest | None) -> Markup:
    """Return in a few words whether a split is as planned."""
    if test is None:
        return Markup()
    if test.too_few:
        return element("span", "too few to tell", class_="badge")
    p = f"p = {probability(test.p)}"
    if is_mismatch(test):
        return element("span", f"not as planned, {p}", class_="badge bad")
    return element("span", f"as planned, {p}", class_="badge good")


def _experience(experience: ExperienceResult) -> Markup:
    rows = [
        _variant(one, experience.reach) for one in experience.variants if one.share or one.profiles
    ]
    return element(
        "figure",
        element(
            "figcaption",
            element("strong", name_of(experience.id)),
            element("span", counted(experience.reach, "visitor")),
        ),
        *rows,
        element("p", verdict(experience.ratio_test), class_="verdict"),
        class_="chart split",
    )


def _variant(variant: VariantResult, reach: int) -> Markup:
    share = variant.profiles / reach
    low, high = confidence(variant.profiles, reach)
    label = "baseline" if variant.index == 0 else f"variant {variant.index}"
    sentence = (
        f"{label}: {count(variant.profiles)}, {percent(share)}, between {percent(low)} and"
        f" {percent(high)} with 95% confidence; planned {percent(variant.share)}"
    )
    return element(
        "div",
        element("span", label, class_="who"),
        element(
            "svg",
            element("title", sentence),
            empty_element("rect", class_="track", width="100%", y="7", height="12"),
            empty_element("rect", class_="bar", width=place(share), y="7", height="12"),
            _stroke("planned", variant.share, variant.share, "2", "24"),
            _stroke("whisker", low, high, "13", "13"),
            _stroke("whisker", low, low, "9", "17"),
            _stroke("whisker", high, high, "9", "17"),
            height=_ROW_HEIGHT,
            role="img",
        ),
        element("span", percent(share), class_="value"),
        class_="row",
    )


def _stroke(kind: str, left: float, right: float, above: str, below: str) -> Markup:
    return empty_element("line", class_=kind, x1=place(left), x2=place(right), y1=above, y2=below)


def _legend() -> Markup:
    keys = [
        element("span", element("i", class_="key bar"), "visitors"),
        element("span", element("i", class_="key whisker"), "95% confidence"),
        element("span", element("i", class_="key planned"), "planned share"),
    ]
    return element("p", join(keys), class_="legend keys")
