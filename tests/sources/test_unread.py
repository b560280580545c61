"""Files that look like rules are found where nobody reads them."""

from __future__ import annotations

from pathlib import Path

from edgewise.model.document import UnreadFile
from edgewise.sources.unread import find_unread


def write(root: Path, *paths: str) -> Path:
    """A folder of rules with these files."""
    for path in paths:
        file = root / "rules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root / "rules"


def test_files_in_a_wrong_place_are_found(tmp_path: Path) -> None:
    """Files above and below an environment are found, and those of another ending."""
    root = write(
        tmp_path,
        "a.yaml",
        "shop/b.yml",
        "other/c.json",
        "shop/main/read.yaml",
        "shop/main/read.json",
        "shop/main/D.YAML",
        "shop/main/old/e.yaml",
        "shop/main/old/older/f.Yml",
    )
    environment = "rules/shop/main"
    assert find_unread(root) == {
        None: [UnreadFile(f"rules/{name}") for name in ("a.yaml", "other/c.json", "shop/b.yml")],
        ("shop", "main"): [
            UnreadFile(f"{environment}/{name}", environment)
            for name in ("D.YAML", "old/e.yaml", "old/older/f.Yml")
        ],
    }


def test_what_is_hidden_or_no_rules_is_left_alone(tmp_path: Path) -> None:
    """Hidden files and folders, and files of other endings, are nobody's rules."""
    root = write(
        tmp_path,
        ".git/a.yaml",
        ".b.yaml",
        "README.md",
        "shop/main/.c.YAML",
        "shop/main/d.yaml.bak",
        "shop/main/.old/e.yaml",
    )
    assert find_unread(root) == {}


def test_a_folder_without_environments_has_none_misplaced(tmp_path: Path) -> None:
    """Whoever names an environment instead of the root is told so, and not of every file."""
    root = write(tmp_path, "shop/main/a.yaml")
    assert find_unread(root / "shop") == {}
    assert find_unread(root / "shop" / "main") == {}
    assert find_unread(tmp_path / "nowhere") == {}
