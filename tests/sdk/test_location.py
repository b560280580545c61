"""The published SDK packages get locations by address, in the visitor's language.

A page view names the visitor's address as a rendering server does, with the client's option `ip`.
The client's own validation refuses an answer over a country code that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.geo import BERLIN_V4, NOWHERE_V4, SHARED, nested_both
from tests.sdk.harness import (
    ENVIRONMENT,
    ORGANIZATION,
    Bridge,
    missing_tool,
    require_packages,
    running_server,
)

CONTEXT = {
    "url": "https://shop.example.com/",
    "referrer": "",
    "locale": "de-DE",
    "userAgent": "Test Browser/1.0",
    "document": {"title": "Shop"},
}
FEATURES = ["ip-enrichment", "location"]
SPOOFED = ("x-forwarded-for", "x-real-ip", "forwarded")


def serve(folder: Path, database: Path) -> Iterator[tuple[str, Bridge]]:
    if lack := missing_tool():
        pytest.skip(lack)
    require_packages()
    with running_server(folder, arguments=["--geo", str(database)]) as url, Bridge(url) as bridge:
        yield url, bridge


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Bridge]]:
    """A server with a database that knows Berlin, and clients of it."""
    folder = tmp_path_factory.mktemp("small")
    yield from serve(folder, nested_both(folder / "geo.mmdb"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Bridge]]:
    """A server with the test database of the format's makers, and clients of it."""
    if not SHARED.is_file():
        pytest.skip("the test database is not there")
    yield from serve(tmp_path_factory.mktemp("large"), SHARED)


def answer(bridge: Bridge, method: str, *arguments: Any, package: str = "shared") -> dict[str, Any]:
    """The location that a call answers, having been validated by the SDK."""
    call = bridge.call(package, ENVIRONMENT, method, *arguments)
    assert call.error is None, f"{call.error}: {call.exchange}"
    profile: dict[str, Any] = call.value["profile"]
    assert profile["location"] == call.received["data"]["profile"]["location"]
    return profile


def page(bridge: Bridge, **members: Any) -> dict[str, Any]:
    """A page event that the SDK builds."""
    common = {"messageId": "m", "timestamp": 1_760_000_000_000, "ctx": CONTEXT, "properties": {}}
    return bridge.event("page", **common, **members)


@pytest.mark.parametrize("package", ["shared", "node"])
def test_location_in_a_language(small: tuple[str, Bridge], package: str) -> None:
    """Create, update and get answer the address's place, in the language of each request."""
    _, bridge = small
    options = {"ip": BERLIN_V4, "enabledFeatures": FEATURES, "locale": "pt-BR"}
    events = {"events": [page(bridge)]}
    created = answer(bridge, "createProfile", events, options, package=package)
    location = created["location"]
    assert (location["city"], location["country"]) == ("Berlim", "Alemanha")
    assert (location["countryCode"], location["continent"]) == ("DE", "EU")
    assert location["coordinates"] == {"latitude": 52.5244, "longitude": 13.4105}
    profile_id = created["id"]
    read = answer(bridge, "getProfile", profile_id, {"locale": "fr"}, package=package)
    assert (read["location"]["city"], read["location"]["country"]) == ("Berlin", "Allemagne")
    update = {"profileId": profile_id, **events}
    updated = answer(bridge, "updateProfile", update, {"ip": NOWHERE_V4}, package=package)
    assert (updated["location"]["city"], updated["location"]["country"]) == ("Berlin", "Germany")


def test_preflight_finds_the_same(small: tuple[str, Bridge]) -> None:
    """A preflight answers the location that the real request gets."""
    _, bridge = small
    options = {"ip": BERLIN_V4, "enabledFeatures": ["location"], "locale": "ja"}
    events = {"events": [page(bridge)]}
    tried = answer(bridge, "createProfile", events, {**options, "preflight": True})
    real = answer(bridge, "updateProfile", {"profileId": tried["id"], **events}, options)
    assert tried["location"] == real["location"]
    assert real["location"]["city"] == "ベルリン"


