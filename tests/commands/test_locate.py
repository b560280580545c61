"""`edgewise locate`: what a database says of an address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgewise.cli import main
from tests.geo import BERLIN_V4, NOWHERE_V4, nested_both


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A database that knows Berlin."""
    return str(nested_both(tmp_path / "geo.mmdb"))


@pytest.mark.parametrize(
    ("locale", "city", "country"),
    [([], "Berlin", "Germany"), (["--locale", "pt"], "Berlim", "Alemanha")],
    ids=["english", "portuguese"],
)
def test_locate(
    locale: list[str], city: str, country: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The location is printed as an answer has it, in the language asked for."""
    assert main(["locate", BERLIN_V4, "--geo", database, *locale]) == 0
    out, err = capsys.readouterr()
    location = json.loads(out)
    assert (location["city"], location["country"], err) == (city, country, "")


def test_nothing_known(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An address that the database does not know is told by the status too."""
    assert main(["locate", NOWHERE_V4, "--geo", database]) == 1
    assert capsys.readouterr().out == "{}\n"


@pytest.mark.parametrize(
    ("address", "locale", "message"),
    [
        pytest.param("home", "en", "'home' does not appear to be an IPv4 or IPv6", id="address"),
        pytest.param(BERLIN_V4, "!", "locale: ", id="locale"),
    ],
)
def test_slips(
    address: str, locale: str, message: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no address or no language is one message."""
    assert main(["locate", address, "--geo", database, "--locale", locale]) == 2
    assert capsys.readouterr().err.startswith(f"edgewise: {message}")
