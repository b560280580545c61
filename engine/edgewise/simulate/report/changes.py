"""Before and after: what rules change in comparison with others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgewise.amounts import count
from edgewise.simulate.report.change_chart import change_chart
from edgewise.simulate.report.drawing import Row
from edgewise.simulate.report.markup import Markup, element, join, name_of, spaced
from edgewise.simulate.report.tables import MOST_ROWS, rest_note, table
from edgewise.simulate.report.widths import at_each_width
from edgewise.simulate.result import AgainstResult, AudienceChange, ExperienceChange

MOST_CHARTS = 60
LINES_OF_CHART = 20
MOST_EXAMPLES = 5


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
    keys = [
        element("span", element("i", class_="key dot before"), "before"),
        element("span", element("i", class_="key dot after"), "after"),
    ]
    rows = [
        _row(line, one, note)
        for line, (one, note) in enumerate(zip(changes, notes, strict=True))
        if line < MOST_CHARTS
    ]
    top = max(max(one.before or 0, one.after or 0) for one in changes)

    def draw(width: int) -> Markup:
        drawing = change_chart(width, top)
        return join(drawing.svg(_sentence(some), some) for some in _pages(rows))

    return join([element("p", *keys, class_="legend keys"), at_each_width(draw)])


def _pages(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """A chart is no longer than a page of paper, on which it cannot be broken."""
    for start in range(0, len(rows), LINES_OF_CHART):
        yield rows[start : start + LINES_OF_CHART]


def _sentence(rows: Sequence[Row]) -> str:
    return "; ".join(str(row["title"]) for row in rows)


def _row(line: int, change: AudienceChange | ExperienceChange, note: str) -> Row:
    was, now = _number(change.before), _number(change.after)
    return {
        "line": line,
        "name": change.id,
        "before": change.before,
        "after": change.after,
        "numbers": f"{was} → {now}",
        "note": note,
        "title": f"{change.id}: {was} before, {now} after",
    }


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
