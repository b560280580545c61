"""Names and continents of countries."""

from __future__ import annotations

import pytest

from edgewise.countries import COUNTRY_CODES
from edgewise.country_names import Country, find_country

CONTINENTS = {"AF", "AN", "AS", "EU", "NA", "OC", "SA"}


def test_every_code_has_a_country() -> None:
    """Each code that may stand in a profile is found, and lies on a continent."""
    found = [find_country(code) for code in sorted(COUNTRY_CODES)]
    assert [country.code for country in found if country] == sorted(COUNTRY_CODES)
    assert {country.continent for country in found if country} == CONTINENTS


def test_every_country_is_found_by_its_name() -> None:
    """The name of a country leads to that country and to no other."""
    for code in COUNTRY_CODES:
        country = find_country(code)
        assert country is not None
        assert find_country(country.name) == country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("de", "DE", id="lower-case"),
        pytest.param(" Germany ", "DE", id="spaces"),
        pytest.param("united states of america", "US", id="long"),
        pytest.param("Cote d'Ivoire", "CI", id="plain-letters"),
        pytest.param("CÔTE D’IVOIRE", "CI", id="capitals"),
        pytest.param("Türkiye", "TR", id="own-name"),
        pytest.param("Österreich", "AT", id="own-language"),
    ],
)
def test_spellings(text: str, code: str) -> None:
    """A country is found whatever the spelling of its name."""
    found = find_country(text)
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("text", ["", "ZZ", "Atlantis", "<string>"])
def test_no_country(text: str) -> None:
    """What names no country finds none."""
    assert find_country(text) is None


def test_country() -> None:
    """A country has its code, its continent and its name."""
    assert find_country("NO") == Country("NO", "EU", "Norway")
