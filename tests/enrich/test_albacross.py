"""The client asks once, understands every answer or says that it does not, and keeps its key."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from edgewise.enrich.albacross import MAX_BYTES, AlbacrossClient, AlbacrossSettings
from edgewise.enrich.provider import ProviderFault
from edgewise.secret import Secret
from tests.enrich.albacross_api import (
    COMPANY,
    FOUND,
    JAPAN_IPV6,
    KEY,
    LINKOEPING,
    LONDON,
    NO_MATCH,
    AlbacrossApi,
    Answer,
    refusal,
)


def ask(api: AlbacrossApi, *addresses: str, key: str = KEY) -> list[dict[str, Any] | None]:
    """What a client is told about some addresses, one after the other."""

    async def scenario() -> list[dict[str, Any] | None]:
        async with api.running():
            client = AlbacrossClient(api.settings(key))
            try:
                return [await client.find(address) for address in addresses]
            finally:
                await client.close()

    return asyncio.run(scenario())


def test_a_company_is_found() -> None:
    """The object comes verbatim, by one request with the key as the API wants it."""
    api = AlbacrossApi()
    assert ask(api, LONDON) == [COMPANY]
    assert api.requests == [f"/company/{LONDON}"]
    assert api.authorizations == [f"Api-Key {KEY}"]


@pytest.mark.parametrize("status", [204, 400, 404])
def test_nothing_is_known(status: int) -> None:
    """No match, and an address that the API does not take, are no faults."""
    answer = NO_MATCH if status == 204 else refusal(status)
    assert ask(AlbacrossApi(answer), LONDON) == [None]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(JAPAN_IPV6, id="ipv6"),
        pytest.param("10.1.2.3", id="private"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("../keys", id="path"),
        pytest.param("", id="empty"),
    ],
)
def test_other_addresses_are_not_asked_about(address: str) -> None:
    """What is not IPv4 or not public costs no request."""
    api = AlbacrossApi()
    assert ask(api, address) == [None]
    assert api.requests == []


@pytest.mark.parametrize(
    ("answer", "problem", "pause_s"),
    [
        pytest.param(refusal(401), "status 401", 300, id="key"),
        pytest.param(refusal(403), "status 403", 300, id="right"),
        pytest.param(refusal(429), "status 429", 300, id="quota"),
        pytest.param(refusal(500), "status 500", 0, id="server"),
        pytest.param(refusal(503), "status 503", 0, id="busy"),
        pytest.param(
            Answer(status=302, headers={"location": "/company/8.8.8.8"}),
            "status 302",
            0,
            id="redirect",
        ),
        pytest.param(Answer(body=b"<html>"), "no JSON object", 0, id="html"),
        pytest.param(Answer(body=b""), "no JSON object", 0, id="empty"),
        pytest.param(Answer(body=b'["SE"]'), "no JSON object", 0, id="list"),
        pytest.param(Answer(body=b'{"a": NaN}'), "no JSON object", 0, id="nan"),
        pytest.param(Answer(body=b'{"a": 1e999}'), "no JSON object", 0, id="infinity"),
        pytest.param(Answer(body=b'{"a": "\xff"}'), "no JSON object", 0, id="not-utf-8"),
        pytest.param(Answer(body=b"[" * 5000), "no JSON object", 0, id="deep"),
        pytest.param(
            Answer(body=b"\x1f\x8b\x08", headers={"content-encoding": "gzip"}),
            "no JSON object",
            0,
            id="packed",
        ),
        pytest.param(Answer(body=b" " * (MAX_BYTES + 1)), "bytes", 0, id="large"),
        pytest.param(Answer(endless=True), "bytes", 0, id="endless"),
        pytest.param(Answer(status=500, endless=True), "bytes", 0, id="endless-error"),
        pytest.param(Answer(body=b'{"a": 1}', cut=0), "no answer", 0, id="closed"),
        pytest.param(Answer(body=b'{"a": 1}', cut=3), "no answer", 0, id="cut"),
    ],
)
def test_anything_else_is_a_fault(answer: Answer, problem: str, pause_s: float) -> None:
    """A fault says what happened, and pauses where another address would fare no better."""
    api = AlbacrossApi(answer)
    with pytest.raises(ProviderFault, match=problem) as fault:
        ask(api, LONDON)
    assert fault.value.pause_s == pause_s
    assert api.requests == [f"/company/{LONDON}"]


def test_nobody_listening_is_a_fault() -> None:
    """Without a server there is one attempt, and its fault does not pause."""

    async def scenario() -> None:
        settings = AlbacrossSettings(key=Secret(KEY), url="http://127.0.0.1:1/company/{ipv4}")
        client = AlbacrossClient(settings)
        try:
            with pytest.raises(ProviderFault, match="ConnectError"):
                await client.find(LONDON)
        finally:
            await client.close()

    asyncio.run(scenario())


def test_numbers_beyond_64_bits_become_floats() -> None:
    """They are repaired as those of any request are, so that a profile can hold them."""
    body = b'{"employees": 123456789012345678901234567890}'
    assert ask(AlbacrossApi(Answer(body=body)), LONDON) == [
        {"employees": 123456789012345678901234567890.0}
    ]


def test_a_connection_serves_many_questions() -> None:
    """A match, no match and a refusal leave it open for the next."""
    api = AlbacrossApi()
    api.answers = [FOUND, NO_MATCH, refusal(404), FOUND]
    assert ask(api, LONDON, LINKOEPING, LONDON, LONDON) == [COMPANY, None, None, COMPANY]
    assert api.connections == 1


def test_the_path_may_be_another() -> None:
    """The address goes wherever the URL has its place."""

    async def scenario(api: AlbacrossApi) -> None:
        async with api.running():
            url = f"{api.url}/v2/ip/{{ipv4}}/company"
            client = AlbacrossClient(AlbacrossSettings(key=Secret(KEY), url=url))
            assert await client.find(f"::ffff:{LONDON}") == COMPANY
            await client.close()

    api = AlbacrossApi()
    asyncio.run(scenario(api))
    assert api.requests == [f"/v2/ip/{LONDON}/company"]


def test_neither_key_nor_address_shows(caplog: pytest.LogCaptureFixture) -> None:
    """Faults, log lines and text forms hold neither the key nor whom it was asked about."""
    caplog.set_level(logging.DEBUG)
    api = AlbacrossApi()
    ask(api, LONDON)
    settings = api.settings()
    shown = [caplog.text, repr(settings), str(settings)]
    for answer in (refusal(401), refusal(500), Answer(body=b"<"), Answer(cut=0, body=b"{}")):
        with pytest.raises(ProviderFault) as fault:
            ask(AlbacrossApi(answer), LONDON)
        shown += [str(fault.value), repr(fault.value), repr(vars(fault.value))]
    shown.append(caplog.text)
    assert caplog.records, "the library logs at this level, so that the test means something"
    assert not any(secret in text for text in shown for secret in (KEY, LONDON))


def test_requests_to_other_hosts_are_still_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Only the lines about this provider are held back, and only until it is closed."""
    caplog.set_level(logging.INFO)
    log = logging.getLogger("httpx2")
    before = list(log.filters)

    async def scenario() -> None:
        client = AlbacrossClient(AlbacrossSettings(key=Secret(KEY)))
        log.info("HTTP Request: %s", "https://elsewhere.invalid/")
        log.info("a line without arguments")
        await client.close()

    asyncio.run(scenario())
    assert len(caplog.records) == 2
    assert log.filters == before
