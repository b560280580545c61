"""The client pages, waits and gives up as the delivery API asks for, and keeps its token secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from edgewise.errors import SourceError, SourceRefused, SourceUnavailable
from edgewise.secret import Secret
from edgewise.sources.contentful.client import ATTEMPTS, DeliveryClient
from edgewise.sources.contentful.settings import ContentfulSettings
from tests.sources.contentful_api import TOKEN, ContentfulApi
from tests.sources.exports import OWN_EXPORT, read

Result = TypeVar("Result")
Trouble = tuple[int, dict[str, str], bytes]

BUSY: Trouble = (503, {}, b"busy")


def settings_for(api: ContentfulApi, token: str = TOKEN) -> ContentfulSettings:
    """Where the server of a test is."""
    return ContentfulSettings(space="shop", token=Secret(token), base_url=api.url)


def talk(
    api: ContentfulApi,
    speak: Callable[[DeliveryClient], Awaitable[Result]],
    token: str = TOKEN,
) -> tuple[Result, list[float]]:
    """What a client gets from the server, and the pauses it would have made."""
    pauses: list[float] = []

    async def note(pause_s: float) -> None:
        pauses.append(pause_s)

    async def scenario() -> Result:
        async with api.running():
            client = DeliveryClient(settings_for(api, token), sleep=note, chance=lambda: 0.5)
            try:
                return await speak(client)
            finally:
                await client.close()

    return asyncio.run(scenario()), pauses


@pytest.fixture
def api() -> ContentfulApi:
    """A server with our own export."""
    return ContentfulApi(read(OWN_EXPORT))


def test_sync_follows_every_page(api: ContentfulApi) -> None:
    """An initial sync returns all entries, once each, and asks only the configured host."""
    pages, pauses = talk(api, lambda client: client.sync())
    ids = [item["sys"]["id"] for item in pages.items if item["sys"]["type"] == "Entry"]
    assert sorted(ids) == sorted(api.entries)
    assert len(api.requests) > len(ids) // api.page_size
    assert pages.sync_token
    assert pauses == []


def test_sync_goes_on_from_a_token(api: ContentfulApi) -> None:
    """With the token of an earlier sync only changes come, deletions included, page by page."""
    pages, _ = talk(api, lambda client: client.sync())
    for entry_id in list(api.entries)[:6]:
        api.unpublish(entry_id)
    changes, _ = talk(api, lambda client: client.sync(pages.sync_token))
    assert [item["sys"]["type"] for item in changes.items] == ["DeletedEntry"] * 6
    nothing, _ = talk(api, lambda client: client.sync(changes.sync_token))
    assert nothing.items == []


def test_entries_pages_by_offset(api: ContentfulApi) -> None:
    """A query returns every entry it finds, however few fit on a page."""

    async def ids(client: DeliveryClient) -> list[str]:
        return [item["sys"]["id"] async for item in client.entries({"select": "sys"})]

    found, _ = talk(api, ids)
    assert found == sorted(api.entries)
    assert [query["skip"] for _, query in api.requests[:3]] == ["0", "4", "8"]


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [
        pytest.param([(429, {"X-Contentful-RateLimit-Reset": "2"}, b"")], [2.5], id="rate-limit"),
        pytest.param([(429, {"X-Contentful-RateLimit-Reset": "x"}, b"")], [0.375], id="odd-limit"),
        pytest.param([(429, {}, b"")], [0.375], id="limit-without-end"),
        pytest.param([(503, {"Retry-After": "3"}, b"")], [3.5], id="retry-after"),
        pytest.param([(500, {}, b""), (502, {}, b"")], [0.375, 0.75], id="back-off"),
        pytest.param([BUSY] * (ATTEMPTS - 1), [0.375, 0.75, 1.5, 3.0, 6.0], id="last-attempt"),
    ],
)
def test_passing_trouble_is_waited_for(
    api: ContentfulApi, trouble: list[Trouble], pauses: list[float]
) -> None:
    """A rate limit is waited for as long as it says, other trouble twice as long each time."""
    api.trouble = list(trouble)
    locales, slept = talk(api, lambda client: client.locales())
    assert locales == api.locales
    assert slept == pauses


@pytest.mark.parametrize(
    ("trouble", "error", "message"),
    [
        pytest.param([BUSY] * ATTEMPTS, SourceUnavailable, "503 in 6 attempts", id="too-long"),
        pytest.param(
            [(429, {"X-Contentful-RateLimit-Reset": "3600"}, b"")],
            SourceUnavailable,
            "lifted in 3600 seconds",
            id="long-limit",
        ),
        pytest.param([(404, {}, b"{}")], SourceRefused, "status 404", id="not-found"),
        pytest.param([(301, {"location": "/x"}, b"")], SourceRefused, "status 301", id="redirect"),
        pytest.param([(200, {}, b"<html>")], SourceUnavailable, "not JSON", id="html"),
        pytest.param([(200, {}, b"[]")], SourceUnavailable, "not a JSON object", id="no-object"),
    ],
)
def test_lasting_trouble_is_told(
    api: ContentfulApi, trouble: list[Trouble], error: type[SourceError], message: str
) -> None:
    """What waiting does not help with is an error that says what happened where."""
    api.trouble = list(trouble)
    with pytest.raises(error, match=f"contentful:shop/master: /locales .*{message}"):
        talk(api, lambda client: client.locales())


def test_a_sync_without_end_is_given_up(
    api: ContentfulApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that always names a next page does not hold the client for ever."""
    monkeypatch.setattr("edgewise.sources.contentful.client.MAX_PAGES", 3)
    endless = b'{"items": [], "nextPageUrl": "https://elsewhere.invalid/sync?sync_token=again"}'
    api.trouble = [(200, {}, endless)] * 3
    with pytest.raises(SourceUnavailable, match="no last page"):
        talk(api, lambda client: client.sync())


