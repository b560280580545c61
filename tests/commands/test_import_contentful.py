"""`edgewise import contentful` writes what an export holds, and accounts for all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgewise.cli import main
from edgewise.sources.files import load_rules
from tests.sources.exports import OWN_EXPORT, SHARED_EXPORT, poisoned, read

EXPORTS = [
    pytest.param(OWN_EXPORT, id="own"),
    pytest.param(
        SHARED_EXPORT,
        id="shared",
        marks=pytest.mark.skipif(not SHARED_EXPORT.exists(), reason="not beside this checkout"),
    ),
]


def run(export: Path, rules: Path, *options: str) -> int:
    """Import an export into the environment acme/main."""
    return main(["import", "contentful", str(export), str(rules / "acme" / "main"), *options])


@pytest.mark.parametrize("path", EXPORTS)
def test_the_rule_file_decides_as_the_export(path: Path, tmp_path: Path) -> None:
    """What is written loads to the same ruleset as the export itself in a rules folder."""
    direct = tmp_path / "direct" / "acme" / "main"
    direct.mkdir(parents=True)
    (direct / "space.json").write_bytes(path.read_bytes())
    assert run(path, tmp_path / "rules") == 0
    imported = load_rules(tmp_path / "rules")["acme", "main"]
    assert imported.digest == load_rules(tmp_path / "direct")["acme", "main"].digest


@pytest.mark.parametrize("path", EXPORTS)
def test_app_written_members_are_verbatim(path: Path, tmp_path: Path) -> None:
    """`nt_rules` and `nt_config` stand in the rule file exactly as in the export."""
    run(path, tmp_path)
    content = json.loads((tmp_path / "acme" / "main" / "contentful.json").read_text("utf-8"))
    exported = path.read_text("utf-8")
    compact = json.dumps(json.loads(exported))
    for raw in content["audiences"]:
        assert json.dumps(raw["nt_rules"]) in compact
    for raw in content["experiences"]:
        assert json.dumps(raw["nt_config"]) in compact


def test_the_table_names_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People see one line per entry with its reason, and how many there are of each outcome."""
    run(OWN_EXPORT, tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["OUTCOME", "KIND", "ID", "NAME", "REASON"]
    (draft,) = [line for line in lines if line.startswith("left out   audience    draft ")]
    assert draft.endswith("a draft: it was never published, or was unpublished")
    (gone,) = [line for line in lines if "variantGone" in line]
    assert gone.endswith('the variant "gone" has no published entry')
    assert lines[-1].startswith("10 taken, 5 left out, 7 set aside; written to ")
    assert len(lines) == 1 + 22 + 2


def test_json_names_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the same account as JSON."""
    run(OWN_EXPORT, tmp_path, "--format", "json")
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"taken": 10, "left_out": 5, "set_aside": 7}
    assert {
        "kind": "audience",
        "entry_id": "linkedEurope",
        "pointer": "/entries/1",
        "id": "europe",
        "name": "Europe, linked",
        "outcome": "left out",
        "reason": "the same audience as entry entryEurope",
    } in report["items"]


def test_a_second_import_replaces_the_first(tmp_path: Path) -> None:
    """The rule file holds the newest import alone, and nothing is left beside it."""
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_text(json.dumps(poisoned(read(OWN_EXPORT))), "utf-8")
    rules = tmp_path / "rules"
    run(spoiled, rules)
    before = load_rules(rules)["acme", "main"]
    run(OWN_EXPORT, rules)
    after = load_rules(rules)["acme", "main"]
    assert len(after.audiences) == len(before.audiences) - 4
    assert [path.name for path in (rules / "acme" / "main").iterdir()] == ["contentful.json"]


def test_texts_that_are_no_utf8_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a surrogate pair in a name stops neither the report nor the other entries."""
    export = tmp_path / "export.json"
    text = OWN_EXPORT.read_text("utf-8").replace("Abandoned cart", "Abandoned \\ud83d")
    export.write_text(text, "utf-8")
    run(export, tmp_path / "rules")
    assert "europe" in capsys.readouterr().out
    ruleset = load_rules(tmp_path / "rules")["acme", "main"]
    assert "cart" in {fault.audience_id for fault in ruleset.set_aside}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("{}", 'a list of "entries"', id="no-export"),
    ],
)
def test_what_is_no_export_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    """The command fails with the reason and writes nothing."""
    export = tmp_path / "export.json"
    if text is not None:
        export.write_text(text, "utf-8")
    assert run(export, tmp_path / "rules") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "rules").exists()


def test_an_export_in_its_place_is_not_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Importing an export into its own folder would define everything twice."""
    folder = tmp_path / "acme" / "main"
    folder.mkdir(parents=True)
    export = folder / "space.json"
    export.write_bytes(OWN_EXPORT.read_bytes())
    assert run(export, tmp_path) == 2
    assert "served as it is" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["space.json"]
