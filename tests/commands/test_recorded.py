"""`edgewise explain --events` tells of one visitor of a recording, as it was at a time."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, cast

import polars as pl
import pytest

from edgewise.cli import main
from edgewise.simulate.extras import load_extra
from tests.simulate.worlds import (
    DAY_MS,
    MAIN,
    MINUTE_MS,
    NOON_MS,
    SHOP,
    line,
    records_of,
    served,
    write_lines,
    write_rules,
)

OTHER_RULES = "audiences: [{id: everyone, session count: {at least: 1}}]"
NEWS: dict[str, Any] = {"context": {"page": {"path": "/news"}}}

Explain = Callable[..., Any]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one environment."""
    return write_rules(tmp_path / "rules", {MAIN: SHOP})


@pytest.fixture
def explain(rules: Path, capsys: pytest.CaptureFixture[str]) -> Explain:
    """Explains a file, and returns what is printed as JSON."""

    def run(path: str, *arguments: str) -> Any:
        assert main(["explain", str(rules), "--events", path, *arguments, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def text(rules: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Explains a file, and returns the lines above the audiences."""

    def run(path: str, *arguments: str) -> list[str]:
        assert main(["explain", str(rules), "--events", path, *arguments]) == 0
        return capsys.readouterr().out.partition("\n\n")[0].splitlines()[1:]

    return run


@pytest.fixture
def refused(rules: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Explains a file in vain, and returns the message."""

    def run(path: str, *arguments: str) -> str:
        assert main(["explain", str(rules), "--events", path, *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err.removeprefix("edgewise: ").removesuffix("\n")

    return run


def iso(time_ms: int) -> str:
    """A time as the command line takes it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def of(name: str, arrivals_ms: Iterable[int], **event: Any) -> list[dict[str, Any]]:
    """One view of the news at each time."""
    return [line(name, NOON_MS + ms, **NEWS, **event) for ms in arrivals_ms]


def audiences(explanation: Any) -> list[str]:
    """The audiences that the visitor is in."""
    return [one["id"] for one in explanation["audiences"] if one["holds"]]


def test_a_recording_is_explained_as_it_was_at_its_end(
    tmp_path: Path, explain: Explain, text: Explain
) -> None:
    """Windows are open as when the last event arrived, however long ago that is."""
    path = write_lines(tmp_path / "log", of("a", (0, DAY_MS)))
    result = explain(path)
    assert result["now_ms"] == NOON_MS + DAY_MS
    assert "readers" in audiences(result)
    assert text(path) == ["as of 2026-11-02T12:00:00Z, when the last event arrived"]


def test_the_end_is_that_of_the_whole_recording(tmp_path: Path, explain: Explain) -> None:
    """One visitor's windows go on to the last event of all."""
    path = write_lines(
        tmp_path / "log", [*of("a", (0, DAY_MS)), *of("b", (5 * DAY_MS,)), *of("b", (0,))]
    )
    result = explain(path, "--id", "a")
    assert result["now_ms"] == NOON_MS + 5 * DAY_MS
    assert "readers" not in audiences(result)


def test_a_time_in_the_middle_leaves_out_what_came_later(
    tmp_path: Path, explain: Explain, text: Explain
) -> None:
    """With --at the visitor is as it was then; what had arrived at that very moment counts."""
    path = write_lines(tmp_path / "log", of("a", (0, DAY_MS, DAY_MS + 1, 9 * DAY_MS)))
    readers = [
        "readers" in audiences(explain(path, "--at", iso(NOON_MS + ms)))
        for ms in (DAY_MS - 1, DAY_MS, 4 * DAY_MS)
    ]
    assert readers == [False, True, False]
    assert text(path, "--at", "2026-11-02T12:00:00Z") == [
        "as of 2026-11-02T12:00:00Z, as --at asks",
        "Left out: 2 requests that arrived after 2026-11-02T12:00:00Z.",
    ]


def test_a_time_after_the_end_closes_windows(tmp_path: Path, explain: Explain) -> None:
    """With --at a visitor may be looked at later than the recording goes."""
    path = write_lines(tmp_path / "log", of("a", (0, DAY_MS)))
    assert "readers" in audiences(explain(path, "--at", iso(NOON_MS + 2 * DAY_MS)))
    assert "readers" not in audiences(explain(path, "--at", iso(NOON_MS + 2 * DAY_MS + 1)))


def test_events_arrive_when_their_lines_say(rules: Path, tmp_path: Path, explain: Explain) -> None:
    """A visitor is as the service has it that received each line at its time, in their order."""
    lines = [
        *of("a", (0,), timestamp=NOON_MS - DAY_MS),
        line("a", NOON_MS + MINUTE_MS, type="identify", traits={"tier": "gold"}),
        # The sender's clock is wrong, and is believed no further than the arrival.
        *of("a", (DAY_MS,), timestamp=NOON_MS + 300 * DAY_MS),
        line("a", NOON_MS + 2 * DAY_MS, type="identify", traits={"tier": "none"}),
        *of("a", (2 * DAY_MS - 5,)),
    ]
    outcome = served(rules, records_of(lines))[-1]
    result = explain(write_lines(tmp_path / "log", lines))
    assert result["profile_id"] == outcome.profile.id
    assert result["now_ms"] == NOON_MS + 2 * DAY_MS
    # The last line is not the one that arrived last, but nothing leaves a window in between.
    assert audiences(result) == outcome.decision.audiences
    assert "gold" not in audiences(result)
    assert "regulars" in audiences(result)


def test_a_line_without_a_time_came_with_the_one_before(tmp_path: Path, explain: Explain) -> None:
    """Arrivals that are not told are those of the lines before, or of the first that is."""
    timeless = {"type": "page", "anonymousId": "a", **NEWS}
    lines = [timeless, *of("a", (0, 3 * DAY_MS)), {**timeless, "messageId": "2"}]
    path = write_lines(tmp_path / "log", lines)
    (readers,) = explain(path, "--audience", "readers")["audiences"]
    assert readers["condition"]["seen"] == 2
    early = explain(path, "--audience", "readers", "--at", iso(NOON_MS))["audiences"][0]
    assert early["condition"]["seen"] == 2


def test_events_without_any_time_are_of_now(tmp_path: Path, text: Explain) -> None:
    """Where nothing tells a time, it is now, or when --at says."""
    path = write_lines(tmp_path / "log", [{"type": "page"}])
    (basis,) = text(path)
    assert basis.startswith("as of 2")
    assert basis.endswith("Z, which is now")
    assert text(path, "--at", "2026-11-01") == ["as of 2026-11-01T00:00:00Z, as --at asks"]


@pytest.mark.parametrize("form", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("source", ["file", "stdin"])
def test_recordings_are_read_as_simulate_reads_them(
    tmp_path: Path, explain: Explain, monkeypatch: pytest.MonkeyPatch, form: str, source: str
) -> None:
    """What a file is compressed with, its first bytes say; "-" is standard input."""
    path = Path(write_lines(tmp_path / "log", of("a", (0, DAY_MS))))
    if form == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    elif form == "zstd":
        frames = load_extra("edgewise.simulate.zstd", "Writing zstd")
        data = path.read_bytes()
        with path.open("wb") as raw, frames.create_frames(raw) as file:
            file.write(data)
    named = str(path)
    if source == "stdin":
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(path.read_bytes())))
        monkeypatch.setattr(sys, "stdin", cast("TextIO", stdin))
        named = "-"
    assert "readers" in audiences(explain(named))


def test_parquet_is_read_too(tmp_path: Path, explain: Explain) -> None:
    """A file with a row per event is a recording as well."""
    path = tmp_path / "log.parquet"
    pl.DataFrame(of("a", (0, DAY_MS))).write_parquet(path)
    result = explain(str(path))
    assert result["now_ms"] == NOON_MS + DAY_MS
    assert "readers" in audiences(result)


def test_a_visitor_is_picked_of_many(tmp_path: Path, explain: Explain) -> None:
    """With --id one visitor is explained, without what the others do."""
    path = write_lines(tmp_path / "log", [*of("a", (0,)), *of("b", (1, 2)), *of("a", (3,))])
    for name, seen in (("a", 2), ("b", 2), ("a", 2)):
        (readers,) = explain(path, "--id", name, "--audience", "readers")["audiences"]
        assert readers["condition"]["seen"] == seen
    ids = {explain(path, "--id", name)["profile_id"] for name in "ab"}
    assert len(ids) == 2
    # A profile is picked by its id, too.
    assert explain(path, "--id", ids.pop())["profile_id"] not in ids


def test_a_visitor_is_picked_with_those_it_merges_with(tmp_path: Path, explain: Explain) -> None:
    """Two devices of one user id are one visitor, by each name; before that they are two."""
    login = {"type": "identify", "userId": "u"}
    lines = [
        *of("a", (0,)),
        *of("c", (0,)),
        line("a", NOON_MS + 1, **login),
        *of("b", (2,)),
        line("b", NOON_MS + 3, **login),
    ]
    path = write_lines(tmp_path / "log", lines)
    seen = [
        explain(path, "--id", name, "--audience", "readers")["audiences"][0]["condition"]["seen"]
        for name in "abuc"
    ]
    assert seen == [2, 2, 2, 1]
    early = explain(path, "--id", "b", "--audience", "readers", "--at", iso(NOON_MS + 2))
    assert early["audiences"][0]["condition"]["seen"] == 1


def test_visitors_are_not_folded_into_one(tmp_path: Path, refused: Callable[..., str]) -> None:
    """Without --id a recording of several visitors is refused, with how to pick one."""
    path = write_lines(tmp_path / "log", [*of("a", (0,)), *of("b", (1,))])
    assert refused(path) == (
        f'{path}: these are the events of 2 visitors ("a", "b"); pick one with --id, as in --id "a"'
    )
    assert refused(path, "--id", "z") == f'{path}: there is no visitor "z" among 2 ("a", "b")'
    until = f"{path} up to 2026-11-01T12:00:00Z"
    assert refused(path, "--id", "b", "--at", iso(NOON_MS)) == (
        f'{until}: there is no visitor "b", but only "a"'
    )
    assert refused(path, "--at", "2026-10-01") == (
        f"{path}: nothing arrived up to 2026-10-01T00:00:00Z;"
        " the first event did at 2026-11-01T12:00:00Z"
    )


def test_what_is_left_out_is_told(
    rules: Path, tmp_path: Path, explain: Explain, text: Explain, refused: Callable[..., str]
) -> None:
    """Lines of other environments, and without a name beside several visitors, do not count."""
    write_rules(rules, {"shop/other": OTHER_RULES})
    nameless = {"type": "page", "receivedAt": NOON_MS, **NEWS}
    lines = [
        *of("a", (0,)),
        *of("b", (0,)),
        *of("a", (DAY_MS,), environment="shop/other"),
        nameless,
        {**nameless, "messageId": "2"},
    ]
    path = write_lines(tmp_path / "log", lines)
    arguments = ("--id", "a", "--environment", MAIN)
    assert text(path, *arguments) == [
        "as of 2026-11-02T12:00:00Z, when the last event arrived",
        "Left out: 1 request of another environment than shop/main.",
        "Left out: 2 requests without a name.",
    ]
    (readers,) = explain(path, *arguments, "--audience", "readers")["audiences"]
    assert readers["condition"]["seen"] == 1
    only = write_lines(tmp_path / "only", lines[2:3])
    assert audiences(explain(only, "--environment", "shop/other")) == ["everyone"]
    assert refused(only, "--environment", MAIN) == f"{only}: there are no events of shop/main in it"


def test_texts_in_broken_lines_do_not_steer_the_terminal(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a line says of itself is shown with escapes."""
    broken = {"type": "page", "anonymousId": "b", "environment": "\x1b[31m" + "x" * 9_999}
    path = write_lines(tmp_path / "log", [*of("a", (0,)), *of("b", (1,)), broken])
    assert main(["explain", str(rules), "--events", path, "--id", "a", "--format", "json"]) == 0
    told = capsys.readouterr().err
    assert r'the rules have no environment "\x1b[31mxxx' in told
    assert told.count("x") < 300


def test_values_do_not_steer_the_terminal(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A trait that a condition looked at is shown with escapes, also where JSON needs none."""
    path = write_lines(tmp_path / "log", of("a", (0,), type="identify", traits={"tier": "\x9b1m"}))
    assert main(["explain", str(rules), "--events", path, "--audience", "gold"]) == 0
    assert r'saw "\x9b1m"' in capsys.readouterr().out


def test_a_clock_that_is_far_ahead_tells_no_time(tmp_path: Path, explain: Explain) -> None:
    """What a visitor takes for the time is no reason to refuse its events, as the API does not."""
    path = write_lines(
        tmp_path / "one.ndjson", [{"type": "page", "timestamp": "2200-01-01T00:00Z"}]
    )
    assert explain(path, "--at", iso(NOON_MS))["now_ms"] == NOON_MS


def test_broken_lines_of_many_visitors_are_told(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Callable[..., str]
) -> None:
    """A broken line among several visitors is left out and told, and refused of one alone."""
    broken = {"type": "dance", "anonymousId": "b"}
    path = write_lines(tmp_path / "log", [*of("a", (0,)), broken, broken, *of("b", (1,))])
    assert main(["explain", str(rules), "--events", path, "--id", "a", "--format", "json"]) == 0
    assert capsys.readouterr().err == (
        "edgewise: 2 of 4 lines could not be read;"
        f" the first: {path}, line 2: type: unknown event type\n"
    )
    alone = write_lines(tmp_path / "alone", [*of("a", (0,)), broken])
    assert refused(alone) == f"{alone}, line 2: type: unknown event type"
    nothing = write_lines(tmp_path / "nothing", [broken])
    assert refused(nothing) == f"{nothing}: type: unknown event type"


def test_an_exported_log_joins_profiles_where_they_were(tmp_path: Path, explain: Explain) -> None:
    """What a line of a log tells of joined profiles counts as it does in a simulation."""
    one, other = "1" * 64, "2" * 64
    lines = [
        line("", NOON_MS, profileId=one, **NEWS),
        line("", NOON_MS + 1, profileId=other, **NEWS, **{"$joined": [[one, other]]}),
    ]
    path = write_lines(tmp_path / "log", lines)
    result = explain(path, "--audience", "readers")
    assert result["profile_id"] == other
    assert result["audiences"][0]["condition"]["seen"] == 2


def test_counts_that_fall_short_tell_what_came_nearest(tmp_path: Path, explain: Explain) -> None:
    """The events of the visitor alone, on all of its devices, each once, tell what is missing."""
    shop: dict[str, Any] = {"context": {"page": {"path": "/shop"}}}
    login = {"type": "identify", "userId": "u"}
    lines = [
        *of("a", (0,)),
        line("a", NOON_MS + 1, **shop, messageId="m"),
        line("a", NOON_MS + 2, **shop, messageId="m"),
        line("a", NOON_MS + 3, **login),
        line("c", NOON_MS + 4, **shop),
        line("b", NOON_MS + 5, **shop),
        line("b", NOON_MS + 6, **login),
    ]
    path = write_lines(tmp_path / "log", lines)
    (readers,) = explain(path, "--id", "a", "--audience", "readers")["audiences"]
    assert readers["condition"]["seen"] == 1
    assert readers["condition"]["nearest"] == (
        'views of pages that do not match: 2, the nearest with path "/shop"'
    )
