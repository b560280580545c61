"""A result → one HTML file, which needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from edgewise.amounts import count, counted
from edgewise.simulate.report.changes import before_and_after
from edgewise.simulate.report.figures import moment, percent
from edgewise.simulate.report.heat_map import overlap
from edgewise.simulate.report.markup import Markup, element, join, name_of, spaced
from edgewise.simulate.report.splits import variant_splits, verdict
from edgewise.simulate.report.tables import MOST_ROWS, names, rest_note, table
from edgewise.simulate.report.timelines import audience_sizes, new_visitors
from edgewise.simulate.result import (
    AudienceResult,
    EnvironmentResult,
    ExperienceResult,
    InputResult,
    Result,
    TimelineResult,
)

# Whatever a name holds, the file asks nobody for anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ICON = "data:,"
_TITLE = "Simulation report"


def html_report(result: Result) -> str:
    """Return the report as a page; the same result gives the same text."""
    style = files("edgewise.simulate.report").joinpath("style.css").read_text("utf-8")
    body = element("body", element("main", *_parts(result)))
    head = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<link rel="icon" href="{_ICON}">\n'
        f"<title>{_TITLE}</title>\n<style>\n{style}</style>\n</head>\n"
    )
    # Half a pair of surrogates is no text that a file could hold.
    return (head + body + "\n</html>\n").encode(errors="replace").decode()


def _parts(result: Result) -> Iterator[Markup]:
    yield _header(result)
    yield _broken(result.input)
    for environment in result.environments:
        yield _environment(environment, result.timeline)


def _header(result: Result) -> Markup:
    timeline = result.timeline
    span = "There was nothing to replay."
    if timeline.first:
        span = f"{moment(timeline.first)} to {moment(timeline.last)} UTC"
    visitors = sum(one.profiles for one in result.environments)
    tiles = [
        _tile(counted(result.input.events, "event")),
        _tile(counted(result.input.requests, "request")),
        _tile(counted(visitors, "visitor")),
        _tile(f"{count(sum(one.merged for one in result.environments))} merged"),
    ]
    sources = spaced(element("code", name_of(one)) for one in result.input.sources)
    return element(
        "header",
        element("h1", _TITLE),
        element("p", span, class_="span"),
        element("div", *tiles, class_="tiles"),
        element("p", "Replayed from ", sources, class_="note") if sources else Markup(),
    )


def _tile(text: str) -> Markup:
    value, _, label = text.partition(" ")
    return element("div", element("b", value), element("span", label), class_="tile")


def _broken(read: InputResult) -> Markup:
    parts = []
    if read.out_of_order:
        sentence = "arrived before the one in front of it; the replay follows the input."
        requests = counted(read.out_of_order, "request")
        parts.append(element("p", f"{requests} {sentence}", class_="note"))
    if read.broken:
        rows = [[name_of(one.source), count(one.line), one.reason] for one in read.broken_lines]
        parts += [
            element("h2", f"Broken lines: {count(read.broken)} of {count(read.lines)}"),
            table(["Source", "Line", "Reason"], rows, texts=["Reason"]),
        ]
    return element("section", *parts, class_="warning") if parts else Markup()


def _environment(environment: EnvironmentResult, timeline: TimelineResult) -> Markup:
    facts = (
        f"{counted(environment.profiles, 'visitor')} at the end,"
        f" {count(environment.merged)} merged,"
        f" {counted(environment.duplicates, 'repeated event')}, ruleset {environment.ruleset}"
    )
    parts = [
        element("h2", name_of(environment.environment)),
        element("p", facts, class_="note"),
    ]
    if environment.profiles:
        parts += _answers(environment, timeline)
    else:
        parts.append(element("p", "Nobody came, so there is nothing to show."))
    return element("section", *parts, class_="environment")


def _answers(environment: EnvironmentResult, timeline: TimelineResult) -> Iterator[Markup]:
    yield new_visitors(environment, timeline)
    if environment.against:
        yield _part("Before and after", before_and_after(environment.against))
    if environment.audiences:
        yield _part("Audience sizes over time", audience_sizes(environment, timeline))
        yield _part("Audiences that share visitors", overlap(environment))
    if environment.experiences:
        yield _part("Variant splits", variant_splits(environment))
    never = environment.never
    if never.audiences or never.experiences:
        lists = [
            names("Audiences that nobody was in", never.audiences),
            names("Experiences that nobody got", never.experiences),
        ]
        yield _part("Never", join(lists))
    if environment.audiences:
        yield _part("All audiences", _audiences(environment.audiences))
    if environment.experiences:
        yield _part("All experiences", _experiences(environment.experiences))


def _part(title: str, content: Markup) -> Markup:
    return element("section", element("h3", title), content, class_="part")


def _audiences(audiences: list[AudienceResult]) -> Markup:
    ordered = sorted(audiences, key=lambda one: (-one.size, one.id))
    rows = [
        [
            _titled(one.id, one.name),
            count(one.size),
            percent(one.share),
            count(one.ever),
            count(one.entered),
            count(one.left),
            count(sum(one.merged)),
            one.decides_most,
        ]
        for one in ordered[:MOST_ROWS]
    ]
    numbers = ["Size", "Share", "Ever", "Entered", "Left", "Merged"]
    headings = ["Audience", *numbers, "Decides most"]
    rest = rest_note(len(ordered), MOST_ROWS, "audiences")
    return join([table(headings, rows, texts=["Decides most"]), rest])


def _experiences(experiences: list[ExperienceResult]) -> Markup:
    ordered = sorted(experiences, key=lambda one: (-one.reach, one.id))
    rows = [
        [
            _titled(one.id, one.name),
            one.kind.removeprefix("nt_"),
            name_of(one.audience_id) if one.audience_id else "everybody",
            percent(one.traffic_allocation),
            count(one.reach),
            count(one.held_out),
            verdict(one.ratio_test) if one.reach else "",
        ]
        for one in ordered[:MOST_ROWS]
    ]
    headings = ["Experience", "Kind", "Audience", "Traffic", "Reach", "Held out", "Split"]
    rest = rest_note(len(ordered), MOST_ROWS, "experiences")
    return join([table(headings, rows, texts=["Kind", "Audience", "Split"]), rest])


def _titled(identifier: str, name: str) -> Markup:
    if not name or name == identifier:
        return name_of(identifier)
    return join([name_of(identifier), element("small", name_of(name))])
