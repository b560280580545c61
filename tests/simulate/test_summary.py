"""The summary says what a person needs to see, at any width."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from edgewise.simulate.progress import TerminalProgress
from edgewise.simulate.result import Result
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.summary import print_summary
from tests.simulate.worlds import MAIN, NOON_MS, SHOP, line, write_lines, write_rules


def shown(result: Result, width: int = 120) -> str:
    """Return the summary as plain text."""
    text = io.StringIO()
    print_summary(result, Console(file=text, width=width))
    return text.getvalue()


def simulated(tmp_path: Path, lines: list[dict[str, object]], other: str = "") -> Result:
    """Simulate some lines, if given against other rules."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP}))
    against = read_rules(write_rules(tmp_path / "other", {MAIN: other})) if other else None
    path = write_lines(tmp_path / "events", lines)
    source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
    return simulate(rules, against, source, Options())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_summary_names_what_there_is(tmp_path: Path, width: int) -> None:
    """Audiences with their sizes, experiences, what never matched and broken lines are named."""
    lines = [line(f"v{n}", NOON_MS + n) for n in range(50)] + [{"type": "page"}]
    text = shown(simulated(tmp_path, lines), width)
    flat = " ".join(text.split())
    assert "50 events in 50 requests" in flat
    assert "1 of 51 lines could not be replayed" in flat
    assert "Never matched: alpine, buyers, gold, mobile" in flat
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize(("broken", "rest"), [(5, ""), (6, "1"), (30, "25")])
def test_summary_counts_the_broken_lines_that_it_leaves_out(
    tmp_path: Path, broken: int, rest: str
) -> None:
    """Five broken lines are shown, and how many more there are."""
    lines = [line("a", NOON_MS), *({"type": "page", "n": number} for number in range(broken))]
    text = shown(simulated(tmp_path, lines))
    assert text.count(", line ") == 5
    assert (f"  … and {rest} more\n" in text) is bool(rest)


@pytest.mark.parametrize(("width", "shown_fully"), [(80, False), (110, True)], ids=["80", "110"])
def test_narrow_terminals_show_ids_first(tmp_path: Path, width: int, shown_fully: bool) -> None:
    """What decides has a column only where the ids of audiences do not suffer for it."""
    text = shown(simulated(tmp_path, [line("v", NOON_MS)]), width)
    assert ("Decides most" in text) is shown_fully
    assert all(f" {name} " in text for name in ("alpine", "buyers", "gold", "mobile"))


def test_sizes_add_up_with_merged_members(tmp_path: Path) -> None:
    """Members whose visitor became another one are counted beside those who entered and left."""
    buying, login = {"type": "track", "event": "buy"}, {"type": "identify", "userId": "u"}
    events = [("phone", buying), ("laptop", buying), ("phone", login), ("laptop", login)]
    lines = [line(name, NOON_MS + n, **event) for n, (name, event) in enumerate(events)]
    rows = [row.split() for row in shown(simulated(tmp_path, lines), 80).splitlines()]
    (heading,) = (row for row in rows if row[:1] == ["Audience"])
    assert heading[-3:] == ["Entered", "Left", "Merged"]
    buyers = next(row for row in rows if row[:1] == ["buyers"])
    size, (entered, left, merged) = int(buyers[1]), map(int, buyers[-3:])
    assert (size, entered, left, merged) == (1, 2, 0, 1)


def test_one_is_no_plural(tmp_path: Path) -> None:
    """A single event, request or visitor is named in the singular."""
    text = shown(simulated(tmp_path, [line("a", NOON_MS)]))
    assert text.startswith("1 event in 1 request, ")
    assert f"{MAIN}  1 visitor, 0 merged, 0 repeated events" in text


def test_summary_of_nothing(tmp_path: Path) -> None:
    """Without events the summary says so."""
    assert "nothing to replay" in shown(simulated(tmp_path, []))


def test_summary_tells_what_changes(tmp_path: Path) -> None:
    """Against other rules the summary counts who enters and leaves."""
    other = SHOP.replace("event: buy", "event: sell")
    lines = [line("a", NOON_MS, type="track", event="buy")]
    flat = " ".join(shown(simulated(tmp_path, lines, other)).split())
    assert "buyers 0 1 +1 -0" in flat
    same = " ".join(shown(simulated(tmp_path, lines, SHOP)).split())
    assert "Nobody is treated differently" in same


@pytest.mark.parametrize(
    ("id_", "text"),
    [("[bold]x", "[bold]x"), ("deal:fire:x", "deal:fire:x"), ("a\x1b[1mx", r"a\x1b[1mx")],
)
def test_names_are_no_markup(tmp_path: Path, id_: str, text: str) -> None:
    """An id is shown as it is written: no style, no emoji, and nothing that steers a terminal."""
    seen = {"id": id_, "has viewed page": "*", "has trait": {f"not {id_}": {"is set": False}}}
    never = {"id": f"{id_} never", "has viewed page": {"path": id_}}
    rules = json.dumps(
        {"audiences": [{"id": id_, "has viewed page": "*"}, seen | {"id": "two"}, never]}
    )
    result = simulate(
        read_rules(write_rules(tmp_path / "rules", {MAIN: rules})),
        None,
        Input(
            paths=(write_lines(tmp_path / "events", [line("a", NOON_MS)]),),
            environments=(MAIN,),
            environment=MAIN,
        ),
        Options(),
    )
    told = shown(result)
    assert text in told
    assert f"Never matched: {text} never" in told
    assert f"not {text}" in told
    assert "\x1b" not in told


def test_progress_is_quiet_without_a_terminal() -> None:
    """What is no terminal gets no progress."""
    text = io.StringIO()
    with TerminalProgress(Console(file=text)) as progress:
        progress.scanning(10, 0.5)
        progress.replaying(10)
        progress.replayed(10)
    assert text.getvalue() == ""


def test_progress_on_a_terminal_counts() -> None:
    """On a terminal the bars show what was done."""
    text = io.StringIO()
    with TerminalProgress(Console(file=text, force_terminal=True, width=100)) as progress:
        progress.scanning(10, None)
        progress.replaying(20)
        progress.replayed(20)
    assert "20/20" in text.getvalue()


def test_progress_of_reading_estimates_what_is_left() -> None:
    """Where the share of the input is known, so is about how many lines there are.

    A better estimate takes its place only where it is another one: rates begin anew with it.
    """
    text = io.StringIO()
    with TerminalProgress(Console(file=text, force_terminal=True, width=100)) as progress:
        progress.scanning(4_096, 0.25)
        progress.scanning(8_192, 0.501)
    assert "8192/16384" in text.getvalue()
    with TerminalProgress(Console(file=text, force_terminal=True, width=100)) as progress:
        progress.scanning(4_096, 0.25)
        progress.scanning(8_192, 0.25)
    assert "8192/32768" in text.getvalue()
