"""Files that are there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

from edgewise.simulate.whole import whole_file


def test_two_files_of_one_folder_at_once(tmp_path: Path) -> None:
    """What is written at first has a name of its own, whoever else writes beside it."""
    with whole_file(tmp_path / "a") as first, whole_file(tmp_path / "b") as second:
        first.write_text("a")
        second.write_text("b")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "a", "b": "b"}
