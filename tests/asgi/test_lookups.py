"""Locations, devices and companies over HTTP, with a database and a provider of the test's own."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest

from edgewise.asgi.app import build_app
from edgewise.asgi.client_address import LOOPBACK, AddressSettings
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.klaviyo_settings import KlaviyoSettings, klaviyo_key
from edgewise.decoding import decode_event
from edgewise.enrich.albacross import AlbacrossClient
from edgewise.enrich.firmographics import Firmographics
from edgewise.enrich.firmographics_settings import FirmographicsSettings
from edgewise.enrich.geo_following import GeoFollower
from edgewise.enriching import Enricher
from edgewise.model.document import RuleDocument
from edgewise.model.profiles import Profile
from edgewise.records import Records
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.service import DecisionService
from edgewise.stores.sqlite import SqliteStore
from tests.enrich.albacross_api import COMPANY, LONDON, AlbacrossApi, Answer
from tests.geo import BERLIN_V4, NESTED, NOWHERE_V4, write_geo

BASE = "/v2/organizations/org/environments/main"
PAGE: dict[str, Any] = {"type": "page"}
PEER = "127.0.0.1"
VISITORS = AddressSettings(force_ip_from=())
EMPTY = {
    "coordinates": {},
    "city": "",
    "postalCode": "",
    "region": "",
    "regionCode": "",
    "country": "",
    "countryCode": "",
    "continent": "",
    "timezone": "",
}
BERLIN = {
    "coordinates": {"latitude": 52.5244, "longitude": 13.4105},
    "city": "Berlin",
    "postalCode": "10119",
    "region": "State of Berlin",
    "regionCode": "BE",
    "country": "Germany",
    "countryCode": "DE",
    "continent": "EU",
    "timezone": "Europe/Berlin",
}
TABLET = {"sec-ch-ua-mobile": "?0", "sec-ch-ua-platform": '"Android"'}
DESKTOP_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124"


def rules(choice: str = "always") -> Ruleset:
    """Rules that look at all that can be found."""
    content = {
        "environment": {"data from the address": choice},
        "audiences": [
            {"id": "germans", "is located at": {"country": "Germany"}},
            {"id": "swedish", "has trait": {"albacross.country": "SE"}},
            {"id": "tablets", "is on device": "tablet"},
        ],
    }
    return load_ruleset("org", "main", [RuleDocument("test.yaml", content)])


class World:
    """A service with a store on disk, and clients of it that come from anywhere.

    Args:
        enricher: what finds things.
    """

    def __init__(self, folder: Path, enricher: Enricher, choice: str = "always") -> None:
        self.file = folder / "profiles.db"
        self.store = SqliteStore(self.file)
        self.service = DecisionService(
            {("org", "main"): rules(choice)},
            self.store,
            jitter=random.Random(1),
            retention=None,
            enricher=enricher,
        )

    def client(self, peer: str, addresses: AddressSettings) -> httpx2.AsyncClient:
        """A client whose connections come from an address."""
        key = klaviyo_key("pk", "org", "main")
        settings = HttpSettings(
            default_environment=("org", "main"),
            addresses=addresses,
            klaviyo=KlaviyoSettings(keys=(key,)),
        )
        transport = httpx2.ASGITransport(build_app(self.service, settings), client=(peer, 4321))
        return httpx2.AsyncClient(transport=transport, base_url="http://edgewise.test")

    async def ask(
        self,
        *events: dict[str, Any],
        path: str = f"{BASE}/profiles/anna",
        features: list[str] | None = None,
        peer: str = BERLIN_V4,
        headers: dict[str, str] | None = None,
        addresses: AddressSettings = VISITORS,
    ) -> Any:
        """The data of the answer to some events, or to one page view."""
        sent = [{"timestamp": int(time.time() * 1000), **one} for one in events or (PAGE,)]
        options = {} if features is None else {"features": features}
        async with self.client(peer, addresses) as client:
            body = json.dumps({"events": sent, "options": options})
            answer = await client.post(path, content=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.json()["data"]

    async def read(self, path: str = f"{BASE}/profiles/anna") -> Any:
        """The data of the answer to a read."""
        async with self.client(PEER, VISITORS) as client:
            return (await client.get(path)).json()["data"]

    async def record(self, profile_id: str) -> Profile:
        """What is stored of a profile."""
        found = await Records(self.store).load(profile_id)
        assert found is not None
        assert isinstance(found.record, Profile)
        return found.record

    async def imported(self) -> None:
        """Return once all that was imported is applied."""
        while (await self.store.queue.state()).waiting:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)

    async def logged(self) -> list[bytes]:
        """The events in the log."""
        return [entry.event async for entry in self.store.scan_log(0)]


Scenario = Callable[[World], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Runs a scenario in a world that knows Berlin."""
    database = write_geo(tmp_path / "geo.mmdb", {"5.1.0.0/16": NESTED})

    @asynccontextmanager
    async def running(enricher: Enricher, choice: str) -> AsyncIterator[World]:
        world = World(tmp_path, enricher, choice)
        await world.service.start()
        try:
            yield world
        finally:
            await world.service.stop()

    def run(
        scenario: Scenario,
        firmographics: Callable[[], Firmographics] | None = None,
        choice: str = "always",
    ) -> None:
        async def played() -> None:
            made = firmographics() if firmographics else None
            enricher = Enricher(GeoFollower([database]), made)
            async with running(enricher, choice) as world:
                await scenario(world)

        asyncio.run(played())

    return run


