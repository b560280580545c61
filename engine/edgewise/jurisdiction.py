"""Under which privacy law a visitor is, by where it is."""

from __future__ import annotations

from typing import Final

GDPR: Final = "GDPR"
CCPA: Final = "CCPA"

GDPR_COUNTRIES: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
    " IS LI NO GB CH".split()
)
"""The European Union, the rest of the European Economic Area, the United Kingdom, Switzerland."""

_CALIFORNIA: Final = frozenset({"ca", "california"})


def jurisdiction_of(country: str | None, region: str | None) -> str | None:
    """Return "GDPR", "CCPA", or None where neither is known to hold.

    Args:
        country: an upper-case ISO 3166 code.
        region: the part of an ISO 3166-2 code behind the hyphen, or the name of California.
    """
    if country in GDPR_COUNTRIES:
        return GDPR
    if country == "US" and region and region.casefold() in _CALIFORNIA:
        return CCPA
    return None
