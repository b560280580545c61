"""Places in YAML files are found by line, and what has none is line 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.errors import Fault
from edgewise.sources.lines import LineFinder

TEXT = """# A comment.
audiences:
  - id: one
    has trait:
      a/b: gold
      c~d: {equals: 1}
    any:
      - {has trait: x,
         is on device: mobile}
      - audience: two
  - {id: two, has trait: y}
7: seven
"""


@pytest.fixture
def finder(tmp_path: Path) -> LineFinder:
    """A finder for one sound file, a broken one, and one of JSON."""
    (tmp_path / "rules.yaml").write_text(TEXT, "utf-8")
    (tmp_path / "broken.yaml").write_text("audiences: [", "utf-8")
    (tmp_path / "deep.yaml").write_text("audiences: " + "[" * 100_000, "utf-8")
    (tmp_path / "rules.json").write_text('{"audiences":\n[]}', "utf-8")
    return LineFinder(tmp_path)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        pytest.param("rules.yaml#/audiences", 2, id="a key"),
        pytest.param("rules.yaml#/audiences/0", 3, id="a member of a list"),
        pytest.param("rules.yaml#/audiences/0/has trait/a~1b", 5, id="a key with a slash"),
        pytest.param("rules.yaml#/audiences/0/has trait/c~0d/equals", 6, id="a key with a tilde"),
        pytest.param("rules.yaml#/audiences/0/any/0/is on device", 9, id="in braces"),
        pytest.param("rules.yaml#/audiences/1/has trait", 11, id="a later member"),
        pytest.param("rules.yaml#/7", 12, id="a key that is no text"),
        pytest.param("rules.yaml#/audiences/0/any/5/x", 7, id="beyond what is there"),
        pytest.param("rules.yaml#/audiences/x", 2, id="no number"),
        pytest.param("rules.yaml#", 0, id="the whole file"),
        pytest.param("rules.yaml#/nothing", 0, id="an unknown key"),
        pytest.param("rules.json#/audiences", 0, id="no YAML"),
        pytest.param("broken.yaml#/audiences", 0, id="broken"),
        pytest.param("deep.yaml#/audiences", 0, id="nested so deep that a parser would crash"),
        pytest.param("gone.yaml#/audiences", 0, id="no file"),
        pytest.param("contentful:shop/master#/entries/1", 0, id="no file name"),
    ],
)
def test_places_have_lines(finder: LineFinder, origin: str, line: int) -> None:
    """A place is found in the line of its key, or of the member of a list."""
    assert finder.line_of(origin) == line


def test_faults_get_their_lines(finder: LineFinder) -> None:
    """A fault gets the line of its place; one that has a line, or no place in a file, stays.

    They come file by file, in the order of their lines.
    """
    faults = [
        Fault("c", "wrong", "rules.yaml", "/audiences/1"),
        Fault("c", "wrong", "rules.yaml", "/audiences/0"),
        Fault("c", "wrong", "broken.yaml", line=1),
        Fault("c", "wrong", "rules.json", "/audiences"),
    ]
    found = [(fault.file, fault.line) for fault in finder.located(faults)]
    assert found == [
        ("broken.yaml", 1),
        ("rules.json", 0),
        ("rules.yaml", 3),
        ("rules.yaml", 11),
    ]
