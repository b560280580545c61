"""Files of results side by side, and what the command lines refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import compare

RESULTS = Path(compare.__file__).parent / "results"


@pytest.mark.parametrize(
    ("name", "title"), [("engine.json", "W(1,000)"), ("peers.json", "datalogic-py, N = 1,000")]
)
def test_results_with_themselves(name: str, title: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The committed results of either benchmark can be compared, and are as they were."""
    path = str(RESULTS / name)
    assert compare.main([path, path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{title} ") for line in lines)
    assert all(line.endswith("+0.0%  same") for line in lines)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["engine.json"], "the following arguments are required: after"),
        (["engine.json", "nosuch.json"], "nosuch.json: No such file"),
        (["engine.json", "stages.json"], "stages.json: no results of a benchmark"),
        (["engine.json", "peers.json"], "no row in common"),
    ],
)
def test_what_cannot_be_compared(
    names: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is missing, or holds something else, is told by its name."""
    with pytest.raises(SystemExit) as stopped:
        compare.main([str(RESULTS / name) for name in names])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_case_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of a name that no case has does not pass for a run in which all limits hold."""
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only", "nosuch"])
    with pytest.raises(SystemExit) as stopped:
        benchmarks.main()
    assert stopped.value.code == 2
    assert "there are: W(10), " in capsys.readouterr().err