def library(version: str) -> dict[str, Any]:
    return {"library": {"name": "Ninetailed React Analytics SDK", "version": version}}


@pytest.mark.parametrize(
    ("features", "context", "located"),
    [
        pytest.param(["ip-enrichment", "location"], {}, True, id="feature"),
        pytest.param(["ip-enrichment"], {}, False, id="other-feature"),
        pytest.param([], {}, False, id="no-features"),
        pytest.param(None, {}, False, id="no-options"),
        pytest.param(["location"], {"location": EMPTY}, False, id="members-empty"),
        pytest.param(None, library("3.13.2"), True, id="old-library"),
        pytest.param(None, library("3.14.0"), False, id="new-library"),
        pytest.param(None, {**library("3.13.2"), "location": EMPTY}, False, id="old-empty"),
    ],
)
def test_when_a_location_is_looked_up(
    play: Callable[..., None],
    features: list[str] | None,
    context: dict[str, Any],
    located: bool,
) -> None:
    """The feature asks, or an old library does; empty members forbid."""

    async def scenario(world: World) -> None:
        data = await world.ask({**PAGE, "context": context}, features=features)
        assert data["profile"]["location"] == (BERLIN if located else {})
        assert data["profile"]["audiences"] == (["germans"] if located else [])
        assert await world.read() == data

    play(scenario)


def test_what_is_said_overrides_what_is_found(play: Callable[..., None]) -> None:
    """Members of `context.location` come on top, in whichever event of a request they are."""

    async def scenario(world: World) -> None:
        said = {**PAGE, "context": {"location": {"city": "Potsdam", "countryCode": "XX"}}}
        for events in ((said,), (said, PAGE), (PAGE, said)):
            data = await world.ask(*events, features=["location"])
            assert data["profile"]["location"] == {**BERLIN, "city": "Potsdam"}
        # The names of Berlin are not those of Potsdam.
        data = await world.ask(said, path=f"{BASE}/profiles/anna?locale=pt-BR")
        assert (data["profile"]["location"]["city"]) == "Potsdam"
        assert (data["profile"]["location"]["country"]) == "Alemanha"

    play(scenario)


def test_nothing_found_keeps_what_was_known(play: Callable[..., None]) -> None:
    """An address that nothing is known of takes nothing away."""

    async def scenario(world: World) -> None:
        await world.ask(features=["location"])
        data = await world.ask(features=["location"], peer=NOWHERE_V4)
        assert data["profile"]["location"] == BERLIN

    play(scenario)


