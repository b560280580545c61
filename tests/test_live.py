"""A running service follows a space: at once when it is told, and through the copy of another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.klaviyo_settings import KlaviyoSettings, klaviyo_key
from edgewise.errors import ConfigNotFound, NotStarted, RulesError, SourceUnavailable
from edgewise.live import LiveService
from edgewise.model.imports import ImportedProfile
from edgewise.reload.reloader import Reloader, ReloadSettings
from edgewise.sources.contentful.client import DeliveryClient
from edgewise.sources.contentful.live import ContentfulSource
from edgewise.sources.contentful.settings import ContentfulSettings
from edgewise.stores.memory import MemoryStore
from tests.asgi.fakes import scope_of
from tests.sources.contentful_api import TOKEN, ContentfulApi
from tests.sources.exports import (
    OWN_EXPORT,
    POISONED_AUDIENCES,
    POISONED_EXPERIENCES,
    audience,
    page_rule,
    poisons,
    read,
)

SECRET = "the-secret-of-the-tests"
SPACE = ("shop", "main")
# Only what a test does makes anything happen, and followers are woken as soon as they ask for it.
SETTINGS = ReloadSettings(watch=False, poll_s=3600, settle_s=0)
RULES = """
contentful: {{space: shop, base url: "{url}", seconds between polls: 3600}}
audiences: [{{id: by-hand, has trait: plan}}]
"""

Check = Callable[[], bool]


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rule files name instead of holding it."""
    monkeypatch.setenv("CONTENTFUL_TOKEN", TOKEN)
    monkeypatch.setenv("CONTENTFUL_WEBHOOK_SECRET", SECRET)


@pytest.fixture
def api() -> ContentfulApi:
    """The space of the export that the tests bring along."""
    return ContentfulApi(read(OWN_EXPORT))


def make_source(settings: ContentfulSettings, folder: Path | None) -> ContentfulSource:
    """A source that does not really wait between attempts."""

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    return ContentfulSource(settings, folder, client=DeliveryClient(settings, sleep=no_pause))


def write_rules(folder: Path, url: str) -> Path:
    """A folder with an environment that gets rules from a space."""
    file = folder / "rules" / "shop" / "main" / "rules.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(RULES.format(url=url), "utf-8")
    return folder / "rules"


class Running:
    """A live service and its application."""

    def __init__(self, root: Path, settings: ReloadSettings = SETTINGS) -> None:
        self.reloader = Reloader(root, root.parent / "copies", settings, make_source=make_source)
        self.service = LiveService(self.reloader, MemoryStore())
        self._app = build_app(self.service, webhooks=self.service)

    @property
    def audiences(self) -> set[str]:
        """Ids of the audiences that the space's environment is served with."""
        return {one.id for one in self.reloader.rulesets[SPACE].audiences}

    async def webhook(self, secret: str, topic: str = "Entry.publish", method: str = "POST") -> int:
        """The status that a webhook is answered with."""
        headers = [
            (b"x-edgewise-webhook-secret", secret.encode()),
            (b"x-contentful-topic", f"ContentManagement.{topic}".encode()),
        ]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"{}"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = scope_of(method, "/webhooks/contentful", headers=headers)
        await self._app(scope, receive, send)
        status: int = sent[0]["status"]
        return status

    async def told(self) -> dict[str, Any]:
        """What /health says about the rules of the space's environment."""
        health: Any = await self.service.health()
        rules: dict[str, Any] = health["rules"]["shop/main"]
        return rules


@asynccontextmanager
async def running(root: Path, settings: ReloadSettings = SETTINGS) -> AsyncIterator[Running]:
    """A live service that has ended when the block has."""
    live = Running(root, settings)
    await live.service.start()
    try:
        yield live
    finally:
        await live.service.stop()


async def until(check: Check) -> None:
    """Wait for something; a test that waits in vain is ended."""
    async with asyncio.timeout(30):
        while not check():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.005)


def test_files_and_space_are_served_together(api: ContentfulApi, tmp_path: Path) -> None:
    """An environment that names a space is served with its rules beside those of its files."""

    async def scenario() -> None:
        async with api.running(), running(write_rules(tmp_path, api.url)) as live:
            assert "by-hand" in live.audiences
            assert len(live.audiences) > 1
            told = await live.told()
            assert told["source"]["source"] == "contentful:shop/master"
            assert (told["refused"], told["source"]["error"]) == ([], "")

    asyncio.run(scenario())


