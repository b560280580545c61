"""Before and after: what rules change in comparison with others."""

from __future__ import annotations

from collections.abc import Sequence

from edgewise.amounts import count, counted
from edgewise.simulate.report.figures import place
from edgewise.simulate.report.markup import (
    Markup,
    element,
    empty_element,
    join,
    name_of,
    spaced,
)
from edgewise.simulate.report.tables import MOST_ROWS, rest_note, table
from edgewise.simulate.result import AgainstResult, AudienceChange, ExperienceChange

MOST_CHARTS = 60
MOST_EXAMPLES = 5

_INSET = 0.02
"""The dots need room at both ends of a scale."""


def before_and_after(against: AgainstResult) -> Markup:
    """Return charts and tables of everything that changes, the largest changes first."""
    audiences = sorted(
        (one for one in against.audiences if one.entered or one.left or _is_other(one)),
        key=lambda one: (-(one.entered + one.left), one.id),
    )
    experiences = sorted(
        (one for one in against.experiences if one.moves or _is_other(one)),
        key=lambda one: (-one.moved, one.id),
    )
    if not audiences and not experiences:
        return element("p", "Nobody is treated differently than by the other rules.", class_="note")
    return join([_audiences(audiences), _experiences(experiences), _examples(audiences)])


def _is_other(change: AudienceChange | ExperienceChange) -> bool:
    return change.before != change.after


def _audiences(changes: Sequence[AudienceChange]) -> Markup:
    if not changes:
        return element("p", "All audiences keep their members.", class_="note")
    notes = [f"+{count(one.entered)} −{count(one.left)}" for one in changes]
    return join(
        [
            element("h4", "Members of audiences, and how many enter and leave"),
            _ways(changes, notes),
            rest_note(len(changes), MOST_CHARTS, "audiences"),
        ]
    )


def _experiences(changes: Sequence[ExperienceChange]) -> Markup:
    if not changes:
        return element("p", "All experiences keep their visitors and variants.", class_="note")
    rows = [
        [name_of(change.id), _way(move.before, move.after), count(move.profiles)]
        for change in changes
        for move in change.moves
    ]
    parts = [
        element("h4", "Reach of experiences, and how many change variant"),
        _ways(changes, [f"{count(one.moved)} change" for one in changes]),
        rest_note(len(changes), MOST_CHARTS, "experiences"),
    ]
    if rows:
        parts += [
            element("h4", "Variants"),
            table(["Experience", "From → to", "Visitors"], rows[:MOST_ROWS], texts=["From → to"]),
            rest_note(len(rows), MOST_ROWS, "changes"),
        ]
    return join(parts)


def _ways(changes: Sequence[AudienceChange | ExperienceChange], notes: Sequence[str]) -> Markup:
    """A line from before to after for each change, all on one scale."""
    top = max(max(one.before or 0, one.after or 0) for one in changes) or 1
    keys = [
        element("span", element("i", class_="key dot before"), "before"),
        element("span", element("i", class_="key dot after"), "after"),
        element("span", f"scale from 0 to {counted(top, 'visitor')}"),
    ]
    rows = [_change(one, top, note) for one, note in zip(changes, notes, strict=True)]
    return join([element("p", *keys, class_="legend keys"), element("div", *rows[:MOST_CHARTS])])


def _change(change: AudienceChange | ExperienceChange, top: int, note: str) -> Markup:
    was, now = _number(change.before), _number(change.after)
    return element(
        "div",
        element("span", name_of(change.id), class_="who"),
        element(
            "svg",
            element("title", f"{change.id}: {was} before, {now} after"),
            *_marks(change.before, change.after, top),
            height="26",
            role="img",
        ),
        element("span", f"{was} → {now}", class_="value"),
        element("span", note, class_="value soft"),
        class_="row change",
    )


def _marks(before: int | None, after: int | None, top: int) -> list[Markup]:
    def at(value: int) -> str:
        return place(_INSET + (1 - 2 * _INSET) * value / top)

    scale = {"x1": place(_INSET), "x2": place(1 - _INSET)}
    marks = [empty_element("line", class_="grid", y1="13", y2="13", **scale)]
    if before is not None and after is not None:
        ends = {"x1": at(before), "x2": at(after)}
        marks.append(empty_element("line", class_="way", y1="13", y2="13", **ends))
    # The ring of before is wider than the dot of after, so that both are seen in one place.
    for kind, value, radius in (("before", before, "7"), ("after", after, "4.5")):
        if value is not None:
            marks.append(empty_element("circle", class_=kind, cx=at(value), cy="13", r=radius))
    return marks


def _examples(changes: Sequence[AudienceChange]) -> Markup:
    rows = [
        [name_of(change.id), way, spaced(element("code", name_of(one)) for one in examples)]
        for change in changes[:MOST_CHARTS]
        for way, examples in (
            ("enters", change.entered_examples[:MOST_EXAMPLES]),
            ("leaves", change.left_examples[:MOST_EXAMPLES]),
        )
        if examples
    ]
    if not rows:
        return Markup()
    return element(
        "details",
        element("summary", "Example profiles"),
        table(["Audience", "Way", "Profiles"], rows, texts=["Way", "Profiles"]),
    )


def _way(before: int | None, after: int | None) -> str:
    return f"{_variant(before)} → {_variant(after)}"


def _variant(index: int | None) -> str:
    if index is None:
        return "not given"
    return "baseline" if index == 0 else f"variant {index}"


def _number(value: int | None) -> str:
    return "absent" if value is None else count(value)