@pytest.mark.parametrize(
    ("peer", "headers", "addresses", "located"),
    [
        pytest.param(
            NOWHERE_V4, {"x-forwarded-for": BERLIN_V4}, VISITORS, False, id="spoofed-forwarded"
        ),
        pytest.param(
            NOWHERE_V4, {"x-force-ip": BERLIN_V4}, AddressSettings(), False, id="spoofed-force"
        ),
        pytest.param(
            NOWHERE_V4, {"x-real-ip": BERLIN_V4}, AddressSettings(), False, id="unknown-header"
        ),
        pytest.param(PEER, {"x-force-ip": BERLIN_V4}, AddressSettings(), True, id="this-machine"),
        pytest.param(
            PEER,
            {"x-forwarded-for": NOWHERE_V4, "x-force-ip": BERLIN_V4},
            AddressSettings(trusted_proxies=1),
            False,
            id="spoofed-force-through-a-proxy",
        ),
        pytest.param(
            PEER,
            {"x-forwarded-for": f"{NOWHERE_V4}, {BERLIN_V4}"},
            AddressSettings(trusted_proxies=1),
            True,
            id="proxy",
        ),
        pytest.param(
            PEER,
            {"x-forwarded-for": f"{BERLIN_V4}, {NOWHERE_V4}"},
            AddressSettings(trusted_proxies=1),
            False,
            id="spoofed-before-the-proxy",
        ),
        pytest.param(
            "10.1.1.1",
            {"x-force-ip": BERLIN_V4},
            AddressSettings(force_ip_from=(*LOOPBACK, ip_network("10.0.0.0/8"))),
            True,
            id="network",
        ),
        pytest.param(BERLIN_V4, {"x-force-ip": "x" * 9000}, AddressSettings(), True, id="garbage"),
    ],
)
def test_whose_word_counts(
    play: Callable[..., None],
    peer: str,
    headers: dict[str, str],
    addresses: AddressSettings,
    located: bool,
) -> None:
    """A header from somebody who is not trusted changes nothing."""

    async def scenario(world: World) -> None:
        data = await world.ask(
            features=["location"], peer=peer, headers=headers, addresses=addresses
        )
        assert bool(data["profile"]["location"]) is located

    play(scenario)


def test_languages(play: Callable[..., None]) -> None:
    """Update, read and batch answer in the language asked for; rules and records see English."""

    async def scenario(world: World) -> None:
        anna = f"{BASE}/profiles/anna"
        data = await world.ask(path=f"{anna}?locale=pt-BR", features=["location"])
        translated = {**BERLIN, "city": "Berlim", "country": "Alemanha"}
        assert data["profile"]["location"] == translated
        assert data["profile"]["audiences"] == ["germans"]
        assert (await world.read(f"{anna}?locale=pt"))["profile"]["location"] == translated
        assert (await world.read(anna))["profile"]["location"] == BERLIN
        batch = await world.ask(
            {"type": "track", "event": "x", "anonymousId": "anna"}, path=f"{BASE}/events?locale=ja"
        )
        assert batch["profiles"][0]["location"] == {
            **BERLIN,
            "city": "ベルリン",
            "country": "ドイツ",
        }
        short = await world.read("/profiles/anna?locale=pt")
        assert short["profile"]["location"] == {
            "city": "Berlim",
            "region": "BE",
            "country": "DE",
            "timezone": "Europe/Berlin",
        }
        assert short["profile"]["jurisdiction"] == "GDPR"
        record = await world.record(data["profile"]["id"])
        assert (record.location.city, record.location.country) == ("Berlin", "Germany")

    play(scenario)


def test_short_path(play: Callable[..., None]) -> None:
    """The short path looks up as the long one does."""

    async def scenario(world: World) -> None:
        data = await world.ask(path="/profiles/anna?locale=pt", features=["location"])
        assert data["profile"]["location"]["city"] == "Berlim"

    play(scenario)


