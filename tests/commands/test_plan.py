"""The command `edgewise plan`: days from simulated reach, and what cannot be planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edgewise.cli import main
from edgewise.simulate.result import Result, encode_result
from tests.simulate.report.results import simulated

pytest.importorskip("statsmodels")

RULES = str(Path(__file__).parents[2] / "rules")
ASKED = ["--baseline", "0.04", "--lift", "0.1"]


def written(folder: Path, result: Result) -> str:
    """The path of a result that was written as JSON."""
    path = folder / "result.json"
    path.write_bytes(encode_result(result))
    return str(path)


def with_reach(reach: int, held_out: int, days: int) -> Result:
    """A result in which an even experiment reached some visitors in some days of November."""
    result = simulated(2_000)
    (environment,) = result.environments
    experience = next(one for one in environment.experiences if one.id == "free-shipping")
    variants = [replace(one, share=0.5) for one in experience.variants]
    changed = replace(experience, reach=reach, held_out=held_out, variants=variants)
    last = f"2026-11-{1 + days:02}T00:00:00.000Z"
    return replace(
        result,
        timeline=replace(result.timeline, first="2026-11-01T00:00:00.000Z", last=last),
        environments=[replace(environment, experiences=[changed])],
    )


def test_days_follow_from_reach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """78,910 visitors at 1,000 a day take 79 days, and half of that with all traffic."""
    path = written(tmp_path, with_reach(10_000, 10_000, 10))
    assert main(["plan", "free-shipping", *ASKED, "--from", path]) == 0
    text = capsys.readouterr().out
    assert "free-shipping in demo/main: 79 days" in text
    assert "78,910 visitors and reaches 1,000.0 new ones a day" in text
    assert "With all traffic: 40 days." in text
    assert "Only 10.0 days were simulated" in text
    assert "after 28 days  +17." in text


def test_a_drop_has_an_outlook_of_drops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever fears a loss is told how small a loss would be found."""
    path = written(tmp_path, with_reach(10_000, 0, 10))
    asked = ["--baseline", "0.04", "--lift", "-0.1"]
    assert main(["plan", "free-shipping", *asked, "--from", path]) == 0
    text = capsys.readouterr().out
    assert "The least drop that it finds:\n" in text
    assert "after 28 days  -15.8%" in text


def test_variants_share_alpha(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An experiment with two variants makes two comparisons and needs more for each."""
    path = written(tmp_path, simulated(2_000))
    assert main(["plan", "product-page", *ASKED, "--from", path]) == 0
    assert "each of 2 variants" in capsys.readouterr().out


def test_events_are_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Instead of a result, events and rules may be named."""
    events = str(tmp_path / "events.ndjson")
    assert main(["synth", "--profiles", "50", "--events", "200", "--out", events]) == 0
    arguments = ["--events", events, "--rules", RULES, "--environment", "demo/main"]
    assert main(["plan", "product-page", *ASKED, *arguments]) == 0
    assert capsys.readouterr().out.startswith("product-page in demo/main: ")


def test_nobody_reached_is_never(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An experiment that reaches nobody takes longer than any plan, and finds no lift."""
    path = written(tmp_path, with_reach(0, 0, 10))
    assert main(["plan", "free-shipping", *ASKED, "--from", path]) == 0
    text = capsys.readouterr().out
    assert "more than 10 years" in text
    assert "after 56 days  none" in text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["free-shiping", *ASKED], "did you mean", id="unknown"),
        pytest.param(["alpine-teaser", *ASKED], "nothing to compare", id="no-experiment"),
        pytest.param(["x", "--baseline", "4", "--lift", "0.1"], "--baseline", id="baseline"),
        pytest.param(["x", "--baseline", "0.5", "--lift", "1"], "--lift", id="lift-above-all"),
        pytest.param(["x", "--baseline", "0.5", "--lift", "0"], "--lift", id="no-lift"),
        *(
            pytest.param(
                ["free-shipping", "--baseline", "0.04", "--lift", lift],
                "edgewise: no number of visitors can be found that tells 4.0000% from 4.0000%",
                id=f"lift-{lift}",
            )
            for lift in ("1e-12", "1e-17")
        ),
        pytest.param(["x", *ASKED, "--power", "1"], "--power", id="power"),
        pytest.param(["x", *ASKED, "--alpha", "nan"], "--alpha", id="alpha"),
        pytest.param(["x", *ASKED, "--environment", "a/b"], "no environment", id="environment"),
    ],
)
def test_what_cannot_be_planned_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    """Impossible questions end with status 2 and name what is wrong."""
    path = written(tmp_path, simulated(2_000))
    assert main(["plan", *arguments, "--from", path]) == 2
    assert reason in capsys.readouterr().err


def test_inputs_that_are_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is missing or holds something else, or no file at all, is told as such."""
    other = tmp_path / "other.json"
    other.write_text("[]", "utf-8")
    assert main(["plan", "x", *ASKED]) == 2
    assert main(["plan", "x", *ASKED, "--from", str(tmp_path / "missing.json")]) == 2
    assert main(["plan", "x", *ASKED, "--from", str(other)]) == 2
    said = capsys.readouterr().err
    assert "name either --from" in said
    assert "not what simulate --json writes" in said
    empty = written(tmp_path, simulated(0))
    assert main(["plan", "product-page", *ASKED, "--from", empty]) == 2
    assert "nothing was simulated" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "its format is 99, and not 1"),
        ({"format": 2, "input": [], "timeline": None}, "its format is 2, and not 1"),
        ({"timeline": {"last": ""}}, "timeline.last is no time"),
        ({"timeline": {"first": ""}}, "timeline.first is no time"),
        ({"timeline": {"last": "2001-01-01T00:00:00Z"}}, "timeline.last is before timeline.first"),
        ({"timeline": {"first": "x"}}, "timeline.first is no time"),
        ({"timeline": {"last": "2026-11-01T00:00:00"}}, "timeline.last is no time"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    message: str,
) -> None:
    """What is no result of this version is told, whatever else it looks like."""
    events, path = tmp_path / "events.ndjson", tmp_path / "result.json"
    assert main(["synth", "--events", "50", "--out", str(events)]) == 0
    assert main(["simulate", RULES, str(events), "--json", str(path), "--quiet"]) == 0
    result = json.loads(path.read_bytes())
    for name, change in changes.items():
        result[name] = result[name] | change if isinstance(change, dict) else change
    path.write_text(json.dumps(result))
    plan = ["plan", "product-page", "--baseline", "0.04", "--lift", "0.1", "--from", str(path)]
    assert main(plan) == 2
    assert message in capsys.readouterr().err
