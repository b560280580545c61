"""What a request asks to be found out, and what is found."""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.decoding import Update, decode_update
from edgewise.devices import ClientHints
from edgewise.enrich.geo_following import GeoFollower
from edgewise.enriching import Address, Enricher, wants_location
from edgewise.model.event import Resolved
from tests.geo import BERLIN_V4, BERLIN_V6, NOWHERE_V4, nested_both

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
DESKTOP = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36"
EMPTY = {"city": "", "countryCode": "", "coordinates": {}}


class FixedSender:
    """A sender that a test makes up; counts how often its address is asked for."""

    def __init__(self, address: str | None = None, hints: ClientHints | None = None) -> None:
        self._address = ip_address(address) if address else None
        self._hints = hints
        self.asked = 0

    def address(self) -> Address | None:
        self.asked += 1
        return self._address

    def hints(self) -> ClientHints | None:
        return self._hints


def update_of(*contexts: dict[str, Any], features: list[str] | None = None) -> Update:
    """Page events with these contexts."""
    events = [{"type": "page", "context": context} for context in contexts or ({},)]
    options = {} if features is None else {"features": features}
    return decode_update(json.dumps({"events": events, "options": options}).encode())


def library(version: object, name: str = "Ninetailed React Analytics SDK") -> dict[str, Any]:
    return {"library": {"name": name, "version": version}}


@pytest.fixture
def enricher(tmp_path: Path) -> Enricher:
    """What finds Berlin."""
    return Enricher(GeoFollower([nested_both(tmp_path / "geo.mmdb")]))


@pytest.mark.parametrize(
    ("update", "wants"),
    [
        pytest.param(update_of(), False, id="nothing"),
        pytest.param(update_of(features=[]), False, id="no-features"),
        pytest.param(update_of(features=["ip-enrichment"]), False, id="other-feature"),
        pytest.param(update_of(features=["location"]), True, id="feature"),
        pytest.param(update_of({"location": EMPTY}, features=["location"]), False, id="empty"),
        pytest.param(update_of({"location": {}}, features=["location"]), True, id="no-members"),
        pytest.param(
            update_of({"location": {**EMPTY, "city": "Bern"}}, features=["location"]),
            True,
            id="some-members",
        ),
        pytest.param(
            update_of({}, {"location": EMPTY}, features=["location"]), False, id="one-of-two"
        ),
        pytest.param(update_of(library("3.13.9")), True, id="old"),
        pytest.param(update_of({}, library("3.13.9")), True, id="second-is-old"),
        pytest.param(update_of({**library("3.13.9"), "location": EMPTY}), False, id="old-empty"),
        pytest.param(update_of(library("3.14.0")), False, id="first-with-features"),
        pytest.param(update_of(library("7.26.0")), False, id="new"),
        pytest.param(update_of(library("3.2")), True, id="short"),
        pytest.param(update_of(library("v2")), True, id="shorter"),
        pytest.param(update_of(library("3.14.0-beta.2")), True, id="before-3.14"),
        pytest.param(update_of(library("3.14.1-beta.2")), False, id="before-3.14.1"),
        pytest.param(update_of(library("3.14.0+build")), False, id="build"),
        pytest.param(update_of(library("10.0.0")), False, id="two-digits"),
        pytest.param(update_of(library("")), False, id="no-version"),
        pytest.param(update_of(library("2024-06-15", "klaviyo-bulk")), False, id="klaviyo"),
        pytest.param(update_of(library("1.0", "contentful")), False, id="other-library"),
        pytest.param(update_of(library("latest")), False, id="no-number"),
        pytest.param(update_of({"library": {"name": "Ninetailed"}}), False, id="name-alone"),
    ],
)
def test_who_wants_a_location(update: Update, wants: bool) -> None:
    """The feature asks, and so does an old library; members that are all empty forbid."""
    assert wants_location(update) is wants


def test_location(enricher: Enricher) -> None:
    """A request that asks for it gets the place of its sender, and the names of its city."""
    resolved = enricher.find(
        update_of(features=["location"]), FixedSender(BERLIN_V4), respects_refusal=False
    )
    assert resolved is not None
    assert msgspec.to_builtins(resolved) == {
        "location": {
            "coordinates": {"latitude": 52.5244, "longitude": 13.4105},
            "city": "Berlin",
            "postalCode": "10119",
            "region": "State of Berlin",
            "regionCode": "BE",
            "country": "Germany",
            "countryCode": "DE",
            "continent": "EU",
            "timezone": "Europe/Berlin",
        },
        "cityNames": {"pt-BR": "Berlim", "ja": "ベルリン", "zh-CN": "柏林"},
    }


@pytest.mark.parametrize("address", [BERLIN_V6, NOWHERE_V4, "127.0.0.1", None], ids=repr)
def test_addresses(enricher: Enricher, address: str | None) -> None:
    """An address that nothing is known of, or none at all, finds nothing."""
    update, sender = update_of(features=["location"]), FixedSender(address)
    found = enricher.find(update, sender, respects_refusal=False)
    assert (found is not None) is (address == BERLIN_V6)


@pytest.mark.parametrize(
    ("given", "respects_refusal", "located"),
    [
        pytest.param(False, True, False, id="refused"),
        pytest.param("false", True, False, id="refused-in-text"),
        pytest.param(True, True, True, id="given"),
        pytest.param(False, False, True, id="refusal-of-no-meaning"),
    ],
)
def test_refusal(enricher: Enricher, given: object, respects_refusal: bool, located: bool) -> None:
    """Where rules respect it, the address of a request that refuses is not even looked at."""
    says = {"gdpr": {"isConsentGiven": given}}
    agrees = {"gdpr": {"isConsentGiven": True}}
    for first, last in ({}, says), (says, {}), (says, agrees):
        update, sender = update_of(first, last, features=["location"]), FixedSender(BERLIN_V4)
        found = enricher.find(update, sender, respects_refusal=respects_refusal)
        assert (found is not None, sender.asked > 0) == (located, located)


def test_address_is_not_asked_for_in_vain() -> None:
    """Without databases nobody looks at an address, whatever a request asks for."""
    sender = FixedSender(BERLIN_V4)
    update = update_of(library("3.0"), features=["location", "ip-enrichment"])
    assert Enricher().find(update, sender, respects_refusal=False) is None
    assert not Enricher().wants_company(update, respects_refusal=False)
    assert asyncio.run(Enricher().with_company(None, sender, keep=True)) is None
    assert Enricher().locate(BERLIN_V4) is None
    assert Enricher().status() == {}


@pytest.mark.parametrize(
    ("agent", "hints", "device"),
    [
        pytest.param(DESKTOP, ClientHints(mobile=False, platform="Android"), "tablet", id="tablet"),
        pytest.param(DESKTOP, ClientHints(mobile=False, platform="Linux"), None, id="same"),
        pytest.param(None, ClientHints(mobile=True), "mobile", id="no-agent"),
        pytest.param(DESKTOP, None, None, id="no-hints"),
    ],
)
def test_device(agent: str | None, hints: ClientHints | None, device: str | None) -> None:
    """A class is told where hints change what the user agent alone gives."""
    update = update_of({"userAgent": agent}, {})
    resolved = Enricher().find(update, FixedSender(hints=hints), respects_refusal=False)
    assert resolved == (Resolved(device=device) if device else None)


def test_locate(enricher: Enricher) -> None:
    """An address in a text is located as one of a sender is."""
    found = enricher.locate(BERLIN_V4)
    assert found is not None
    assert found.location is not None
    assert found.location.city == "Berlin"
    assert enricher.locate("not an address") is None
    assert enricher.locate(NOWHERE_V4) is None