def test_batches_and_imports_are_not_located(play: Callable[..., None]) -> None:
    """Whoever sends a batch or an import is no visitor, whatever it asks for."""

    async def scenario(world: World) -> None:
        named = {**PAGE, "anonymousId": "anna", "context": library("3.0.0")}
        wanted = ["location", "ip-enrichment"]
        batch = await world.ask(named, path=f"{BASE}/events", features=wanted, headers=TABLET)
        assert batch["profiles"][0]["location"] == {}
        await world.ask(named, path=f"{BASE}/import/events", features=wanted, headers=TABLET)
        await world.imported()
        profile = await world.record(batch["profiles"][0]["id"])
        assert (profile.by_address, profile.device) == (None, "unknown")
        assert not any(b"$resolved" in raw for raw in await world.logged())

    play(scenario)


def test_preflight_is_answered_as_the_real_request(play: Callable[..., None]) -> None:
    """A preflight finds what the real request finds, and stores none of it."""

    async def scenario(world: World) -> None:
        path = f"{BASE}/profiles/anna"
        asked: dict[str, Any] = {"features": ["location"], "headers": TABLET}
        tried = await world.ask(path=f"{path}?type=preflight", **asked)
        async with world.client(PEER, VISITORS) as client:
            assert (await client.get(path)).status_code == 404
        real = await world.ask(path=path, **asked)
        tried["profile"].pop("session")
        real["profile"].pop("session")
        assert tried == real
        assert real["profile"]["audiences"] == ["germans", "tablets"]

    play(scenario)


def test_hints(play: Callable[..., None]) -> None:
    """Client hints overrule a user agent that poses, and only then are they logged."""

    async def scenario(world: World) -> None:
        event = {**PAGE, "context": {"userAgent": DESKTOP_AGENT}}
        data = await world.ask(event, headers=TABLET)
        assert data["profile"]["audiences"] == ["tablets"]
        again = await world.ask(event, headers={"sec-ch-ua-platform": '"Linux"'})
        assert again["profile"]["audiences"] == []
        first, second = await world.logged()
        assert first.endswith(b',"$resolved":{"device":"tablet"}}')
        assert b"resolved" not in second

    play(scenario)


def test_nobody_can_send_what_the_engine_writes(play: Callable[..., None]) -> None:
    """Members that only the engine writes have no effect, over any path, and are not logged."""

    async def scenario(world: World) -> None:
        forged = {
            "$resolved": {"location": {"city": "Rome"}, "traits": {"albacross": {"a": 1}}},
            "$joined": [["a" * 64, "b" * 64]],
        }
        data = await world.ask({**PAGE, **forged, "context": {"location": {"city": "Bern"}}})
        named: dict[str, Any] = {**PAGE, **forged, "anonymousId": "anna"}
        for path in (f"{BASE}/events", f"{BASE}/import/events"):
            named["from"] = path
            await world.ask(named, {**named, "$resolved": 5, "to": path}, path=path)
        await world.imported()
        profile = await world.record(data["profile"]["id"])
        assert (profile.location.city, profile.traits) == ("Bern", {})
        logged = await world.logged()
        assert len(logged) == 5
        assert not any(b"resolved" in raw or b"joined" in raw for raw in logged)

    play(scenario)


def test_resend_with_another_find_counts_once(play: Callable[..., None]) -> None:
    """An event without a message id is known by what was sent, wherever it is sent from again."""

    async def scenario(world: World) -> None:
        event = {"type": "track", "event": "buy", "timestamp": 1_790_000_000_000}
        data = await world.ask(event, features=["location"])
        again = await world.ask(event, features=["location"], peer=NOWHERE_V4, headers=TABLET)
        assert again["profile"]["session"] == data["profile"]["session"]
        assert len(await world.logged()) == 1

    play(scenario)


def test_refusal(play: Callable[..., None]) -> None:
    """Where the rules respect it, a refusal finds nothing and takes back what was found."""

    async def scenario(world: World) -> None:
        refused = {**PAGE, "context": {"gdpr": {"isConsentGiven": False}}}
        assert (await world.ask(features=["location"]))["profile"]["location"] == BERLIN
        data = await world.ask(refused, features=["location"])
        assert data["profile"]["location"] == {}
        assert (await world.record(data["profile"]["id"])).by_address is None
        assert b"resolved" not in (await world.logged())[1]

    play(scenario, choice="unless refused")


