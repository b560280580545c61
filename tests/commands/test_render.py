"""`edgewise render` resolves the merge tags of a text, a file or standard input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from edgewise.cli import main
from tests.sources.exports import OWN_EXPORT

PROFILE = {"traits": {"name": "Ann"}, "location": {}}


@pytest.fixture
def profile(tmp_path: Path) -> str:
    """A file with the answer that a profile came in."""
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"data": {"profile": PROFILE, "experiences": []}}), "utf-8")
    return str(path)


def test_a_text(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A text that holds a tag is rendered itself."""
    assert main(["render", "Hi {{ traits.name }}", "--profile", profile]) == 0
    assert capsys.readouterr().out == "Hi Ann\n"


def test_a_file(profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is rendered as it is, without another line end."""
    template = tmp_path / "mail.txt"
    template.write_text("{{ traits.name }},\n{{ location.city | there }}\n", "utf-8")
    main(["render", str(template), "--profile", profile])
    assert capsys.readouterr().out == "Ann,\nthere\n"


def test_standard_input(
    profile: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hyphen stands for standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("{{ traits.name }}"))
    main(["render", "-", "--profile", profile])
    assert capsys.readouterr().out == "Ann\n"


def test_fallbacks_of_the_rules(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Merge tags of an environment bring their fallbacks."""
    folder = tmp_path / "acme" / "main"
    folder.mkdir(parents=True)
    (folder / "space.json").write_bytes(OWN_EXPORT.read_bytes())
    main(["render", "{{ location.city }}", "--profile", profile, "--rules", str(folder)])
    assert capsys.readouterr().out == "your city\n"


@pytest.mark.parametrize("wrap", ["data", "profile", None])
def test_profiles_come_in_three_forms(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrap: str | None
) -> None:
    """A profile may stand alone, under its name, or in a whole answer."""
    forms = {None: PROFILE, "profile": {"profile": PROFILE}, "data": {"data": {"profile": PROFILE}}}
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(forms[wrap]), "utf-8")
    main(["render", "{{ traits.name }}", "--profile", str(path)])
    assert capsys.readouterr().out == "Ann\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["missing.txt", "--profile", "PROFILE"], "missing.txt", id="no-template"),
        pytest.param(["{{x}}", "--profile", "missing.json"], "missing.json", id="no-profile"),
        pytest.param(["{{x}}", "--profile", "LIST"], "a JSON object", id="no-object"),
        pytest.param(
            ["{{x}}", "--profile", "PROFILE", "--rules", "missing"], "no such folder", id="no-rules"
        ),
    ],
)
def test_what_cannot_be_read_is_told(
    profile: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    """A missing or senseless file is named, and the command fails."""
    listing = tmp_path / "list.json"
    listing.write_text("[]", "utf-8")
    paths = {"PROFILE": profile, "LIST": str(listing)}
    assert main(["render", *(paths.get(one, one) for one in arguments)]) == 2
    assert message in capsys.readouterr().err
