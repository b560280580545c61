"""A folder is read when it is at rest, and what cannot be read is a fault."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgewise.reload.reading import read_settled, stamp_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one rule file."""
    (tmp_path / "rules.yaml").write_text("audiences: [{id: a, has trait: t}]", "utf-8")
    return tmp_path


def test_a_stamp_changes_with_its_files(folder: Path) -> None:
    """Another content, another file in its place and one more file are all seen."""
    stamps = [stamp_of(folder)]
    file = folder / "rules.yaml"
    file.write_text("audiences: []", "utf-8")
    stamps.append(stamp_of(folder))
    aside = folder / ".aside"
    aside.write_bytes(file.read_bytes())
    times = file.stat()
    os.utime(aside, ns=(times.st_atime_ns, times.st_mtime_ns))
    aside.replace(file)
    stamps.append(stamp_of(folder))
    (folder / "more.json").write_text("{}", "utf-8")
    stamps.append(stamp_of(folder))
    assert len(set(stamps)) == len(stamps)


def test_a_stamp_sees_rule_files_only(folder: Path) -> None:
    """What is not read does not count."""
    before = stamp_of(folder)
    (folder / "notes.txt").write_text("x", "utf-8")
    (folder / ".rules.yaml.swp").write_text("x", "utf-8")
    assert stamp_of(folder) == before


def test_files_from_the_future_are_read(folder: Path) -> None:
    """A clock that is wrong holds up nothing."""
    future_ns = 4_000_000_000 * 10**9
    os.utime(folder / "rules.yaml", ns=(future_ns, future_ns))
    reading = read_settled(folder, folder.parent, settle_s=0.01)
    assert (reading.faults, len(reading.documents)) == ((), 1)
    assert reading.stamp == stamp_of(folder)


def test_a_folder_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    """Nothing is read, and the fault names the folder."""
    reading = read_settled(tmp_path / "gone", tmp_path, settle_s=0)
    (fault,) = reading.faults
    assert (fault.code, fault.file, reading.documents) == ("unreadable", "gone", ())


def test_a_setting_without_its_variable_is_a_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A space whose token is nowhere refuses the change like any other fault."""
    monkeypatch.delenv("CONTENTFUL_TOKEN", raising=False)
    (folder / "space.yaml").write_text("contentful: {space: abc}", "utf-8")
    reading = read_settled(folder, folder.parent, settle_s=0)
    assert [fault.code for fault in reading.faults] == ["token_missing"]