def test_a_webhook_brings_a_change_at_once(api: ContentfulApi, tmp_path: Path) -> None:
    """What is published goes live when the webhook tells of it, long before the next poll."""

    async def scenario() -> None:
        async with api.running(), running(write_rules(tmp_path, api.url)) as live:
            api.publish(audience("brandNew", page_rule()))
            assert "brandNew" not in live.audiences
            assert await live.webhook(SECRET) == 202
            await until(lambda: "brandNew" in live.audiences)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("secret", "topic", "method", "status"),
    [
        pytest.param("wrong", "Entry.publish", "POST", 401, id="a wrong secret"),
        pytest.param("", "Entry.publish", "POST", 401, id="no secret"),
        pytest.param(SECRET, "Asset.publish", "POST", 202, id="what is no entry"),
        pytest.param(SECRET, "Entry.auto_save", "POST", 202, id="a draft"),
        pytest.param(SECRET, "Entry.publish", "GET", 405, id="a wrong method"),
    ],
)
def test_a_webhook_that_concerns_no_rules_asks_for_nothing(
    api: ContentfulApi, tmp_path: Path, secret: str, topic: str, method: str, status: int
) -> None:
    """Without the secret, or about something else, a webhook causes no request to the space."""

    async def scenario() -> None:
        async with api.running(), running(write_rules(tmp_path, api.url)) as live:
            before = len(api.requests)
            assert await live.webhook(secret, topic, method) == status
            await asyncio.sleep(0.05)
            assert len(api.requests) == before

    asyncio.run(scenario())


def test_a_second_process_follows_without_asking(api: ContentfulApi, tmp_path: Path) -> None:
    """A webhook reaches one process; the others take over the copy that it leaves on disk."""
    settings = ReloadSettings(poll_s=0.05, settle_s=0)

    async def scenario() -> None:
        async with api.running():
            root = write_rules(tmp_path, api.url)
            async with running(root) as first, running(root, settings) as second:
                await until(lambda: not second.reloader.status()[SPACE].source.from_copy)  # type: ignore[union-attr]
                before = len(api.requests)
                api.publish(audience("brandNew", page_rule()))
                await first.webhook(SECRET)
                await until(lambda: "brandNew" in second.audiences)
                # One process has asked, and once.
                assert len(api.requests) == before + 1

    asyncio.run(scenario())


def test_a_poisoned_space_is_served_from_its_copy_without_network(
    api: ContentfulApi, tmp_path: Path
) -> None:
    """Faulty audiences are named and never match, the rest is exact, and a good change goes live.

    The first process reads the space; the second starts while nothing can be reached.
    """
    for one in poisons():
        api.publish(one)

    async def scenario() -> None:
        async with api.running():
            root = write_rules(tmp_path, api.url)
            async with running(root) as live:
                served = live.audiences
            api.busy = True
            async with running(root) as live:
                assert live.audiences == served
                ruleset = live.reloader.rulesets[SPACE]
                named = {fault.audience_id or fault.experience_id for fault in ruleset.set_aside}
                assert named >= POISONED_AUDIENCES | POISONED_EXPERIENCES
                told = await live.told()
                assert told["source"]["from_copy"]
                api.busy = False
                api.publish(audience("brandNew", page_rule()))
                assert await live.webhook(SECRET) == 202
                await until(lambda: live.audiences == served | {"brandNew"})

    asyncio.run(scenario())


def test_an_environment_waits_for_its_space(api: ContentfulApi, tmp_path: Path) -> None:
    """Without network and copy an environment is not served yet, is named, and comes later."""

    async def scenario() -> None:
        async with api.running():
            root = write_rules(tmp_path, api.url)
            other = root / "shop" / "other" / "rules.yaml"
            other.parent.mkdir()
            other.write_text("audiences: [{id: a, has trait: t}]", "utf-8")
            api.busy = True
            async with running(root) as live:
                assert list(live.reloader.rulesets) == [("shop", "other")]
                told = await live.told()
                assert (told["loaded_at"], told["source"]["version"]) == ("", "")
                assert "503" in told["source"]["error"]
                api.busy = False
                await live.webhook(SECRET)
                await until(lambda: SPACE in live.reloader.rulesets)

    asyncio.run(scenario())


