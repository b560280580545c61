"""Rules from folders: which files count, and every way in which one cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgewise.errors import RulesError
from edgewise.sources import files
from edgewise.sources.files import find_environments, load_documents, load_rules

AUDIENCE = "audiences: [{id: a, has trait: k}]"


def write(root: Path, path: str, content: str | bytes) -> Path:
    """Write one file below a folder."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def content_of(root: Path, name: str, content: str | bytes) -> Any:
    """What one file alone is read as."""
    write(root, f"rules/o/e/{name}", content)
    [document] = load_documents(root / "rules/o/e", root)
    assert document.file == f"rules/o/e/{name}"
    return document.content


def faults_of(root: Path) -> list[str]:
    """Every fault of the rules below a folder."""
    with pytest.raises(RulesError) as caught:
        load_rules(root)
    return [str(fault) for fault in caught.value.faults]


def test_environments(tmp_path: Path) -> None:
    """Each folder two levels down is an environment; what is hidden, or no folder, is none."""
    for path in (
        "b/main/x.yaml",
        "a/dev/x.yaml",
        "a/main/x.yaml",
        ".git/main/x",
        "a/.x/x",
        "y.yaml",
    ):
        write(tmp_path, path, AUDIENCE)
    found = [
        (organization, environment) for organization, environment, _ in find_environments(tmp_path)
    ]
    assert found == [("a", "dev"), ("a", "main"), ("b", "main")]
    assert list(load_rules(tmp_path)) == found


def test_files_of_an_environment(tmp_path: Path) -> None:
    """YAML and JSON files are read in the order of their names, and no others."""
    for name in ("b.yml", "a.yaml", "c.json", ".d.yaml", "e.txt", "f.yaml.bak", "g.YAML"):
        write(tmp_path, name, "")
    write(tmp_path, "folder.yaml/x.yaml", "")
    documents = load_documents(tmp_path, tmp_path.parent)
    names = [f"{tmp_path.name}/{name}" for name in ("a.yaml", "b.yml", "c.json")]
    assert [document.file for document in documents] == names


def test_root_may_be_a_text(tmp_path: Path) -> None:
    """The folder is named by a path or by its text."""
    write(tmp_path, "o/e/a.yaml", AUDIENCE)
    assert list(load_rules(str(tmp_path))) == [("o", "e")]


def test_faults_know_their_folder(tmp_path: Path) -> None:
    """A refused load tells what the names of its files are relative to."""
    write(tmp_path, "rules/o/e/a.yaml", "audience: []")
    write(tmp_path, "rules/o/f/a.yaml", "a: [")
    with pytest.raises(RulesError) as caught:
        load_rules(tmp_path / "rules")
    assert caught.value.relative_to == str(tmp_path)
    with pytest.raises(RulesError) as caught:
        load_documents(tmp_path / "rules" / "o" / "f", tmp_path / "rules")
    assert caught.value.relative_to == str(tmp_path / "rules")


def test_files_make_one_ruleset(tmp_path: Path) -> None:
    """What is split over files is one environment, empty files included."""
    write(tmp_path, "o/e/a.yaml", AUDIENCE)
    write(tmp_path, "o/e/b.json", '{"audiences": [{"id": "b", "audience": "a"}]}')
    for name in ("c.yaml", "d.json"):
        write(tmp_path, f"o/e/{name}", "")
    write(tmp_path, "o/e/e.yaml", "audiences:\nexperiences: []\n")
    [ruleset] = load_rules(tmp_path).values()
    assert [audience.id for audience in ruleset.audiences] == ["a", "b"]


def test_empty_environment(tmp_path: Path) -> None:
    """An environment without rules is served: everybody is in no audience."""
    (tmp_path / "o/e").mkdir(parents=True)
    [ruleset] = load_rules(tmp_path).values()
    assert ruleset.audiences == ()


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_byte_order_mark(tmp_path: Path, name: str) -> None:
    """A byte-order mark is skipped."""
    assert content_of(tmp_path, name, b'\xef\xbb\xbf{"a": "\xc3\xa9"}') == {"a": "é"}


