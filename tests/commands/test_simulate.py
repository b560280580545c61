"""The commands `edgewise synth` and `edgewise simulate`."""

from __future__ import annotations

import errno
import gzip
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from shutil import copytree

import pytest

from edgewise.cli import main
from edgewise.simulate.files import read_lines
from edgewise.simulate.result import decode_result

RULES = str(Path(__file__).parents[2] / "rules")


@pytest.fixture
def events(tmp_path: Path) -> str:
    """A file of synthetic events."""
    path = str(tmp_path / "events.ndjson.zst")
    assert main(["synth", "--profiles", "80", "--events", "400", "--out", path]) == 0
    return path


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_synth_writes_what_simulate_reads(tmp_path: Path, suffix: str) -> None:
    """Traffic is written plain or compressed by the file's name, the same for a seed."""
    paths = [str(tmp_path / f"{name}.ndjson{suffix}") for name in "ab"]
    for path in paths:
        assert main(["synth", "--events", "1234", "--seed", "3", "--out", path]) == 0
    assert len(list(read_lines(paths[0]))) == 1234
    assert Path(paths[0]).read_bytes() == Path(paths[1]).read_bytes()


def test_synth_fills_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a name for the file the lines go into a pipe, and not onto a screen."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["synth", "--events", "10"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "name it with --out" in err


def test_synth_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Without a file the lines go to standard output."""
    assert main(["synth", "--events", "7"]) == 0
    assert capfdbinary.readouterr().out.count(b"\n") == 7


def test_json_to_standard_output(events: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """With a hyphen the JSON is all that standard output gets, and nothing else is said."""
    assert main(["simulate", RULES, events, "--json", "-", "--workers", "1"]) == 0
    captured = capfdbinary.readouterr()
    assert decode_result(captured.out).input.events == 400
    assert captured.err == b""


def test_summary_and_json_file(
    events: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a JSON file the summary is printed, and nothing where quiet is asked for."""
    out = tmp_path / "result.json"
    assert main(["simulate", RULES, events, "--json", str(out), "--workers", "1"]) == 0
    assert "400 events" in capsys.readouterr().out
    first = out.read_bytes()
    assert main(["simulate", RULES, events, "--json", str(out), "--quiet", "--workers", "2"]) == 0
    assert capsys.readouterr().out == ""
    assert out.read_bytes() == first


def test_report_is_written(events: str, tmp_path: Path) -> None:
    """With `--html` the report is one file, and a folder that is missing is told before the run."""
    out = tmp_path / "report.html"
    assert main(["simulate", RULES, events, "--html", str(out), "--quiet", "--workers", "1"]) == 0
    assert out.read_text("utf-8").startswith("<!doctype html>")
    missing = str(tmp_path / "missing" / "report.html")
    assert main(["simulate", RULES, "nowhere.ndjson", "--html", missing]) == 2


