"""Records of location databases as locations, whatever is in them."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.countries import COUNTRY_CODES
from edgewise.country_names import find_country
from edgewise.enrich.geo_mapping import (
    FoundLocation,
    Reading,
    read_flat,
    read_nested,
    reading_of,
)
from edgewise.model.profiles import Coordinates, Location
from tests.geo import FLAT, NESTED

BERLIN = Location(
    coordinates=Coordinates(52.5244, 13.4105),
    city="Berlin",
    postal_code="10119",
    region="State of Berlin",
    region_code="BE",
    country="Germany",
    country_code="DE",
    continent="EU",
    timezone="Europe/Berlin",
)

_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=3),
    st.sampled_from(["", "DE", "de", "XX", "Berlin", "52.5", "nan", "EU", "a" * 100]),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.sampled_from(["en", "de", "code", "names", "iso_code"]), inner),
    ),
    max_leaves=5,
)
_FLAT_RECORDS = st.fixed_dictionaries({}, optional=dict.fromkeys(FLAT, _VALUES))
_PLACES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("latitude", "longitude", "time_zone"), _VALUES)
)
_NESTED_RECORDS = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(NESTED, _VALUES), "location": st.one_of(_PLACES, _VALUES)}
)


def location_of(found: FoundLocation | None) -> Location:
    """The location that was found."""
    assert found is not None
    return found.location


def flat(**members: Any) -> Location:
    """What a flat record says that differs in some members."""
    return location_of(read_flat({**FLAT, **members}))


def nested(**members: Any) -> Location:
    """What a nested record says that differs in some members."""
    return location_of(read_nested({**NESTED, **members}))


def test_flat_record() -> None:
    """A flat record gives all but the code of the region; country and continent come by code."""
    found = read_flat(FLAT)
    assert location_of(found) == msgspec.structs.replace(BERLIN, region_code=None)
    assert found is not None
    assert found.city_names == {}


def test_nested_record() -> None:
    """A nested record gives everything, and the names of the city in other languages."""
    found = read_nested(NESTED)
    assert location_of(found) == BERLIN
    assert found is not None
    assert found.city_names == {"pt-BR": "Berlim", "ja": "ベルリン", "zh-CN": "柏林"}


def test_empty_texts_are_absent() -> None:
    """Where a flat record says "" nothing is known, and a member is None rather than empty."""
    empty = dict.fromkeys(FLAT, "") | {"country_code": "FR"}
    assert location_of(read_flat(empty)) == Location(
        country="France", country_code="FR", continent="EU"
    )


def test_country_of_a_country_database() -> None:
    """A record with nothing but a code tells country and continent."""
    expected = Location(country="Kosovo", country_code="XK", continent="EU")
    assert location_of(read_flat({"country_code": "XK"})) == expected
    assert location_of(read_nested({"country": {"iso_code": "XK"}})) == expected


@pytest.mark.parametrize("code", sorted(COUNTRY_CODES))
def test_every_code_has_country_and_continent(code: str) -> None:
    """Each code that may stand in a profile has an English name and a continent."""
    country = find_country(code)
    assert country is not None
    location = location_of(read_flat({"country_code": code}))
    assert (location.country_code, location.country) == (code, country.name)
    assert location.continent == country.continent


@pytest.mark.parametrize("code", ["EU", "ZZ", "de", "", "DEU", None, 49, ["DE"], {}])
def test_codes_that_clients_refuse_are_left_out(code: Any) -> None:
    """A code that is none of a country is not told; the rest of the record is."""
    assert flat(country_code=code).country_code is None
    assert flat(country_code=code).city == "Berlin"
    assert nested(country={"iso_code": code}).country_code is None


def test_name_of_the_database_counts() -> None:
    """The country is called as the database calls it, also where its code is unknown."""
    named = {"iso_code": "ZZ", "names": {"en": "Atlantis"}}
    assert nested(country=named).country == "Atlantis"
    assert nested(country={"iso_code": "CZ", "names": {"en": "Czech Republic"}}).country == (
        "Czech Republic"
    )


def test_owner_of_a_network_is_no_place() -> None:
    """The country that a network is registered in is not where its visitors are."""
    assert read_nested({"registered_country": {"iso_code": "US"}}) is None


def test_continent_without_country() -> None:
    """A record may tell no more than a continent."""
    assert location_of(read_nested({"continent": {"code": "AS"}})) == Location(continent="AS")


def test_unknown_continent_gives_way_to_that_of_the_country() -> None:
    """Only the seven codes of continents are told."""
    assert nested(continent={"code": "EUROPE"}).continent == "EU"


def test_first_region_counts() -> None:
    """The region is the largest subdivision, which comes first."""
    regions = [
        {"iso_code": "ENG", "names": {"en": "England"}},
        {"iso_code": "WBK", "names": {"en": "West Berkshire"}},
    ]
    location = nested(subdivisions=regions)
    assert (location.region, location.region_code) == ("England", "ENG")


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        pytest.param(51.51430130004883, -0.09119, (51.5143, -0.0912), id="rounded"),
        pytest.param(90.0, -180.0, (90.0, -180.0), id="corner"),
        pytest.param(52, 13, (52.0, 13.0), id="whole-numbers"),
        pytest.param("52.5", "13.4", (52.5, 13.4), id="texts"),
        pytest.param(0.0, 0.0, (0.0, 0.0), id="zero-is-a-place"),
    ],
)
def test_coordinates(latitude: Any, longitude: Any, expected: tuple[float, float]) -> None:
    """Degrees have four decimals, and may be numbers of any kind."""
    coordinates = Coordinates(*expected)
    assert flat(latitude=latitude, longitude=longitude).coordinates == coordinates
    place = {"latitude": latitude, "longitude": longitude}
    assert nested(location=place).coordinates == coordinates


@pytest.mark.parametrize("wrong", ["", None, math.nan, math.inf, -math.inf, 200, 10**400, True, []])
def test_coordinates_come_as_a_pair(wrong: Any) -> None:
    """Where one of the two is missing or impossible there are no coordinates."""
    assert flat(latitude=wrong).coordinates is None
    assert flat(longitude=wrong).coordinates is None


@given(st.floats(-180, 180))
def test_rounding_is_to_four_decimals(degrees: float) -> None:
    """Degrees come out as the nearest number with four decimals."""
    coordinates = flat(latitude=0.0, longitude=degrees).coordinates
    assert coordinates is not None
    assert abs(coordinates.longitude - degrees) <= 0.0000501
    assert coordinates.longitude == round(coordinates.longitude, 4)


@given(st.one_of(_VALUES, _FLAT_RECORDS, _NESTED_RECORDS))
def test_no_record_fails(record: Any) -> None:
    """Whatever a record holds, what is read is well-formed, or nothing."""
    reading_of(record)
    for read in (read_flat, read_nested):
        found = read(record)
        if found is not None:
            check(found)


def check(found: FoundLocation) -> None:
    """Hold a location against what the answers of the API promise."""
    encoded = msgspec.json.decode(msgspec.json.encode(found.location))
    assert encoded
    assert msgspec.convert(encoded, Location) == found.location
    assert all(value for value in encoded.values())
    assert found.location.country_code in {None, *COUNTRY_CODES}
    assert all(found.city_names.values())
    assert "en" not in found.city_names


@pytest.mark.parametrize(
    ("record", "reading"),
    [
        pytest.param(FLAT, read_flat, id="flat"),
        pytest.param({"country_code": ""}, read_flat, id="flat-country"),
        pytest.param(NESTED, read_nested, id="nested"),
        pytest.param({"country": {"iso_code": "DE"}}, read_nested, id="nested-country"),
        pytest.param({"registered_country": {}}, read_nested, id="owner-only"),
        pytest.param({"autonomous_system_number": 1}, None, id="provider"),
        pytest.param({"country": "DE"}, None, id="another-form"),
        pytest.param({}, None, id="empty"),
        pytest.param("DE", None, id="text"),
    ],
)
def test_shape_shows_in_a_record(record: Any, reading: Reading | None) -> None:
    """A record of either shape tells which one it is; of other databases none is understood."""
    assert reading_of(record) is reading