def test_klaviyo_person(play: Callable[..., None]) -> None:
    """A person's address in Klaviyo locates where no place is known; the caller's never."""

    def body(name: str, **location: str) -> str:
        person = {"external_id": name, "location": location}
        profile = {"data": {"type": "profile", "attributes": person}}
        metric = {"data": {"type": "metric", "attributes": {"name": "Order"}}}
        attributes = {"properties": {}, "metric": metric, "profile": profile}
        return json.dumps({"data": {"type": "event", "attributes": attributes}})

    async def scenario(world: World) -> None:
        headers = {"authorization": "Klaviyo-API-Key pk", "revision": "2025-01-15"}
        for name, location, city in (
            ("e", {"zip": "1"}, None),
            ("e", {"ip": BERLIN_V4, "zip": "1"}, "Berlin"),
            ("e", {"ip": "garbage"}, "Berlin"),
            ("e", {"city": "Oslo"}, "Oslo"),
            ("e", {"ip": BERLIN_V4}, "Oslo"),
            ("f", {"ip": BERLIN_V4, "country": "Norway"}, None),
            ("f", {"ip": BERLIN_V4}, None),
        ):
            async with world.client(BERLIN_V4, VISITORS) as client:
                content = body(name, **location)
                answer = await client.post("/api/events", content=content, headers=headers)
                assert answer.status_code == 202
            await world.imported()
            data = await world.read(f"{BASE}/profiles/{name}")
            assert data["profile"]["location"].get("city") == city
        assert (await world.read(f"{BASE}/profiles/e"))["profile"]["location"]["postalCode"] == "1"

    play(scenario)


def provider(api: AlbacrossApi, **settings: Any) -> Firmographics:
    """Companies from a server of the test."""
    return Firmographics(
        AlbacrossClient(api.settings()), FirmographicsSettings(**{"deadline_ms": 5000, **settings})
    )


def play_with_companies(
    tmp_path: Path,
    scenario: Callable[[World, AlbacrossApi], Awaitable[None]],
    answer: Answer | None = None,
    choice: str = "always",
    **settings: Any,
) -> None:
    """Run a scenario in a world with a provider of companies."""

    async def played() -> None:
        async with AlbacrossApi().running() as api:
            api.answer = answer or api.answer
            world = World(tmp_path, Enricher(None, provider(api, **settings)), choice)
            await world.service.start()
            try:
                await scenario(world, api)
            finally:
                await world.service.stop()

    asyncio.run(played())


COMPANIES: dict[str, Any] = {"features": ["ip-enrichment"], "peer": LONDON}


def test_company_becomes_a_trait(tmp_path: Path) -> None:
    """The company is one trait, which rules reach into, and wins over what the request says."""

    async def scenario(world: World, api: AlbacrossApi) -> None:
        identify = {"type": "identify", "traits": {"albacross": "mine", "plan": "pro"}}
        data = await world.ask(identify, **COMPANIES)
        assert data["profile"]["traits"] == {"albacross": COMPANY, "plan": "pro"}
        assert data["profile"]["audiences"] == ["swedish"]
        assert api.requests == [f"/company/{LONDON}"]
        (raw,) = await world.logged()
        resolved = decode_event(raw).resolved
        assert resolved is not None
        assert resolved.traits == {"albacross": COMPANY}

    play_with_companies(tmp_path, scenario)


@pytest.mark.parametrize(
    ("features", "path"),
    [
        pytest.param([], "profiles/anna", id="no-feature"),
        pytest.param(["location"], "profiles/anna", id="other-feature"),
        pytest.param(["ip-enrichment"], "events", id="batch"),
        pytest.param(["ip-enrichment"], "import/events", id="import"),
    ],
)
def test_nobody_is_asked(tmp_path: Path, features: list[str], path: str) -> None:
    """Without the feature, and for what servers send, no address leaves the machine."""

    async def scenario(world: World, api: AlbacrossApi) -> None:
        named = {**PAGE, "anonymousId": "anna"}
        await world.ask(named, path=f"{BASE}/{path}", features=features, peer=LONDON)
        assert api.requests == []

    play_with_companies(tmp_path, scenario)


