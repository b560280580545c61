"""Where addresses are: one database or two, and the addresses of a published one."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from edgewise.enrich.geo_lookup import GeoLookup
from edgewise.errors import GeoDatabaseError
from edgewise.model.profiles import Location
from edgewise.translation import translated
from tests.geo import (
    BERLIN_V4,
    BERLIN_V6,
    FLAT,
    NOWHERE_V4,
    NOWHERE_V6,
    SHARED,
    flat_v4,
    flat_v6,
    nested_both,
    write_geo,
)


def city_of(lookup: GeoLookup, address: str) -> str | None:
    """The city of an address."""
    found = lookup.find(ip_address(address))
    return found.location.city if found else None


@pytest.mark.parametrize("turned", [False, True])
def test_one_file_for_each_version(tmp_path: Path, turned: bool) -> None:
    """Of two files each answers for its own addresses, whichever is named first."""
    paths = [
        flat_v4(tmp_path / "4.mmdb", city="Four"),
        flat_v6(tmp_path / "6.mmdb", city="Six"),
    ]
    lookup = GeoLookup(paths[::-1] if turned else paths)
    assert [city_of(lookup, address) for address in (BERLIN_V4, BERLIN_V6)] == ["Four", "Six"]
    assert [city_of(lookup, address) for address in (NOWHERE_V4, NOWHERE_V6)] == [None, None]


def test_one_file_for_both_versions(tmp_path: Path) -> None:
    """A database of both versions answers for both."""
    lookup = GeoLookup([nested_both(tmp_path / "a.mmdb")])
    assert city_of(lookup, BERLIN_V4) == city_of(lookup, BERLIN_V6) == "Berlin"


def test_file_for_one_version_beside_one_for_both(tmp_path: Path) -> None:
    """The database of IPv4 addresses answers for these, that of both for the others."""
    paths = [nested_both(tmp_path / "a.mmdb"), flat_v4(tmp_path / "4.mmdb", city="Four")]
    lookup = GeoLookup(paths)
    assert [city_of(lookup, address) for address in (BERLIN_V4, BERLIN_V6)] == ["Four", "Berlin"]


def test_version_6_without_a_file_for_it(tmp_path: Path) -> None:
    """Where only IPv4 addresses are known an IPv6 one is nowhere, and nothing is at fault."""
    lookup = GeoLookup([flat_v4(tmp_path / "4.mmdb")])
    assert city_of(lookup, BERLIN_V6) is None
    assert lookup.databases[0].fault == ""


def test_version_4_inside_version_6(tmp_path: Path) -> None:
    """A server that listens for both versions writes IPv4 addresses as IPv6 ones."""
    lookup = GeoLookup([flat_v4(tmp_path / "4.mmdb")])
    assert city_of(lookup, f"::ffff:{BERLIN_V4}") == "Berlin"
    assert city_of(lookup, "::ffff:127.0.0.1") is None


@pytest.mark.parametrize("address", ["10.1.1.1", "127.0.0.1", "192.168.1.1", "::1", "fd00::1"])
def test_private_addresses_are_nowhere(tmp_path: Path, address: str) -> None:
    """An address that is not public is nowhere, even where a database claims to know it."""
    networks = ("10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "::1/128", "fd00::/8")
    path = write_geo(tmp_path / "a.mmdb", dict.fromkeys(networks, FLAT), version=6)
    assert city_of(GeoLookup([path]), address) is None


def test_locations_are_nobody_elses(tmp_path: Path) -> None:
    """Each answer is a location of its own, so that a caller may go on with it."""
    lookup = GeoLookup([flat_v4(tmp_path / "4.mmdb")])
    first = lookup.find(ip_address(BERLIN_V4))
    assert first is not None
    first.location.city = "Potsdam"
    assert city_of(lookup, BERLIN_V4) == "Berlin"


@pytest.mark.parametrize("count", [0, 3])
def test_number_of_files(tmp_path: Path, count: int) -> None:
    """One file or two are needed."""
    with pytest.raises(GeoDatabaseError, match=f"not from {count}"):
        GeoLookup([tmp_path / "a.mmdb"] * count)


@pytest.mark.parametrize(("write", "version"), [(flat_v4, "IPv4"), (flat_v6, "IPv6")])
def test_two_files_for_the_same_addresses(tmp_path: Path, write: type, version: str) -> None:
    """Two files that would both answer are refused, with both names."""
    paths = [write(tmp_path / "one.mmdb"), write(tmp_path / "other.mmdb")]
    with pytest.raises(GeoDatabaseError, match=rf"one\.mmdb and .*other\.mmdb .* {version} "):
        GeoLookup(paths)


PUBLISHED = {
    "81.2.69.142": Location(
        city="London",
        region="England",
        region_code="ENG",
        country="United Kingdom",
        country_code="GB",
        continent="EU",
        timezone="Europe/London",
    ),
    "2.125.160.216": Location(
        city="Boxford",
        postal_code="OX1",
        region="England",
        region_code="ENG",
        country="United Kingdom",
        country_code="GB",
        continent="EU",
        timezone="Europe/London",
    ),
    "216.160.83.56": Location(
        city="Milton",
        postal_code="98354",
        region="Washington",
        region_code="WA",
        country="United States",
        country_code="US",
        continent="NA",
        timezone="America/Los_Angeles",
    ),
    "89.160.20.112": Location(
        city="Linköping",
        region="Östergötland County",
        region_code="E",
        country="Sweden",
        country_code="SE",
        continent="EU",
        timezone="Europe/Stockholm",
    ),
    "175.16.199.1": Location(
        city="Changchun",
        region="Jilin Sheng",
        region_code="22",
        country="China",
        country_code="CN",
        continent="AS",
        timezone="Asia/Harbin",
    ),
    "67.43.156.1": Location(
        country="Bhutan", country_code="BT", continent="AS", timezone="Asia/Thimphu"
    ),
    "2001:218::1": Location(
        country="Japan", country_code="JP", continent="AS", timezone="Asia/Tokyo"
    ),
    "2a02:cf40::1": Location(
        country="Norway", country_code="NO", continent="EU", timezone="Europe/Oslo"
    ),
}
GERMAN = {
    "81.2.69.142": ("London", "Vereinigtes Königreich"),
    "2.125.160.216": ("Boxford", "Vereinigtes Königreich"),
    "216.160.83.56": ("Milton", "Vereinigte Staaten"),
    "89.160.20.112": ("Linköping", "Schweden"),
    "175.16.199.1": ("Chángchūn", "China"),
    "67.43.156.1": (None, "Bhutan"),
    "2001:218::1": (None, "Japan"),
    "2a02:cf40::1": (None, "Norwegen"),
}


@pytest.fixture(scope="module")
def published() -> GeoLookup:
    """The published database."""
    if not SHARED.exists():
        pytest.skip("needs ../shared/data")
    return GeoLookup([SHARED])


@pytest.mark.parametrize("address", PUBLISHED)
def test_published_address(published: GeoLookup, address: str) -> None:
    """The addresses of MaxMind's test database are where its makers put them."""
    found = published.find(ip_address(address))
    assert found is not None
    coordinates, found.location.coordinates = found.location.coordinates, None
    assert coordinates is not None
    assert found.location == PUBLISHED[address]


@pytest.mark.parametrize("address", GERMAN)
def test_published_address_in_german(published: GeoLookup, address: str) -> None:
    """Countries have German names, and so do cities as far as the database has them."""
    found = published.find(ip_address(address))
    assert found is not None
    german = translated(found.location, found.city_names, "de")
    assert (german.city, german.country) == GERMAN[address]
