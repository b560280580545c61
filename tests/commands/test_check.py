"""`edgewise check` tells people, programs and pull requests alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgewise.cli import main

ODD = """# A comment, so that lines and positions differ.
audiences:
  - id: vip
    has trait: {plan: gold}
    has viewed page:
      path: sale
experiences:
  - {id: hero, audience: vip, components: [{entry: a, variants: [b]}]}
"""
SET_ASIDE = '{"audiences": [{"id": "odd", "nt_rules": {"any": [{"all": [{"type": "moon"}]}]}}]}'
SPACE = """
contentful: {space: shop}
experiences:
  - {id: e, audience: from-the-space, components: [{entry: a, variants: [b]}]}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with rules that have one warning."""
    write(tmp_path, "main/rules.yaml", ODD)
    return tmp_path / "rules"


def write(folder: Path, name: str, text: str) -> None:
    """Write one rule file."""
    file = folder / "rules" / "shop" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [pytest.param([], 0, id="usual"), pytest.param(["--strict"], 1, id="strict")],
)
def test_a_warning_is_an_error_where_that_is_asked(
    rules: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    """The same is printed, and the status tells whether it counts."""
    assert main(["check", str(rules), *arguments]) == status
    out, err = capsys.readouterr()
    assert out == "shop/main: 1 audience, 1 experience, 0 set aside, 1 warning\n"
    assert err == (
        'rules/shop/main/rules.yaml:6: the path "sale" has no leading slash, and every real one has'
        ' (write "/sale") [warning: path_without_slash at /audiences/0/has viewed page/path]\n'
    )


def test_files_that_nobody_reads_are_warned_of(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in a wrong place is named, also beside a fault; an environment may accept its own."""
    for name in ("above.yaml", "main/old/below.yaml", "main/LOUD.YAML"):
        write(rules.parent, name, "audiences: [{id: a, has trait: t}]")
    main(["check", str(rules), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    found = [one["file"] for one in report["warnings"] if one["code"] == "misplaced_file"]
    assert found == [
        "rules/shop/above.yaml",
        "rules/shop/main/LOUD.YAML",
        "rules/shop/main/old/below.yaml",
    ]
    assert report["environments"][0]["warnings"] == 3
    write(rules.parent, "main/accept.yaml", "accepted_warnings: {misplaced_file: An archive.}")
    main(["check", str(rules), "--format", "json"])
    report = json.loads(capsys.readouterr().out)
    assert [one["file"] for one in report["warnings"]] == [found[0], "rules/shop/main/rules.yaml"]
    write(rules.parent, "main/broken.yaml", "audiences: [")
    assert main(["check", str(rules)]) == 1
    assert capsys.readouterr().err.count("[warning: misplaced_file]") == 3


def test_json_is_for_programs(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that a check found stands in one object, also where rules are refused."""
    write(rules.parent, "main/app.json", SET_ASIDE)
    assert main(["check", str(rules), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["faults"] == []
    assert [fault["audience_id"] for fault in report["set_aside"]] == ["odd"]
    (warning,) = report["warnings"]
    assert (warning["code"], warning["file"], warning["line"], warning["pointer"]) == (
        "path_without_slash",
        "rules/shop/main/rules.yaml",
        6,
        "/audiences/0/has viewed page/path",
    )
    assert report["environments"] == [
        {"name": "shop/main", "audiences": 2, "experiences": 1, "set_aside": 1, "warnings": 1}
    ]
    write(rules.parent, "main/broken.yaml", "audiences: [\n")
    assert main(["check", str(rules), "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (fault,) = report["faults"]
    assert (fault["code"], fault["line"], fault["pointer"]) == ("syntax", 2, "")
    assert report["environments"] == []


@pytest.mark.parametrize(
    ("arguments", "level"),
    [pytest.param([], "warning", id="usual"), pytest.param(["--strict"], "error", id="strict")],
)
def test_annotations_are_for_pull_requests(
    rules: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], level: str
) -> None:
    """A warning is a workflow command with file, line and title."""
    main(["check", str(rules), "--format", "github", *arguments])
    assert capsys.readouterr().out == (
        f"::{level} file=rules/shop/main/rules.yaml,line=6,title=path_without_slash::"
        'the path "sale" has no leading slash, and every real one has (write "/sale")\n'
    )


def test_an_annotation_of_broken_yaml_has_its_line(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be parsed is marked in the line where the parser gave up."""
    write(rules.parent, "main/rules.yaml", "audiences:\n  - id: a\n   has trait: t\n")
    assert main(["check", str(rules), "--format", "github"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("::error file=rules/shop/main/rules.yaml,line=3,title=syntax::")


def test_annotations_escape_what_has_a_meaning(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line ends and percent signs cannot end an annotation or begin another one."""
    text = 'audiences: [{id: x, has trait: {t: {"a,\\n%::b": 1}}}]'
    write(rules.parent, "main/a,b.yaml", text)
    assert main(["check", str(rules), "--format", "github"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(
        "::error file=rules/shop/main/a%2Cb.yaml,line=1,title=unknown_operator::"
    )
    assert "a,%0A%25::b" in line


def test_rules_of_a_space_that_was_never_read_are_not_judged(
    rules: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What refers to the space is no fault where nobody knows what it holds."""
    monkeypatch.setenv("CONTENTFUL_TOKEN", "token")
    write(rules.parent, "main/rules.yaml", SPACE)
    assert main(["check", str(rules), "--copies", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "shop/main: not checked, its rules were never read from contentful:shop/master\n"
    )
    assert err == ""


@pytest.mark.parametrize(
    ("address", "path"),
    [("https://shop.example/sale?x=1#top", "/sale"), ("https://shop.example", "/")],
)
def test_an_address_in_the_place_of_a_path_has_a_remedy_that_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, path: str
) -> None:
    """Who copies from the browser is told of the url, and of the path in it."""
    folder = tmp_path / "rules" / "shop" / "main"
    folder.mkdir(parents=True)
    rule = f'audiences:\n- id: sale\n  has viewed page: {{path: "{address}"}}\n'
    (folder / "rules.yaml").write_text(rule)
    main(["check", str(tmp_path / "rules")])
    told = capsys.readouterr().err
    assert f'"{address}" is a whole address and no path' in told
    assert f'(compare it with url, or write "{path}")' in told