def test_packages_of_the_report_are_missed_before_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the packages that draw, `--html` is refused before anything is read."""
    for module in [one for one in sys.modules if one.startswith("edgewise.simulate.report.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "altair", None)
    out = tmp_path / "report.html"
    assert main(["simulate", RULES, "nowhere.ndjson", "--html", str(out)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("edgewise: A report needs the package altair; ")
    assert message.endswith('.venv/bin/pip install -e ".[report]"\n')


def test_without_a_report_nothing_of_it_is_loaded(events: str) -> None:
    """A simulation without `--html` needs neither the packages that draw nor their time."""
    command = (
        "import sys; from edgewise.cli import main;"
        f" main(['simulate', {RULES!r}, {events!r}, '--quiet', '--workers', '1']);"
        " sys.exit('altair' in sys.modules or 'vl_convert' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", command], check=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "# Edgewise\n\ndecides\n",
            "none of the 2 lines of {path} could be replayed; the first: {path}, line 1: not JSON",
            id="some",
        ),
        pytest.param("{", "the only line of {path} could not be replayed: not JSON", id="one"),
    ],
)
def test_lines_of_which_none_is_an_event_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    """A file of something else is no simulation of nothing: the status is 2, with a reason."""
    path, out, state = (tmp_path / name for name in ("README.md", "result.json", "state"))
    path.write_text(text, "utf-8")
    arguments = [str(path), "--json", str(out), "--resume", str(state), "--workers", "1"]
    assert main(["simulate", RULES, *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"edgewise: {message.format(path=path)}")
    assert not out.exists()
    assert not state.exists()


def test_an_empty_input_is_a_report_of_nothing(tmp_path: Path) -> None:
    """Without any line there is nothing to refuse."""
    path, out = tmp_path / "empty.ndjson", tmp_path / "result.json"
    path.touch()
    assert main(["simulate", RULES, str(path), "--json", str(out), "--workers", "1"]) == 0
    assert decode_result(out.read_bytes()).input.lines == 0


@pytest.mark.parametrize(
    "quiet",
    [pytest.param(["--quiet"], id="quiet"), pytest.param(["--json", "-"], id="json")],
)
def test_without_a_summary_broken_lines_are_told_all_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], quiet: list[str]
) -> None:
    """What was left out is one line on standard error where no summary tells of it."""
    path = tmp_path / "events.ndjson"
    sound = '{"type":"page","anonymousId":"a","receivedAt":1793534400000}'
    path.write_text(f"{sound}\n{{\n{sound}\n[\n", "utf-8")
    assert main(["simulate", RULES, str(path), "--workers", "1", *quiet]) == 0
    assert capfd.readouterr().err == (
        f"edgewise: 2 of 4 lines could not be replayed; the first: {path}, line 2:"
        " not JSON at character 1\n"
    )


@pytest.mark.parametrize("option", ["--json", "--html", "--parquet"])
def test_a_folder_is_no_output(
    events: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """A folder in the place of a file is told before the run, whose result it would lose."""
    assert main(["simulate", RULES, events, option, str(tmp_path)]) == 2
    message = f"edgewise: {tmp_path}: this is a folder; name a file in it\n"
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize("option", ["--json", "--html", "--parquet"])
def test_a_full_disk_is_told(events: str, capsys: pytest.CaptureFixture[str], option: str) -> None:
    """An output that cannot be written is one message that names it."""
    assert main(["simulate", RULES, events, option, "/dev/full", "--workers", "1"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("edgewise: /dev/full: ")
    assert "No space left on device" in err
    assert err.count("\n") == 1


def test_json_is_there_when_the_report_fails(events: str, tmp_path: Path) -> None:
    """The JSON is written first, so a report that cannot be written loses nothing."""
    out = tmp_path / "result.json"
    arguments = [events, "--json", str(out), "--html", "/dev/full", "--workers", "1"]
    assert main(["simulate", RULES, *arguments]) == 2
    assert decode_result(out.read_bytes()).input.events == 400


def test_a_full_disk_during_the_run_is_told(
    events: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the state of the run has no room left, the message names its folder."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "checkpoint.writing").symlink_to("/dev/full")
    assert main(["simulate", RULES, events, "--resume", str(state), "--workers", "1"]) == 2
    assert capsys.readouterr().err == f"edgewise: {state}: No space left on device\n"


def test_mapping_and_environment(tmp_path: Path) -> None:
    """Lines of another shape are read through a mapping."""
    (tmp_path / "map.yaml").write_text("case: snake\nconstants: {type: page}\n", "utf-8")
    path = tmp_path / "export.ndjson.gz"
    path.write_bytes(gzip.compress(b'{"anonymous_id":"a","received_at":1793534400000}\n'))
    out = tmp_path / "r.json"
    arguments = [str(path), "--mapping", str(tmp_path / "map.yaml"), "--environment", "demo/main"]
    assert main(["simulate", RULES, *arguments, "--json", str(out), "--quiet"]) == 0
    assert decode_result(out.read_bytes()).environments[0].profiles == 1


def test_missing_store_is_told_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped path of a store is one message, and neither a file nor a folder is left of it."""
    url = f"sqlite://{tmp_path}/mistyped/profiles.db"
    assert main(["simulate", RULES, "--store", url]) == 2
    assert capsys.readouterr() == ("", f"edgewise: {url}: there is no such file\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["simulate", RULES], "name either files", id="no-input"),
        pytest.param(["simulate", RULES, "x", "--since", "2026-01-01"], "--store", id="since"),
        pytest.param(
            ["simulate", RULES, "--store", f"sqlite://{RULES}", "--since", "x"],
            "no time",
            id="bad-since",
        ),
        pytest.param(
            ["simulate", RULES, "--store", "memory://"], "inside the server process", id="memory"
        ),
        pytest.param(["simulate", RULES, "nowhere"], "nowhere: No such file", id="no-file"),
        pytest.param(
            ["simulate", RULES, "x", "--environment", "a/b"], "no environment", id="environment"
        ),
        pytest.param(
            ["simulate", RULES, "x", "--parquet", "no/such/place"], "no such folder", id="folder"
        ),
        pytest.param(["simulate", RULES, "x", "--workers", "-1"], "from 0 to 256", id="workers"),
        pytest.param(["synth", "--days", "0"], "--days takes", id="days"),
        pytest.param(["synth", "--start", "soon"], "no date", id="start"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong argument ends with status 2 and one line that says what is wrong."""
    assert main(arguments) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path, workers: str) -> None:
    """SIGTERM ends a simulation that waits for more, and its temporary folder goes with it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-m", "edgewise.cli", "simulate", RULES, "-", "--workers", workers]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, env=os.environ | {"TMPDIR": str(folder)}
    ) as process:
        deadline = time.monotonic() + 20
        while not list(folder.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list(folder.iterdir())
        process.terminate()
        assert process.wait(20) == 143
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "{events}"], "is read as an input"),
        (["--json", "{linked}"], "is read as an input"),
        (["--mapping", "{mapping}", "--html", "{mapping}"], "is read as an input"),
        (["--json", "{rules}/demo/main/shop.yaml"], "is read as an input"),
        (["--against", "{rules}", "--parquet", "{rules}/demo/main/shop.yaml"], "is read as an"),
        (["--json", "{out}", "--html", "{out}"], "is written twice"),
        (["--json", "{dangling}", "--html", "{out}"], "is written twice"),
        (["--parquet", "{out}", "--json", "{out}"], "is written twice"),
        (["--html", "-"], "--html writes a file"),
        (["--parquet", "-"], "--parquet writes a file"),
        (["--max-open-profiles", "0"], "from 1"),
        (["--max-open-profiles", "-7"], "from 1"),
        (["--on", "nonsense"], "tcp://scheduler:8786"),
    ],
)
def test_what_would_end_badly_is_refused_before_the_run(
    events: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    """Neither an input nor another output is overwritten, and nothing is written at all."""
    names = ("out", "linked", "dangling", "mapping", "rules")
    out, linked, dangling, mapping, rules = paths = [tmp_path / name for name in names]
    linked.hardlink_to(events)
    dangling.symlink_to(out)
    mapping.write_text("constants: {}")
    copytree(RULES, rules)
    (rules / "demo/main/shop.yaml").write_text("audiences: []")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    before = [path.read_bytes() for path in files]
    texts = {name: str(path) for name, path in zip(names, paths, strict=True)}
    given = [one.format(events=events, **texts) for one in options]
    assert main(["simulate", str(rules), events, *given]) == 2
    assert message in capsys.readouterr().err
    assert [path.read_bytes() for path in files] == before
    assert not out.exists()


def test_an_output_is_there_as_a_whole_or_not_at_all(
    events: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the disk is full, what stood in the place of an output still does."""
    out = tmp_path / "result.json"
    out.write_text("older")
    out.chmod(0o640)

    def fill(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill)
        assert main(["simulate", RULES, events, "--json", str(out), "--workers", "1"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert out.read_text() == "older"
    assert {path.name for path in tmp_path.iterdir()} == {"result.json", Path(events).name}
    assert main(["simulate", RULES, events, "--json", str(out), "--workers", "1"]) == 0
    assert decode_result(out.read_bytes()).input.events == 400
    assert out.stat().st_mode & 0o777 == 0o640


def test_a_store_is_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a store that is read is never written to."""
    path = tmp_path / "profiles.db"
    path.write_bytes(b"all profiles")
    assert main(["simulate", RULES, "--store", f"sqlite://{path}", "--json", str(path)]) == 2
    assert "profiles.db is read as an input" in capsys.readouterr().err
    assert path.read_bytes() == b"all profiles"


def test_what_may_not_be_written_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits for a result that has no place."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert main(["simulate", RULES, "nowhere.ndjson", "--json", str(tmp_path / "out")]) == 2
    assert "out: you may not write here" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--json", "--html", "--parquet"])
def test_outputs_keep_the_permissions_of_what_they_replace(
    events: str, tmp_path: Path, option: str
) -> None:
    """A private file stays private, behind a link too, and a new one is like any other."""
    private, link = tmp_path / "private", tmp_path / "link"
    private.write_text("older")
    private.chmod(0o600)
    link.symlink_to(private)
    new, usual = tmp_path / "new", tmp_path / "usual"
    usual.touch()
    for out in (link, new):
        assert main(["simulate", RULES, events, option, str(out), "--quiet"]) == 0
    assert private.read_bytes() != b"older"
    assert link.is_symlink()
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert new.stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("option", ["--json", "--html", "--parquet"])
def test_outputs_may_have_the_longest_names(events: str, tmp_path: Path, option: str) -> None:
    """What is written at first needs no longer name than the file."""
    out = tmp_path / ("x" * 255)
    assert main(["simulate", RULES, events, option, str(out), "--quiet"]) == 0
    assert out.stat().st_size


def test_json_for_the_file_that_standard_output_goes_to(events: str, tmp_path: Path) -> None:
    """What stood in that file before stays, and the JSON follows without a summary."""
    out = tmp_path / "log"
    out.write_text("older\n")
    command = [sys.executable, "-m", "edgewise.cli", "simulate", RULES, events]
    with out.open("ab") as file:
        subprocess.run([*command, "--json", "/dev/stdout"], stdout=file, check=True)
        done = subprocess.run(
            [*command, "--html", "/dev/stdout"], stdout=file, stderr=subprocess.PIPE, check=False
        )
    assert b"--html writes a file" in done.stderr
    older, _, rest = out.read_bytes().partition(b"\n")
    assert older == b"older"
    assert decode_result(rest).input.events == 400


def children_of(pid: int) -> list[str]:
    """The processes that a process has started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.parametrize("after_s", [0.0, 0.1, 1.0])
def test_an_interruption_ends_all_processes_in_silence(tmp_path: Path, after_s: float) -> None:
    """Whatever they are at, loading their code included, one line is all that is said."""
    events = tmp_path / "events.ndjson"
    main(["synth", "--events", "60000", "--profiles", "6000", "--out", str(events)])
    command = [sys.executable, "-m", "edgewise.cli", "simulate", RULES, str(events), "--quiet"]
    with subprocess.Popen(
        [*command, "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        while len(children_of(process.pid)) < 2:
            time.sleep(0.001)
        time.sleep(after_s)
        # As a terminal does it: everything that belongs to the command is interrupted.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "edgewise: interrupted\n")


def test_an_interruption_that_is_ignored_ends_nothing(tmp_path: Path) -> None:
    """What runs behind a script goes on, all of its processes, when the script is interrupted."""
    events = tmp_path / "events.ndjson"
    main(["synth", "--events", "60000", "--profiles", "6000", "--out", str(events)])
    command = [sys.executable, "-m", "edgewise.cli", "simulate", RULES, str(events), "--quiet"]
    # What is ignored here is ignored in what is started.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(
            [*command, "--workers", "2"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        while process.poll() is None:
            time.sleep(0.05)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_outputs_through_a_pipe(events: str) -> None:
    """A device is written to, and not replaced by a file."""
    command = [sys.executable, "-m", "edgewise.cli", "simulate", RULES, events, "--quiet"]
    done = subprocess.run([*command, "--html", "/dev/stdout"], stdout=subprocess.PIPE, check=True)
    assert done.stdout.startswith(b"<!doctype html>")
    assert main(["simulate", RULES, events, "--json", "/dev/null", "--html", "/dev/null"]) == 0


def test_parquet_is_there_as_a_whole_or_not_at_all(
    events: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the decisions cannot be joined, what stood in their place still does."""
    out = tmp_path / "decisions.parquet"
    out.write_text("older")

    def fill(_paths: object, path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("edgewise.simulate.parquet.join_parts", fill)
    assert main(["simulate", RULES, events, "--parquet", str(out), "--workers", "1"]) == 2
    assert capsys.readouterr().err == f"edgewise: {out}: No space left on device\n"
    assert out.read_text() == "older"
    assert {path.name for path in tmp_path.iterdir()} == {out.name, Path(events).name}


def test_resuming_in_the_folder_where_one_is(
    events: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder named by a dot is emptied of the state of the run."""
    state = tmp_path / "state"
    state.mkdir()
    monkeypatch.chdir(state)
    out = tmp_path / "result.json"
    assert main(["simulate", RULES, events, "--resume", ".", "--quiet", "--json", str(out)]) == 0
    assert out.exists()
    assert not state.exists() or not list(state.iterdir())