def test_refusal_asks_nobody(tmp_path: Path) -> None:
    """Where the rules respect it, the address of a visitor who refuses goes to no provider."""

    async def scenario(world: World, api: AlbacrossApi) -> None:
        data = await world.ask(**COMPANIES)
        assert data["profile"]["traits"] == {"albacross": COMPANY}
        refused = {**PAGE, "context": {"gdpr": {"isConsentGiven": "false"}}}
        data = await world.ask(refused, features=["ip-enrichment"], peer="81.2.69.143")
        assert data["profile"]["traits"] == {}
        assert len(api.requests) == 1

    play_with_companies(tmp_path, scenario, choice="unless refused")


def test_dead_provider_delays_nobody_past_the_deadline(tmp_path: Path) -> None:
    """A provider that never answers costs the deadline, and another visitor nothing."""

    async def scenario(world: World, api: AlbacrossApi) -> None:
        api.gate.clear()
        begun_s = time.monotonic()
        waiting = asyncio.create_task(world.ask(**COMPANIES))
        await api.arrived(1)
        await world.ask()
        assert not waiting.done()
        data = await waiting
        assert 0.2 <= time.monotonic() - begun_s < 2
        assert data["profile"]["traits"] == {}
        health = await world.service.health()
        firmographics = health["firmographics"]
        assert isinstance(firmographics, dict)
        assert firmographics["late"] == 1

    play_with_companies(tmp_path, scenario, deadline_ms=250)


def test_preflight_leaves_no_trace_at_the_provider(tmp_path: Path) -> None:
    """A preflight gets its company, and the real request has to ask anew."""

    async def scenario(world: World, api: AlbacrossApi) -> None:
        path = f"{BASE}/profiles/anna?type=preflight"
        for count in (1, 2):
            data = await world.ask(path=path, **COMPANIES)
            assert data["profile"]["traits"] == {"albacross": COMPANY}
            assert len(api.requests) == count
        health = await world.service.health()
        firmographics = health["firmographics"]
        assert isinstance(firmographics, dict)
        assert firmographics["cached"] == 0
        assert await world.logged() == []

    play_with_companies(tmp_path, scenario)


def test_health(play: Callable[..., None]) -> None:
    """Operators see which databases are in use; what is not there is not told about."""

    async def scenario(world: World) -> None:
        health = await world.service.health()
        location = health["location"]
        assert isinstance(location, dict)
        assert location["fault"] == ""
        assert [one["type"] for one in location["databases"]] == ["Test-City"]
        assert "firmographics" not in health

    play(scenario)


def test_addresses_are_kept_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No address that a request came from or named is in the database's files or in a log."""
    caplog.set_level(logging.DEBUG)
    named = "82.4.5.6"

    async def scenario(world: World, api: AlbacrossApi) -> None:
        caplog.clear()
        wanted = ["location", "ip-enrichment"]
        await world.ask(features=wanted, peer=LONDON)
        await world.ask(
            features=wanted, peer=PEER, headers={"x-force-ip": named}, addresses=AddressSettings()
        )
        api.answer = Answer(status=500)
        await world.ask(features=wanted, peer="81.2.69.150")

    play_with_companies(tmp_path, scenario)
    written = b"".join(file.read_bytes() for file in tmp_path.glob("profiles.db*"))
    assert b"albacross" in written
    for address in (LONDON, named, "81.2.69.150"):
        assert address.encode() not in written
        assert not [one for one in caplog.records if _tells(one, address)]


def _tells(record: logging.LogRecord, address: str) -> bool:
    # What the test's own client and the library of connections tell at this level is not ours.
    return record.name.startswith("edgewise") and address in record.getMessage()
