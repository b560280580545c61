"""Which privacy law holds follows from the country, and in the United States from the state."""

from __future__ import annotations

import pytest

from edgewise.countries import COUNTRY_CODES
from edgewise.jurisdiction import GDPR_COUNTRIES, jurisdiction_of


@pytest.mark.parametrize(
    ("country", "region", "expected"),
    [
        pytest.param("DE", "BE", "GDPR", id="European Union"),
        pytest.param("NO", None, "GDPR", id="European Economic Area"),
        pytest.param("GB", "ENG", "GDPR", id="United Kingdom"),
        pytest.param("CH", "ZH", "GDPR", id="Switzerland"),
        pytest.param("US", "CA", "CCPA", id="California"),
        pytest.param("US", "California", "CCPA", id="California by its name"),
        pytest.param("US", "NY", None, id="another state"),
        pytest.param("US", None, None, id="some state"),
        pytest.param("CA", "CA", None, id="Canada"),
        pytest.param("BR", "CA", None, id="a region of the same code elsewhere"),
        pytest.param(None, "CA", None, id="a region of no country"),
        pytest.param("", "", None, id="nothing"),
    ],
)
def test_jurisdiction(country: str | None, region: str | None, expected: str | None) -> None:
    """GDPR in 32 countries, CCPA in California, and nothing where neither is known to hold."""
    assert jurisdiction_of(country, region) == expected


def test_every_listed_country_exists() -> None:
    """The list has the 30 countries of the EEA and two more, each by an assigned code."""
    assert len(GDPR_COUNTRIES) == 32
    assert GDPR_COUNTRIES <= COUNTRY_CODES