def test_entries_without_end_are_given_up(
    api: ContentfulApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that never has all of them does not hold the client for ever."""
    monkeypatch.setattr("edgewise.sources.contentful.client.MAX_ENTRY_PAGES", 3)
    api.trouble = [(200, {}, b'{"items": [{}], "total": 1000000}')] * 3

    async def all_entries(client: DeliveryClient) -> list[Any]:
        return [entry async for entry in client.entries({})]

    with pytest.raises(SourceRefused, match="more than 600 entries"):
        talk(api, all_entries)


def test_nobody_listening_is_unavailable(api: ContentfulApi) -> None:
    """Without a server every attempt is made, and the error names no address or token."""
    api.url = "http://127.0.0.1:1"

    async def scenario() -> None:
        pauses: list[float] = []

        async def note(pause_s: float) -> None:
            pauses.append(pause_s)

        client = DeliveryClient(settings_for(api), sleep=note)
        try:
            with pytest.raises(SourceUnavailable, match="ConnectError in 6 attempts"):
                await client.locales()
        finally:
            await client.close()
        assert len(pauses) == ATTEMPTS - 1

    asyncio.run(scenario())


def test_the_token_goes_nowhere_but_to_the_api(
    api: ContentfulApi, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests carry the token; errors, log lines and the settings' own text never do."""
    caplog.set_level(logging.DEBUG)
    wrong = "a-wrong-token"
    with pytest.raises(SourceRefused) as refused:
        talk(api, lambda client: client.locales(), token=wrong)
    talk(api, lambda client: client.locales())
    assert api.authorizations == [f"Bearer {wrong}", f"Bearer {TOKEN}"]
    assert "AccessTokenInvalid" in str(refused.value)
    shown = [str(refused.value), repr(refused.value), caplog.text, repr(settings_for(api))]
    assert not any(token in text for text in shown for token in (wrong, TOKEN))
