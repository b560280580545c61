"""The command line: its answers, its exit statuses, and what it says when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgewise import __version__
from edgewise.cli import COMMANDS, main
from edgewise.commands import serve
from edgewise.schema import schema_text
from edgewise.server import ServerSettings
from edgewise.sources.files import load_rules
from tests.geo import flat_v4, flat_v6

ENGINE = Path(__file__).parents[1] / "engine"
RULES = """
audiences:
  - {id: returning, is returning visitor: true}
  - {id: vip, has trait: {plan: gold}}
experiences:
  - {id: hero, audience: vip, components: [{entry: e, variants: [f]}]}
"""
SET_ASIDE = '{"audiences": [{"id": "odd", "nt_rules": {"any": [{"all": [{"type": "moon"}]}]}}]}'


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one sound environment."""
    folder = tmp_path / "rules"
    write(folder, "demo/main/a.yaml", RULES)
    return folder


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ServerSettings]:
    """What the server was started with, instead of starting it."""
    calls: list[ServerSettings] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "run", calls.append)
    monkeypatch.setattr(serve, "require_free_address", lambda host, port: None)
    return calls


def write(folder: Path, path: str, text: str) -> None:
    """Write one rule file."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def test_check_sound_rules(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sound rules are counted, and the status is 0."""
    assert main(["check", str(rules)]) == 0
    out, err = capsys.readouterr()
    assert out == "demo/main: 2 audiences, 1 experience, 0 set aside, 1 warning\n"
    assert err.endswith("[warning: unused_audience at /audiences/0]\n")
    assert err.count("\n") == 1