@pytest.mark.parametrize("features", [None, [], ["ip-enrichment"]], ids=repr)
def test_nobody_is_located_unasked(small: tuple[str, Bridge], features: list[str] | None) -> None:
    """Without the feature the address is of no meaning."""
    _, bridge = small
    options: dict[str, Any] = {"ip": BERLIN_V4}
    if features is not None:
        options["enabledFeatures"] = features
    created = answer(bridge, "createProfile", {"events": [page(bridge)]}, options)
    assert created["location"] == {}


def test_said_members_come_on_top(small: tuple[str, Bridge]) -> None:
    """What the visitor says overrides what was found, and a wrong country code does not."""
    _, bridge = small
    said = page(bridge, location={"city": "Potsdam", "countryCode": "XX"})
    options = {"ip": BERLIN_V4, "enabledFeatures": FEATURES}
    location = answer(bridge, "createProfile", {"events": [said]}, options)["location"]
    assert (location["city"], location["countryCode"]) == ("Potsdam", "DE")


def test_server_believes_no_other_header(tmp_path: Path) -> None:
    """A header that any visitor may send through a proxy changes nothing; no SDK is needed."""
    database = nested_both(tmp_path / "geo.mmdb")
    body = b'{"events":[{"type":"page"}],"options":{"features":["location"]}}'
    with running_server(tmp_path, arguments=["--geo", str(database)]) as url:
        path = f"{url}/v2/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/profiles"
        for name in SPOOFED:
            with urlopen(Request(path, data=body, headers={name: BERLIN_V4}), timeout=5) as got:
                assert b'"location":{}' in got.read(), name


def test_addresses_are_kept_nowhere(tmp_path: Path) -> None:
    """Neither the files of the store nor what the server prints has an address of a visitor."""
    database = nested_both(tmp_path / "geo.mmdb")
    body = b'{"events":[{"type":"page"}],"options":{"features":["location"]}}'
    headers = {"x-force-ip": BERLIN_V4}
    with running_server(tmp_path, arguments=["--geo", str(database)]) as url:
        path = f"{url}/v2/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/profiles"
        with urlopen(Request(path, data=body, headers=headers), timeout=5) as got:
            assert b'"city":"Berlin"' in got.read()
        written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    written["server.log at the end"] = (tmp_path / "server.log").read_bytes()
    assert b"Berlin" in written["profiles.db"] + written.get("profiles.db-wal", b"")
    assert not [name for name, data in written.items() if BERLIN_V4.encode() in data]


@pytest.mark.parametrize(
    ("address", "locale", "expected"),
    [
        pytest.param(
            "81.2.69.142", "de", ("London", "Vereinigtes Königreich", "GB"), id="london-german"
        ),
        pytest.param("81.2.69.142", "fr-CA", ("Londres", "Royaume-Uni", "GB"), id="london-french"),
        pytest.param(
            "2.125.160.216", "de", ("Boxford", "Vereinigtes Königreich", "GB"), id="boxford"
        ),
        pytest.param("89.160.20.112", "en", ("Linköping", "Sweden", "SE"), id="linkoeping"),
        pytest.param("67.43.156.1", "de", (None, "Bhutan", "BT"), id="country-alone"),
        pytest.param("2001:218::1", "ja", (None, "日本", "JP"), id="ipv6"),
    ],
)
def test_real_records(
    large: tuple[str, Bridge],
    address: str,
    locale: str,
    expected: tuple[str | None, str, str],
) -> None:
    """Records as they are sold are answered in a form that the SDK's validation accepts."""
    _, bridge = large
    options = {"ip": address, "enabledFeatures": FEATURES, "locale": locale}
    location = answer(bridge, "createProfile", {"events": [page(bridge)]}, options)["location"]
    assert (location.get("city"), location["country"], location["countryCode"]) == expected
    assert location["timezone"]