def test_json_is_json(tmp_path: Path) -> None:
    """Escapes, tabs, long names and exponents are read as JSON means them."""
    text = '{\n\t"a\\/b": "\\ud83d\\ude00",\t"n": 1e5, "%s": [true, null]}' % ("k" * 3000)
    assert content_of(tmp_path, "a.json", text) == {
        "a/b": "😀",
        "n": 100000.0,
        "k" * 3000: [True, None],
    }


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        pytest.param(
            "a.yaml",
            "a: [\n",
            ":2: did not find expected node content in line 2, column 1 (is each [ and { closed?)",
            id="yaml-syntax",
        ),
        pytest.param(
            "a.json",
            '{"a":\n 1 2}',
            ":2: Expecting ',' delimiter in line 2, column 4",
            id="json-syntax",
        ),
        pytest.param(
            "a.json",
            '{"a": 1, "a": 2}',
            ': the file cannot be read: the key "a" stands twice in one object',
            id="json-repeated-key",
        ),
        pytest.param(
            "a.yaml",
            "audiences: []\naudiences: []",
            ':2: the key "audiences" stands here twice in line 2, column 1',
            id="yaml-repeated-key",
        ),
        pytest.param(
            "a.yaml",
            b"a: b\nc: \xff",
            ":2: the file cannot be read: byte 0xff in line 2 is no UTF-8 (save it as UTF-8)",
            id="no-utf-8",
        ),
        pytest.param(
            "a.yaml",
            "# a bell\na: \a",
            ":2: the file cannot be read: character U+0007 in line 2"
            " (write it as an escape in quotes)",
            id="control-character",
        ),
        pytest.param(
            "a.yaml",
            f"# {'ä😀' * 80}\naudiences:\n  - id: a\n    name: x\x01y\n",
            ":4: the file cannot be read: character U+0001 in line 4"
            " (write it as an escape in quotes)",
            id="control-character-after-others",
        ),
        pytest.param(
            "a.json",
            "[" * 100_000,
            ": the file cannot be read: it is nested too deep",
            id="bottomless-json",
        ),
        pytest.param(
            "a.yaml",
            "[" * 100_000,
            ":1: nested deeper than 200 levels in line 1, column 201",
            id="bottomless-yaml",
        ),
        pytest.param(
            "a.yaml",
            "- a",
            ": a rule document must be an object, not a list (its keys are: environment,"
            " audiences, experiences, merge_tags, contentful, accepted_warnings)",
            id="list",
        ),
        pytest.param(
            "a.yaml",
            "audience: []",
            '#/audience: unknown key "audience" (did you mean "audiences"?)',
            id="unknown-key",
        ),
        pytest.param(
            "a.yaml",
            "audiences: {}",
            '#/audiences: "audiences" must be a list, not an object',
            id="no-list",
        ),
        pytest.param(
            "a.yaml",
            "audiences: [{id: 2026-01-31, has trait: k}]",
            '#/audiences/0/id: "id" must be a text, not a date (put it in quotes: "2026-01-31")',
            id="date-as-an-id",
        ),
        pytest.param(
            "a.yaml",
            "audiences: [{id: a, has trait: {2026-01-31: x}}]",
            '#/audiences/0/has trait/2026-01-31: "name" must be a text, not a date'
            ' (put it in quotes: "2026-01-31")',
            id="date-as-a-name",
        ),
    ],
)
def test_file_with_a_fault(tmp_path: Path, name: str, content: str | bytes, fault: str) -> None:
    """A file that cannot be read, or holds no rules, refuses the load by its name."""
    write(tmp_path, f"rules/o/e/{name}", content)
    assert faults_of(tmp_path / "rules") == [f"rules/o/e/{name}{fault}"]


def test_all_faults_of_all_environments(tmp_path: Path) -> None:
    """Every unreadable file of every environment is told at once."""
    for path in ("o/e/a.yaml", "o/e/b.yaml", "p/e/a.yaml"):
        write(tmp_path, path, "a: [\n")
    write(tmp_path, "q/e/a.yaml", "audiences: [{id: a}]")
    assert len(faults_of(tmp_path)) == 4


def test_faults_beside_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """What is wrong in the other files is told too; what may stand in that one is not missed."""
    write(tmp_path, "rules/o/e/a.yaml", "audiences: [{id: a")
    write(tmp_path, "rules/o/e/b.yaml", "audiences: [{id: b, audience: a}, {id: c, has tait: k}]")
    unreadable, unknown = faults_of(tmp_path / "rules")
    assert unreadable.startswith("rules/o/e/a.yaml:1: ")
    assert unknown.startswith('rules/o/e/b.yaml#/audiences/1/has tait: unknown key "has tait"')


def test_rules_that_live_in_a_space_too(tmp_path: Path) -> None:
    """Who reads files alone is told what follows a space, instead of serving half of the rules."""
    write(tmp_path, "rules/o/e/a.yaml", "contentful: {space: abc}")
    write(tmp_path, "rules/o/e/b.yaml", "audiences: [{id: b, audience: of-the-space}]")
    write(tmp_path, "rules/p/e/a.yaml", AUDIENCE)
    write(tmp_path, "rules/q/e/a.json", '{"contentful": null}')
    with pytest.raises(RulesError) as caught:
        load_rules(tmp_path / "rules")
    faults = caught.value.faults
    assert [(one.file, one.pointer, one.code) for one in faults] == [
        ("rules/o/e/a.yaml", "/contentful", "source_not_read"),
        ("rules/q/e/a.json", "/contentful", "source_not_read"),
    ]
    assert all("edgewise.reload.reloader.Reloader" in one.hint for one in faults)


def test_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the limit is not even opened."""
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    write(tmp_path, "rules/o/e/a.yaml", "#" * 101)
    assert faults_of(tmp_path / "rules") == [
        "rules/o/e/a.yaml: the file is larger than 100 bytes (split it)"
    ]


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be opened is a fault, not a crash."""

    def refuse(path: Path, encoding: str) -> str:
        raise PermissionError(13, "Permission denied")

    write(tmp_path, "rules/o/e/a.yaml", AUDIENCE)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert faults_of(tmp_path / "rules") == [
        "rules/o/e/a.yaml: the file cannot be read: Permission denied"
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(False, "there is no such folder", id="missing"),
        pytest.param(True, "there are no rules here", id="empty"),
    ],
)
def test_no_rules(tmp_path: Path, make: bool, message: str) -> None:
    """A folder without any environment is a fault that says where rules live."""
    root = tmp_path / "rules"
    if make:
        root.mkdir()
    hint = "rules live in RULES/<organization>/<environment>/*.yaml"
    assert faults_of(root) == [f"{root}: {message} ({hint})"]


@pytest.mark.parametrize(
    "named",
    [
        pytest.param("o", id="organization"),
        pytest.param("o/e", id="environment"),
        pytest.param("o/e/a.yaml", id="file"),
    ],
)
def test_rules_that_lie_deeper(tmp_path: Path, named: str) -> None:
    """Who names an environment, its organization or a file is told which folder is meant."""
    write(tmp_path, "rules/o/e/a.yaml", AUDIENCE)
    [fault] = faults_of(tmp_path / "rules" / named)
    assert f'(did you mean "{tmp_path / "rules"}"? rules live in' in fault
