"""A record of a location database → the location of a profile.

Databases come in two shapes. Those of MaxMind nest objects with names in several languages; those
of ip-location-db are flat, and say "" for what is not known. A member of the wrong type counts as
not known: whatever a record holds, reading it does not fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edgewise.countries import COUNTRY_CODES
from edgewise.country_names import Country, find_country
from edgewise.model.profiles import Coordinates, Location
from edgewise.values import number_of


class FoundLocation(msgspec.Struct, frozen=True):
    """What a database knows of an address.

    Shape: `city_names` has the city's names by the tag of their language, as far as the database
    has names; the English one is that of the location.
    """

    location: Location
    city_names: Mapping[str, str]


Reading = Callable[[Any], FoundLocation | None]
"""Reads a record of one shape; None for one that tells nothing."""

_COUNTRIES: dict[str, Country | None] = {code: find_country(code) for code in sorted(COUNTRY_CODES)}
_CONTINENTS = frozenset("AF AN AS EU NA OC SA".split())
# Any object of these makes a record one of the nested shape.
_NESTED_KEYS = ("country", "city", "continent", "location", "registered_country")
_NOTHING: Mapping[str, Any] = {}
_NO_NAMES: Mapping[str, str] = {}
# Degrees in steps of about ten metres: the further digits of a 32-bit float are noise. Rounding to
# a whole number of steps takes half the time of rounding to four decimals, for the same result.
_STEPS = 10_000


def reading_of(record: Any) -> Reading | None:
    """Return what reads records of the shape that this one has; None for an unknown shape."""
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("country_code"), str):
        return read_flat
    if any(isinstance(record.get(key), dict) for key in _NESTED_KEYS):
        return read_nested
    return None


def read_flat(record: Any) -> FoundLocation | None:
    """Return what a record of ip-location-db tells: a code, names in English and a place."""
    if record.__class__ is not dict:
        return None
    get = record.get
    country = _country(get("country_code"))
    location = Location(
        coordinates=_coordinates(get("latitude"), get("longitude")),
        city=_text(get("city")),
        postal_code=_text(get("postcode")),
        region=_text(get("state1")),
        country=country.name if country else None,
        country_code=country.code if country else None,
        continent=country.continent if country else None,
        timezone=_text(get("timezone")),
    )
    return FoundLocation(location, _NO_NAMES) if location != _UNKNOWN else None


def read_nested(record: Any) -> FoundLocation | None:
    """Return what a record of MaxMind's form tells; the region is the largest one it names."""
    if record.__class__ is not dict:
        return None
    place = _object(record.get("location"))
    found_country = _object(record.get("country"))
    country = _country(found_country.get("iso_code"))
    continent = _object(record.get("continent")).get("code")
    region = _first(record.get("subdivisions"))
    names = _object(_object(record.get("city")).get("names"))
    location = Location(
        coordinates=_coordinates(place.get("latitude"), place.get("longitude")),
        city=_text(names.get("en")),
        postal_code=_text(_object(record.get("postal")).get("code")),
        region=_english(region),
        region_code=_text(region.get("iso_code")),
        country=_english(found_country) or (country.name if country else None),
        country_code=country.code if country else None,
        continent=_continent(continent, country),
        timezone=_text(place.get("time_zone")),
    )
    return FoundLocation(location, _other_names(names)) if location != _UNKNOWN else None


_UNKNOWN = Location()


def _text(value: Any) -> str | None:
    return value if value.__class__ is str and value else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if value.__class__ is dict else _NOTHING


def _first(value: Any) -> Mapping[str, Any]:
    return _object(value[0]) if value.__class__ is list and value else _NOTHING


def _english(named: Mapping[str, Any]) -> str | None:
    return _text(_object(named.get("names")).get("en"))


def _other_names(names: Mapping[str, Any]) -> Mapping[str, str]:
    if not names:
        return _NO_NAMES
    return {
        language: name
        for language, name in names.items()
        if name.__class__ is str and name and language != "en"
    }


def _country(code: Any) -> Country | None:
    return _COUNTRIES.get(code) if code.__class__ is str else None


def _continent(code: Any, country: Country | None) -> str | None:
    if code.__class__ is str and code in _CONTINENTS:
        return str(code)
    return country.continent if country else None


def _coordinates(latitude: Any, longitude: Any) -> Coordinates | None:
    north = latitude if latitude.__class__ is float else _float(latitude)
    east = longitude if longitude.__class__ is float else _float(longitude)
    # Nothing compares with a float that is no number.
    if -90.0 <= north <= 90.0 and -180.0 <= east <= 180.0:
        return Coordinates(round(north * _STEPS) / _STEPS, round(east * _STEPS) / _STEPS)
    return None


def _float(value: Any) -> float:
    number = number_of(value)
    # Beyond this, whole numbers may be too large for a float.
    return float(number) if number is not None and -180 <= number <= 180 else math.nan
