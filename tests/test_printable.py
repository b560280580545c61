"""Texts of others are shown as they are, as far as they can be seen."""

from __future__ import annotations

import pytest

from edgewise.cli import main
from edgewise.printable import printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Ärzte 📧 “a”", "Ärzte 📧 “a”", id="letters"),
        pytest.param("\x1b[31mred\x07", r"\x1b[31mred\x07", id="controls"),
        pytest.param("a\nb\tc\x7f\x9b", r"a\nb\tc\x7f\x9b", id="lines"),
        pytest.param("a\u202eb\u2028", r"a\u202eb\u2028", id="directions"),
        pytest.param("a\ud800b", r"a\ud800b", id="half-a-pair"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    """What steers a terminal is shown by its escape."""
    assert printable(text) == shown


def test_shortened() -> None:
    """A text that is longer than it may be says so behind what is left of it."""
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abcd…"


def test_errors_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that comes back in a message is shown with escapes."""
    assert main(["serve", "rules", "--store", "no\x1b]0;x\x07where://"]) == 2
    assert r"no\x1b]0;x\x07where" in capsys.readouterr().err