@pytest.mark.parametrize("takes_folder", [False, True], ids=["files", "folder"])
def test_an_environment_that_waits_stays_expected_while_its_files_are_away(
    api: ContentfulApi, tmp_path: Path, takes_folder: bool
) -> None:
    """What is sent for it is not lost, and once they are back nothing is wrong any more."""

    async def scenario() -> None:
        async with api.running():
            root = write_rules(tmp_path, api.url)
            other = root / "shop" / "other" / "rules.yaml"
            other.parent.mkdir()
            other.write_text("audiences: [{id: a, has trait: t}]", "utf-8")
            api.busy = True
            async with running(root) as live:
                gone = root / "shop" / "main" / ("" if takes_folder else "rules.yaml")
                aside = gone.rename(tmp_path / "aside")
                await live.reloader.reload()
                with pytest.raises(NotStarted):
                    live.service.environment_exists(*SPACE)
                assert [one["code"] for one in (await live.told())["refused"]] == ["unreadable"]
                aside.rename(gone)
                await live.reloader.reload()
                assert (await live.told())["refused"] == []
                with pytest.raises(NotStarted):
                    live.service.environment_exists(*SPACE)

    asyncio.run(scenario())


def test_a_start_with_nothing_to_serve_fails(api: ContentfulApi, tmp_path: Path) -> None:
    """Where no environment can be served at all, the start says what could not be reached."""

    async def scenario() -> None:
        async with api.running():
            api.busy = True
            live = Running(write_rules(tmp_path, api.url))
            with pytest.raises(SourceUnavailable, match="contentful:shop/master"):
                await live.service.start()

    asyncio.run(scenario())


def test_other_settings_lead_to_another_space(api: ContentfulApi, tmp_path: Path) -> None:
    """A file that names another space, or none any more, changes what is followed."""

    async def scenario() -> None:
        other = ContentfulApi({**read(OWN_EXPORT), "entries": [audience("alone", page_rule())]})
        async with api.running(), other.running():
            root = write_rules(tmp_path, api.url)
            async with running(root) as live:
                # The copy is that of the space, whichever host it was read from.
                for copy in (tmp_path / "copies").iterdir():
                    copy.unlink()
                write_rules(tmp_path, other.url)
                await live.reloader.reload()
                await until(lambda: bool(live.reloader.status()[SPACE].source.version))  # type: ignore[union-attr]
                await live.reloader.reload()
                assert live.audiences == {"by-hand", "alone"}
                (root / "shop" / "main" / "rules.yaml").write_text("audiences: []", "utf-8")
                await live.reloader.reload()
                assert live.audiences == set()
                assert live.reloader.followers() == {}

    asyncio.run(scenario())


BASE = "/edge/v2/organizations/shop/environments/main"
EVENTS = {"events": [{"type": "page", "anonymousId": "anna"}]}
IN_BULK = {
    "data": {
        "type": "event",
        "attributes": {
            "properties": {},
            "metric": {"data": {"type": "metric", "attributes": {"name": "bought"}}},
            "profile": {"data": {"type": "profile", "attributes": {"email": "anna@shop.example"}}},
        },
    }
}
STARTING = "await its start()"


def gateway_of(service: LiveService) -> Starlette:
    """An application that mounts a service, and does not start it."""
    key = klaviyo_key("key", "shop", "main")
    settings = HttpSettings(
        default_environment=("shop", "main"), klaviyo=KlaviyoSettings(keys=(key,))
    )
    return Starlette(routes=[Mount("/edge", build_app(service, settings, webhooks=service))])


