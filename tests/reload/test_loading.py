"""A folder is loaded without network: a space counts as its last good copy has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.documents import parse_documents
from edgewise.errors import RulesError
from edgewise.reload.loading import load_folder
from edgewise.secret import Secret
from edgewise.sources.contentful.last_good import LastGood, copy_path, save_copy
from edgewise.sources.contentful.mirror import Mirror
from edgewise.sources.contentful.settings import ContentfulSettings
from tests.sources.exports import audience, page_rule

KEY = ("shop", "main")
SETTINGS = ContentfulSettings(space="abc", token=Secret("token"))
RULES = """
contentful: {space: abc}
experiences:
  - {id: hero, audience: fromSpace, components: [{entry: a, variants: [b]}]}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose rules need those of a space."""
    monkeypatch.setenv("CONTENTFUL_TOKEN", "token")
    file = tmp_path / "rules" / "shop" / "main" / "rules.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(RULES, "utf-8")
    return tmp_path / "rules"


def test_a_copy_takes_part(root: Path, tmp_path: Path) -> None:
    """With a copy an environment is whole, its documents are those of files and space."""
    entry = audience("fromSpace", page_rule())
    mirror = Mirror(entries={"fromSpace": entry})
    copy = LastGood(source=SETTINGS.name, fetched_ms=1, mirror=mirror)
    save_copy(copy_path(tmp_path / "copies", SETTINGS), copy)
    loaded = load_folder(root, tmp_path / "copies")
    assert loaded.waiting == {}
    assert loaded.rulesets[KEY].evaluator.ids == ("fromSpace",)
    assert parse_documents(loaded.documents[KEY]).faults == ()


@pytest.mark.parametrize("damaged", [False, True], ids=["none", "damaged"])
def test_without_a_copy_it_waits(root: Path, tmp_path: Path, damaged: bool) -> None:
    """No copy, or one that cannot be read, leaves the environment to the running server."""
    if damaged:
        path = copy_path(tmp_path, SETTINGS)
        path.write_text("{", "utf-8")
    loaded = load_folder(root, tmp_path)
    assert (loaded.rulesets, loaded.waiting) == ({}, {KEY: "contentful:abc/master"})


def test_other_faults_are_told_in_any_case(root: Path) -> None:
    """What has nothing to do with the space is refused without it too."""
    (root / "shop" / "main" / "more.yaml").write_text("audiences: [{id: a}]", "utf-8")
    with pytest.raises(RulesError) as caught:
        load_folder(root)
    assert [fault.code for fault in caught.value.faults] == ["empty_rule"]
