"""A result as people read it on a terminal: tables and bars."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from edgewise.amounts import counted
from edgewise.printable import printable
from edgewise.simulate.result import (
    AgainstResult,
    EnvironmentResult,
    ExperienceResult,
    InputResult,
    Result,
)

MOST_PAIRS = 40
MOST_AUDIENCES = 60

_SPARKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 16
_BAR_WIDTH = 10
_WIDE = 110
"""From this width on there are bars and conditions; below it, ids come first."""
_MOST_BROKEN = 5


def print_summary(result: Result, console: Console) -> None:
    """Print the summary of a result."""
    for part in _parts(result, wide=console.width >= _WIDE):
        console.print(part)


def _parts(result: Result, *, wide: bool) -> Iterator[RenderableType]:
    timeline = result.timeline
    first, last = (time[:16].replace("T", " ") for time in (timeline.first, timeline.last))
    yield Text(
        f"{counted(result.input.events, 'event')} in {counted(result.input.requests, 'request')}"
        + (f", {first} to {last} UTC" if first else "; nothing to replay"),
        style="bold",
    )
    yield from _warnings(result.input)
    for environment in result.environments:
        yield ""
        yield _headline(environment)
        if not environment.profiles:
            continue
        yield _audiences(environment, wide=wide)
        if environment.overlap:
            yield ""
            yield _overlap(environment)
        if environment.experiences:
            yield ""
            yield _experiences(environment)
        yield from _never(environment)
        if environment.against:
            yield from _against(environment.against)


def _warnings(read: InputResult) -> Iterator[RenderableType]:
    if read.broken:
        lines = f"{read.broken:,} of {counted(read.lines, 'line')}"
        yield Text(f"{lines} could not be replayed:", style="red")
        for line in read.broken_lines[:_MOST_BROKEN]:
            yield Text(f"  {line.source}, line {line.line}: {line.reason}", style="red")
        if read.broken > _MOST_BROKEN:
            yield Text(f"  … and {read.broken - _MOST_BROKEN:,} more", style="red")
    if read.out_of_order:
        yield Text(
            f"{counted(read.out_of_order, 'request')} arrived before the one in front of it; the"
            " replay follows the input.",
            style="yellow",
        )


def _headline(environment: EnvironmentResult) -> Text:
    return Text.assemble(
        (environment.environment, "bold cyan"),
        f"  {counted(environment.profiles, 'visitor')}, {environment.merged:,} merged,"
        f" {counted(environment.duplicates, 'repeated event')}, ruleset {environment.ruleset}",
    )


def _audiences(environment: EnvironmentResult, *, wide: bool) -> Group:
    table = Table(box=None, header_style="bold")
    table.add_column("Audience", overflow="fold")
    for name in ("Size", "Share"):
        table.add_column(name, justify="right")
    if wide:
        table.add_column("", no_wrap=True)
    table.add_column("Over time", no_wrap=True)
    for name in ("Entered", "Left", "Merged"):
        table.add_column(name, justify="right")
    if wide:
        table.add_column("Decides most")
    ordered = sorted(environment.audiences, key=lambda one: (-one.size, one.id))
    for audience in ordered[:MOST_AUDIENCES]:
        deciding = Text(
            printable(audience.decides_most), style="dim", overflow="ellipsis", no_wrap=True
        )
        table.add_row(
            _name(audience.id),
            f"{audience.size:,}",
            f"{audience.share:.1%}",
            *([Text(_bar(audience.share), style="cyan")] if wide else []),
            _spark(audience.sizes),
            f"{audience.entered:,}",
            f"{audience.left:,}",
            f"{sum(audience.merged):,}",
            *([deciding] if wide else []),
        )
    rest = len(ordered) - MOST_AUDIENCES
    smaller = "and 1 smaller one" if rest == 1 else f"and {rest} smaller ones"
    return Group(table, Text(smaller, style="dim") if rest > 0 else "")


def _overlap(environment: EnvironmentResult) -> Table:
    table = Table(
        "Both", "and", box=None, header_style="bold", title="Overlap", title_justify="left"
    )
    table.add_column("Visitors", justify="right")
    table.add_column("Of either", justify="right")
    for pair in environment.overlap[:MOST_PAIRS]:
        table.add_row(
            _name(pair.first), _name(pair.second), f"{pair.profiles:,}", f"{pair.jaccard:.1%}"
        )
    return table


def _experiences(environment: EnvironmentResult) -> Table:
    table = Table("Experience", box=None, header_style="bold")
    for name in ("Reach", "Held out"):
        table.add_column(name, justify="right")
    table.add_column("Split")
    table.add_column("Split as planned?")
    for experience in sorted(environment.experiences, key=lambda one: (-one.reach, one.id)):
        table.add_row(
            _name(experience.id),
            f"{experience.reach:,}",
            f"{experience.held_out:,}" if experience.held_out else "",
            _split(experience),
            _verdict(experience),
        )
    return table


def _split(experience: ExperienceResult) -> str:
    if not experience.reach:
        return ""
    shares = (variant.profiles / experience.reach for variant in experience.variants)
    return " / ".join(f"{share:.1%}" for share in shares)


def _verdict(experience: ExperienceResult) -> Text:
    test = experience.ratio_test
    if test is None:
        return Text("")
    if test.too_few:
        return Text("too few to tell", style="dim")
    if test.is_mismatch:
        return Text(f"no, p = {test.p:.2g}", style="bold red")
    return Text(f"yes, p = {test.p:.2f}", style="green")


def _never(environment: EnvironmentResult) -> Iterator[RenderableType]:
    if environment.never.audiences:
        yield Text(
            printable(f"Never matched: {', '.join(environment.never.audiences)}"), style="yellow"
        )
    if environment.never.experiences:
        yield Text(
            printable(f"Never given: {', '.join(environment.never.experiences)}"), style="yellow"
        )


def _against(against: AgainstResult) -> Iterator[RenderableType]:
    audiences = Table(
        "Audience", box=None, header_style="bold", title="What changes", title_justify="left"
    )
    for name in ("Before", "After", "Entered", "Left"):
        audiences.add_column(name, justify="right")
    for audience in against.audiences:
        if audience.entered or audience.left or audience.before is None or audience.after is None:
            audiences.add_row(
                _name(audience.id),
                _count(audience.before),
                _count(audience.after),
                f"+{audience.entered:,}",
                f"-{audience.left:,}",
            )
    moved = Table("Experience", "Variant", box=None, header_style="bold")
    moved.add_column("Visitors", justify="right")
    for experience in against.experiences:
        for move in experience.moves:
            way = f"{_variant(move.before)} → {_variant(move.after)}"
            moved.add_row(_name(experience.id), way, f"{move.profiles:,}")
    if audiences.row_count:
        yield audiences
    if moved.row_count:
        yield moved
    if not audiences.row_count and not moved.row_count:
        yield Text("Nobody is treated differently than by the other rules.", style="green")


def _name(text: str) -> Text:
    """A name as it is: nothing in it is markup, or the code of an emoji."""
    return Text(printable(text))


def _count(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _variant(index: int | None) -> str:
    return "none" if index is None else str(index)


def _bar(share: float) -> str:
    return "█" * round(share * _BAR_WIDTH)


def _spark(values: list[int]) -> str:
    """A line of at most 16 bars; of several values the last one counts."""
    if len(values) > _SPARK_WIDTH:
        places = range(1, _SPARK_WIDTH + 1)
        values = [values[place * len(values) // _SPARK_WIDTH - 1] for place in places]
    top = max(values, default=0)
    if not top:
        return ""
    return "".join(_SPARKS[value * (len(_SPARKS) - 1) // top] for value in values)