def by_hand(folder: Path) -> Reloader:
    """A reloader of one environment without a space."""
    file = folder / "rules" / "shop" / "main" / "rules.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("audiences: [{id: a, has trait: t}]", "utf-8")
    return Reloader(folder / "rules", settings=SETTINGS)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("POST", f"{BASE}/profiles", EVENTS, id="create"),
        pytest.param("POST", f"{BASE}/profiles/anna", EVENTS, id="update"),
        pytest.param("GET", f"{BASE}/profiles/anna", None, id="read"),
        pytest.param("DELETE", f"{BASE}/profiles/anna", None, id="erase"),
        pytest.param("POST", f"{BASE}/events", EVENTS, id="batch"),
        pytest.param("POST", f"{BASE}/import/events", EVENTS, id="import"),
        pytest.param("POST", f"{BASE.replace('v2', 'v1')}/events", [], id="report"),
        pytest.param("POST", "/edge/profiles", EVENTS, id="short path"),
        pytest.param("POST", "/edge/webhooks/contentful", {}, id="webhook"),
    ],
)
def test_a_service_that_was_not_started_says_so(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    body: object,
) -> None:
    """Whoever mounts the application and forgets the start reads of it in answers and the log."""
    service = LiveService(by_hand(tmp_path), MemoryStore())
    with TestClient(gateway_of(service)) as client:
        for _ in range(2):
            answer = client.request(method, path, json=body)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["error"]["code"] == "ERR_NOT_STARTED"
            assert STARTING in answer.json()["message"]
    (record,) = caplog.records
    assert (record.levelno, STARTING in record.message) == (logging.ERROR, True)
    assert service.unknown_imports == 0


def test_events_of_klaviyo_come_again_after_the_start(tmp_path: Path) -> None:
    """Klaviyo's clients are answered in their form, so that they send the event again."""
    service = LiveService(by_hand(tmp_path), MemoryStore())
    with TestClient(gateway_of(service)) as client:
        headers = {"authorization": "Klaviyo-API-Key key", "revision": "2024-10-15"}
        answer = client.post("/edge/api/events", json=IN_BULK, headers=headers)
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["code"] == "service_unavailable"


def test_health_of_a_service_that_was_not_started(tmp_path: Path) -> None:
    """It is not well before the start, and tells why; afterwards it is well."""
    service = LiveService(by_hand(tmp_path), MemoryStore())
    gateway = gateway_of(service)
    with TestClient(gateway) as client:
        answer = client.get("/edge/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "not_started")
        assert STARTING in answer.json()["reason"]

    async def scenario() -> None:
        await service.start()
        health = await service.health()
        assert (health["status"], "reason" in health) == ("ok", False)
        with pytest.raises(ConfigNotFound):
            service.environment_exists("shop", "other")
        await service.stop()

    asyncio.run(scenario())


def test_a_start_that_failed_is_none(tmp_path: Path) -> None:
    """A service that goes on without rules after a failed start is still told to be started."""
    reloader = by_hand(tmp_path)
    (reloader.root / "shop" / "main" / "rules.yaml").write_text("audiences: [", "utf-8")
    service = LiveService(reloader, MemoryStore())

    async def scenario() -> None:
        with pytest.raises(RulesError):
            await service.start()
        with pytest.raises(NotStarted):
            service.environment_exists("shop", "main")

    asyncio.run(scenario())


def test_rules_that_were_loaded_by_hand_are_served(tmp_path: Path) -> None:
    """Where the reloader has rules, an environment that has none is not found, as always."""
    reloader = by_hand(tmp_path)
    service = LiveService(reloader, MemoryStore())

    async def scenario() -> None:
        await reloader.reload()
        service.environment_exists("shop", "main")
        with pytest.raises(ConfigNotFound):
            service.environment_exists("shop", "other")
        assert (await service.health())["status"] == "ok"

    asyncio.run(scenario())


def test_an_environment_that_is_to_come_is_not_unknown(tmp_path: Path) -> None:
    """While a space cannot be reached, what its environment is sent is asked for again: events are
    neither refused for good nor taken and dropped."""
    root = write_rules(tmp_path, "http://127.0.0.1:9")
    (root / "shop" / "other").mkdir()
    (root / "shop" / "other" / "rules.yaml").write_text("audiences: []\n", "utf-8")
    imported = [ImportedProfile(("anna",), (b'{"type": "page", "messageId": "m"}',))]

    async def scenario() -> None:
        async with running(root) as live:
            service = live.service
            service.environment_exists("shop", "other")
            with pytest.raises(NotStarted, match="shop/main are not there yet; /health tells why"):
                service.environment_exists("shop", "main")
            with pytest.raises(NotStarted):
                await service.enqueue_import("shop", "main", imported)
            assert not await service.enqueue_import("shop", "nowhere", imported)
            assert service.unknown_imports == 1

    asyncio.run(scenario())
