"""Locations: which members of a sent location count, and when a sender asks for none."""

from __future__ import annotations

import math

import msgspec
import pytest

from edgewise.countries import COUNTRY_CODES
from edgewise.locations import asks_no_location, fold_location
from edgewise.model.event import Coordinates as SentCoordinates
from edgewise.model.event import EventLocation
from edgewise.model.profiles import Coordinates, Location

BERLIN = Coordinates(latitude=52.5, longitude=13.4)


def fold(location: Location, sent: EventLocation) -> Location:
    fold_location(location, sent)
    return location


def test_members_that_are_given_override() -> None:
    """Each given member replaces what was known, every other one stays."""
    location = Location(city="Berlin", country="Germany", country_code="DE", timezone="CET")
    fold_location(location, EventLocation(city="Paris", country_code="FR", postal_code="75001"))
    assert location == Location(
        city="Paris", country="Germany", country_code="FR", timezone="CET", postal_code="75001"
    )


def test_every_member_can_be_sent() -> None:
    """A full location arrives in full."""
    sent = EventLocation(
        coordinates=SentCoordinates(latitude=52.5, longitude=13.4),
        city="Berlin",
        postal_code="10119",
        region="State of Berlin",
        region_code="BE",
        country="Germany",
        country_code="DE",
        continent="EU",
        timezone="Europe/Berlin",
    )
    folded = fold(Location(), sent)
    assert folded == Location(
        coordinates=BERLIN,
        city="Berlin",
        postal_code="10119",
        region="State of Berlin",
        region_code="BE",
        country="Germany",
        country_code="DE",
        continent="EU",
        timezone="Europe/Berlin",
    )
    assert None not in msgspec.structs.astuple(folded)


def test_empty_members_change_nothing() -> None:
    """An empty text means "not given" and never erases what is known."""
    location = Location(city="Berlin", country_code="DE", coordinates=BERLIN)
    sent = EventLocation(city="", country_code="", coordinates="", region="")
    assert fold(location, sent) == Location(city="Berlin", country_code="DE", coordinates=BERLIN)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(52.5, 13.4, id="numbers"),
        pytest.param("52.5", "13.4", id="numeric texts"),
        pytest.param(52.5, "13.4", id="mixed"),
        pytest.param(" 52.5 ", "13.4", id="with spaces"),
    ],
)
def test_coordinates_are_numbers_or_their_texts(
    latitude: float | str, longitude: float | str
) -> None:
    """Degrees count as numbers, also where the sender made texts of them."""
    sent = EventLocation(coordinates=SentCoordinates(latitude=latitude, longitude=longitude))
    assert fold(Location(), sent).coordinates == BERLIN


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        pytest.param(90.0, 180.0, id="north-east corner"),
        pytest.param(-90.0, -180.0, id="south-west corner"),
        pytest.param(0.0, 0.0, id="zero is a place"),
    ],
)
def test_the_ends_of_the_range_are_places(latitude: float, longitude: float) -> None:
    """Latitudes reach from -90 to 90 and longitudes from -180 to 180, ends included."""
    sent = EventLocation(coordinates=SentCoordinates(latitude=latitude, longitude=longitude))
    assert fold(Location(), sent).coordinates == Coordinates(latitude, longitude)


@pytest.mark.parametrize(
    "coordinates",
    [
        pytest.param(None, id="absent"),
        pytest.param("52.5,13.4", id="text"),
        pytest.param(SentCoordinates(), id="empty object"),
        pytest.param(SentCoordinates(latitude=1.0), id="no longitude"),
        pytest.param(SentCoordinates(longitude=1.0), id="no latitude"),
        pytest.param(SentCoordinates(latitude="", longitude=""), id="empty texts"),
        pytest.param(SentCoordinates(latitude="north", longitude="1"), id="no number"),
        pytest.param(SentCoordinates(latitude="1_0", longitude="1"), id="underscore"),
        pytest.param(SentCoordinates(latitude=90.1, longitude=1.0), id="beyond the pole"),
        pytest.param(SentCoordinates(latitude=1.0, longitude=-180.1), id="beyond the date line"),
        pytest.param(SentCoordinates(latitude=math.nan, longitude=1.0), id="NaN"),
        pytest.param(SentCoordinates(latitude="nan", longitude=1.0), id="NaN as text"),
        pytest.param(SentCoordinates(latitude=1.0, longitude=math.inf), id="infinite"),
        pytest.param(SentCoordinates(latitude="1e999", longitude=1.0), id="overflow"),
    ],
)
def test_unusable_coordinates_are_ignored(coordinates: SentCoordinates | str | None) -> None:
    """Anything but two numbers in range leaves the known coordinates alone."""
    location = Location(coordinates=BERLIN)
    assert fold(location, EventLocation(coordinates=coordinates)).coordinates == BERLIN


@pytest.mark.parametrize("code", ["", "unknown", "XX", "T1", "EU", "UK", "de", "DEU", " DE"])
def test_codes_that_clients_refuse_are_ignored(code: str) -> None:
    """A country code outside the standard does not replace one and is not stored."""
    assert fold(Location(country_code="DE"), EventLocation(country_code=code)).country_code == "DE"
    assert fold(Location(), EventLocation(country_code=code)).country_code is None


def test_kosovo_is_a_country_code() -> None:
    """XK is accepted although the standard leaves it to its users."""
    assert fold(Location(), EventLocation(country_code="XK")).country_code == "XK"


def test_the_country_codes_are_complete() -> None:
    """There are 249 assigned codes and XK, all of two upper-case letters."""
    assert len(COUNTRY_CODES) == 250
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in COUNTRY_CODES)


@pytest.mark.parametrize(
    ("sent", "asks"),
    [
        pytest.param({}, False, id="no member"),
        pytest.param({"city": ""}, True, id="one empty member"),
        pytest.param({"city": "", "coordinates": {}}, True, id="empty text and empty object"),
        pytest.param(
            {"coordinates": {"latitude": "", "longitude": ""}}, True, id="empty coordinates"
        ),
        pytest.param({"coordinates": ""}, True, id="coordinates as empty text"),
        pytest.param({"city": "", "country": None}, True, id="null is absent"),
        pytest.param({"city": "", "country": "Germany"}, False, id="one filled member"),
        pytest.param(
            {"city": "", "coordinates": {"latitude": 0, "longitude": 0}}, False, id="zero is filled"
        ),
        pytest.param({"countryCode": "", "postalCode": ""}, True, id="camel-case members"),
    ],
)
def test_all_empty_members_ask_for_no_location(sent: dict[str, object], asks: bool) -> None:
    """A sender that fills in nothing but empty members wants no location to be looked up."""
    assert asks_no_location(msgspec.convert(sent, EventLocation)) is asks