def test_check_names_every_fault(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault has a line with its file, line, hint, code and place, and the status is 1."""
    write(rules, "demo/main/b.yaml", "audiences: [{id: b, is on device: phone}, {id: c}]")
    write(rules, "demo/dev/a.yaml", "audience: []")
    assert main(["check", str(rules)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == (
        'rules/demo/dev/a.yaml:1: unknown key "audience"'
        ' (did you mean "audiences"?) [unknown_key at /audience]'
    )
    assert lines[1] == (
        'rules/demo/main/b.yaml:1: unknown device class "phone"'
        " (one of desktop, mobile, tablet, unknown) [unknown_value at /audiences/0/is on device]"
    )
    assert lines[2].startswith("rules/demo/main/b.yaml:1: a rule must say something")
    assert len(lines) == 3


def test_check_names_what_is_set_aside(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is set aside is named with the reason: it would be served, but the status is 1."""
    write(rules, "demo/main/app.json", SET_ASIDE)
    assert main(["check", str(rules)]) == 1
    out, err = capsys.readouterr()
    assert out == "demo/main: 3 audiences, 1 experience, 1 set aside, 1 warning\n"
    assert err.startswith(
        "rules/demo/main/app.json#/audiences/0/nt_rules/any/0/all/0/type:"
        ' unknown rule type "moon" [unknown_rule_type, odd never matches]\n'
    )


@pytest.mark.parametrize("command", [["check"], ["serve"], ["show-source"]])
def test_missing_rules(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without rules is one clear message."""
    arguments = [*command, str(tmp_path / "nowhere")]
    assert main([*arguments, "vip"] if command == ["show-source"] else arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "nowhere: there is no such folder (rules live in RULES/<organization>/" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["serve", "rules"], id="serve"),
        pytest.param(["show-source", "rules", "vip"], id="show-source"),
        pytest.param(["explain", "rules", "--events", "x"], id="explain"),
        pytest.param(["simulate", "rules", "x"], id="simulate"),
        pytest.param(["simulate", "sound", "x", "--against", "rules"], id="against"),
        pytest.param(["plan", "x", "--baseline", "0.1", "--lift", "1", "--events", "x"], id="plan"),
    ],
)
def test_faults_have_lines_in_every_command(
    arguments: list[str],
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whichever command cannot go on for a fault tells the line that it is in."""
    write(rules.parent / "sound", "demo/main/b.yaml", RULES)
    write(rules, "demo/main/b.yaml", "audiences:\n  - id: b\n    has trai: x\n")
    monkeypatch.chdir(rules.parent)
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        'rules/demo/main/b.yaml:3: unknown key "has trai" (did you mean "has trait"?)'
        " [unknown_key at /audiences/0/has trai]\n"
    )


def test_show_source(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An audience's source is printed with its environment, places and constants."""
    assert main(["show-source", str(rules), "vip"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("# vip in demo/main\ndef audience(profile, now_ms):\n")
    assert "# rules/demo/main/a.yaml#/audiences/1/has trait/plan" in out
    assert "_c1 = 'gold'" in out


def test_show_source_of_several_environments(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An id that several environments know is shown for each of them."""
    write(rules, "demo/dev/a.yaml", "audiences: [{id: vip, has trait: {plan: silver}}]")
    assert main(["show-source", str(rules), "vip"]) == 0
    out = capsys.readouterr().out
    assert out.index("# vip in demo/dev") < out.index("'silver'") < out.index("# vip in demo/main")


@pytest.mark.parametrize(
    ("audience", "hint"),
    [("vipp", 'did you mean "vip"?'), ("moon", "there are: returning, vip")],
)
def test_show_source_of_an_unknown_audience(
    audience: str, hint: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown id is told with the nearest one, or with all there are."""
    assert main(["show-source", str(rules), audience]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f'edgewise: there is no audience "{audience}" ({hint})\n'


def test_serve(
    rules: Path,
    served: list[ServerSettings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The server starts with what was asked for, and a line to try it is printed."""
    assert main(["serve", str(rules), "--port", "9000"]) == 0
    copies = tmp_path / ".data"
    store = f"sqlite://{copies}/profiles.db"
    assert served == [ServerSettings(rules=str(rules), store=store, copies=str(copies), port=9000)]
    out, err = capsys.readouterr()
    digest = load_rules(rules)["demo", "main"].digest
    assert f"demo/main: 2 audiences, 1 experience, ruleset {digest}" in out
    url = "http://127.0.0.1:9000/v2/organizations/demo/environments/main/profiles"
    assert f"curl -s '{url}' -d '" in out
    assert f"\nProfiles are kept in {copies}/profiles.db, a new file\n" in out
    assert err == ""
    # Others than the owner see nothing of the profiles.
    assert copies.stat().st_mode & 0o077 == 0


def test_serve_in_memory(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that ends with the server says so, and leaves no file behind."""
    assert main(["serve", str(rules), "--store", "memory://"]) == 0
    assert served[0].store == "memory://"
    assert "\nProfiles are kept in memory, until the server ends\n" in capsys.readouterr().out
    assert not Path(".data").exists()


def test_serve_where_no_store_can_be_made(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that cannot be made is one message that says what to do."""
    Path("taken").write_text("a file")
    assert main(["serve", str(rules), "--copies", "taken/data"]) == 2
    assert served == []
    assert capsys.readouterr().err == (
        "edgewise: taken/data: Not a directory; name a store with --store\n"
    )


def test_serve_says_where_profiles_are(
    rules: Path,
    served: list[ServerSettings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The file of the store is named at the start, and whether it is a new one."""
    store = f"sqlite://{tmp_path}/my%20profiles.db?durability=full"
    for note in (", a new file", ""):
        assert main(["serve", str(rules), "--store", store]) == 0
        out = capsys.readouterr().out
        assert f"\nProfiles are kept in {tmp_path}/my profiles.db{note}\n" in out


def test_serve_makes_no_directory_for_a_store(
    rules: Path,
    served: list[ServerSettings],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistyped path is one message, and leaves nothing behind."""
    assert main(["serve", str(rules), "--store", f"sqlite://{tmp_path}/mistyped/a.db"]) == 2
    assert served == []
    assert f"there is no directory {tmp_path}/mistyped" in capsys.readouterr().err
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize("by_variable", [False, True], ids=["option", "variable"])
def test_serve_short_paths(
    by_variable: bool,
    rules: Path,
    served: list[ServerSettings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment of the short paths comes from an option or a variable; else there is none."""
    arguments = ["serve", str(rules)]
    assert main(arguments) == 0
    if by_variable:
        monkeypatch.setenv("EDGEWISE_DEFAULT_ENVIRONMENT", "demo/main")
    else:
        arguments += ["--default-environment", "demo/main"]
    assert main(arguments) == 0
    assert [one.default_environment for one in served] == [None, ("demo", "main")]


def test_serve_short_paths_of_an_unknown_environment(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """A default environment that is not served is one clear message."""
    assert main(["serve", str(rules), "--default-environment", "demo/mian"]) == 2
    assert served == []
    assert capsys.readouterr().err == (
        "edgewise: the default environment demo/mian is not served\n"
    )


@pytest.mark.parametrize("text", ["demo", "/main", "demo/", "demo/main/x"])
def test_serve_short_paths_of_no_environment(text: str, rules: Path) -> None:
    """What names no organization and environment is refused."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", str(rules), "--default-environment", text])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("shop.example", "shop.example")],
)
def test_serve_prints_an_address_that_works(
    host: str,
    shown: str,
    rules: Path,
    served: list[ServerSettings],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The printed address can be called as it is, whatever the server listens on."""
    assert main(["serve", str(rules), "--host", host]) == 0
    assert served[0].host == host
    assert f"serves http://{shown}:8080\n" in capsys.readouterr().out


def test_serve_names_what_is_set_aside(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules that are set aside are named at the start, and the rest is served."""
    write(rules, "demo/main/app.json", SET_ASIDE)
    assert main(["serve", str(rules)]) == 0
    assert len(served) == 1
    assert "odd never matches" in capsys.readouterr().err


def test_serve_refuses_faulty_rules(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """With a fault in the rules nothing is served."""
    write(rules, "demo/main/b.yaml", "audiences: [{id: b}]")
    assert main(["serve", str(rules)]) == 1
    assert served == []
    assert "a rule must say something" in capsys.readouterr().err


def test_serve_with_databases_and_proxies(
    rules: Path, served: list[ServerSettings], tmp_path: Path
) -> None:
    """Databases are told by their whole paths; who is trusted is told as it was asked for."""
    v4, v6 = flat_v4(tmp_path / "v4.mmdb"), flat_v6(tmp_path / "v6.mmdb")
    arguments = ["serve", str(rules), "--geo", str(v4), "--geo", str(v6), "--trusted-proxies", "2"]
    assert main([*arguments, "--force-ip-from", "10.0.0.0/8", "--force-ip-from", "::1/128"]) == 0
    assert served[0].geo == (str(v4), str(v6))
    assert served[0].trusted_proxies == 2
    assert served[0].force_ip_from == ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--geo", "nowhere.mmdb"], "nowhere.mmdb: there is no such file", id="geo"),
        pytest.param(
            ["--force-ip-from", "office"],
            "--force-ip-from: 'office' does not appear to be an IPv4 or IPv6 network",
            id="network",
        ),
    ],
)
def test_serve_refuses_what_no_worker_can_use(
    arguments: list[str],
    message: str,
    rules: Path,
    served: list[ServerSettings],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A database or network that cannot be used is one message, and nothing is served."""
    assert main(["serve", str(rules), *arguments]) == 2
    assert served == []
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("store", ["mongo://x", "profiles.db", "sqlite://", ""])
def test_serve_with_a_bad_store(
    store: str, rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """A URL that names no store is one clear message."""
    assert main(["serve", str(rules), "--store", store]) == 2
    assert served == []
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("edgewise: ")
    assert "Traceback" not in err


def test_serve_from_memory_takes_one_worker(
    rules: Path, served: list[ServerSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    """Processes share no memory, so that several of them need another store."""
    assert main(["serve", str(rules), "--store", "memory://", "--workers", "2"]) == 2
    assert served == []
    assert "memory:// keeps profiles inside one process" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "COMMAND", id="no-command"),
        pytest.param(["fly"], 'there is no command "fly" (there are: ', id="unknown-command"),
        pytest.param(["serv"], '"serv" (did you mean "serve"?)', id="mistyped-command"),
        pytest.param(["check"], "required: rules", id="no-rules"),
        pytest.param(["serve", "r", "--port", "0"], "a port is a number from 1", id="port-0"),
        pytest.param(["serve", "r", "--port", "70000"], "a port is a number from 1", id="port"),
        pytest.param(["serve", "r", "--port", "x"], "a port is a number from 1", id="no-port"),
        pytest.param(["serve", "r", "--workers", "0"], "from 1 to 256 processes", id="workers"),
        pytest.param(["serve", "r", "--workers", "x"], "from 1 to 256 processes", id="no-number"),
        pytest.param(["serve", "r", "--trusted-proxies", "-1"], "from 0 to 16 proxies", id="minus"),
        pytest.param(["serve", "r", "--trusted-proxies", "17"], "from 0 to 16 proxies", id="many"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in the arguments is told before anything is done."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """The schema of rule files is printed as it is published."""
    assert main(["schema"]) == 0
    assert capsys.readouterr() == (schema_text(), "")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is printed."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edgewise {__version__}\n"


def test_as_a_process(rules: Path) -> None:
    """As a process the command exits with its status, and prints nothing but its message."""
    write(
        rules, "demo/main/b.yaml", 'audiences: [{id: "b\\n", has trait: {k: {matches: "(?=a)"}}}]'
    )
    done = subprocess.run(
        [sys.executable, "-m", "edgewise.cli", "check", str(rules)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "rules/demo/main/b.yaml:1: RE2 refuses the expression:"
        " invalid perl operator: (?= (RE2 syntax: no look-around, no back-references)"
        " [regex_invalid at /audiences/0/has trait/k/matches]\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["synth", "--events", "20000"], id="more than a pipe holds"),
        pytest.param(["schema"], id="less"),
        pytest.param(["explain", "rules", "--events", "events.json"], id="a tree"),
        pytest.param(["simulate", "rules", "events.ndjson", "--workers", "1"], id="tables"),
        pytest.param(["simulate", "rules", "events.ndjson", "--json", "-"], id="bytes"),
    ],
)
def test_a_pipe_that_nobody_reads_ends_a_command(
    arguments: list[str], rules: Path, tmp_path: Path
) -> None:
    """Output into `head`, which has seen enough, ends a command with status 141 and in silence."""
    (tmp_path / "events.json").write_text('[{"type": "page"}]', "utf-8")
    event = '{"type":"page","anonymousId":"a","receivedAt":1793534400000}\n'
    (tmp_path / "events.ndjson").write_text(event, "utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "edgewise.cli", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=rules.parent,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_faults_into_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    """Messages that nobody reads end a command likewise."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "edgewise.cli", "check", str(tmp_path / "nowhere")],
        stdout=writing,
        stderr=writing,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )
    os.close(writing)
    assert done.returncode == 141


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_what_it_takes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help begins with what it does, as the list of all commands has it."""
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    _, purpose = COMMANDS[name]
    assert f"\n\n{purpose[0].upper()}{purpose[1:]}.\n\n" in capsys.readouterr().out


def test_help_tells_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    """Of options that have one; none says `None`, and no flag says that it is off."""
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    out = capsys.readouterr().out
    assert "None" not in out
    assert "False" not in out
    with pytest.raises(SystemExit):
        main(["synth", "--help"])
    assert "visitors, at most (10000)" in capsys.readouterr().out


def test_an_output_that_cannot_say_everything(rules: Path) -> None:
    """What is no part of its encoding is escaped, and the command comes to its end."""
    (rules.parent / "profile.json").write_text('{"id": "p", "traits": {"plan": "\u20ac"}}', "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "edgewise.cli", "explain", "rules", "--profile", "profile.json"],
        capture_output=True,
        check=True,
        cwd=rules.parent,
        env={**os.environ, "PYTHONPATH": str(ENGINE), "PYTHONIOENCODING": "latin-1"},
    )
    assert b"\\u2717 vip" in done.stdout
    assert b'saw "\\u20ac"' in done.stdout
