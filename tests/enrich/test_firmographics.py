"""Companies are asked for once, kept, never waited for long, and missed without harm."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgewise.enrich.albacross import AlbacrossClient
from edgewise.enrich.breaker import FAULTS, PAUSE_S
from edgewise.enrich.firmographics import Firmographics
from edgewise.enrich.firmographics_settings import FirmographicsSettings
from tests.enrich.albacross_api import (
    BOXFORD,
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
from tests.enrich.clock import Clock

# Long enough for any server that means to answer.
PATIENT_MS = 5_000
PATIENT = FirmographicsSettings(deadline_ms=PATIENT_MS)
HASTY = FirmographicsSettings(deadline_ms=50)
SLOW = Answer(body=FOUND.body, delay_s=5.0)
DAY_S = 86_400

Scenario = Callable[[Firmographics], Awaitable[None]]


def play(
    api: AlbacrossApi,
    scenario: Scenario,
    chosen: FirmographicsSettings = PATIENT,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Let a scenario happen between a server's start and its end."""

    async def whole() -> None:
        async with api.running():
            firmographics = Firmographics(AlbacrossClient(api.settings()), chosen, clock)
            try:
                await scenario(firmographics)
            finally:
                await firmographics.close()
            assert asyncio.all_tasks() - api.handlers == {asyncio.current_task()}

    asyncio.run(whole())


def addresses(count: int) -> list[str]:
    """Different addresses of the public internet."""
    return [f"81.2.69.{number}" for number in range(count)]


def test_a_company_is_asked_for_once() -> None:
    """The second visitor from an address gets it without a request, as an object of their own."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        first = await firmographics.find(LONDON)
        assert first == COMPANY
        first["name"] = "changed"
        assert await firmographics.find(f"::ffff:{LONDON}") == COMPANY
        assert firmographics.find_cached(LONDON) == COMPANY

    play(api, scenario)
    assert api.requests == [f"/company/{LONDON}"]


@pytest.mark.parametrize(
    ("answer", "company", "kept_s"),
    [
        pytest.param(FOUND, COMPANY, 7 * DAY_S, id="found"),
        pytest.param(NO_MATCH, None, DAY_S, id="no-match"),
        pytest.param(refusal(400), None, DAY_S, id="not-taken"),
        pytest.param(Answer(body=b"{}"), None, DAY_S, id="empty"),
        pytest.param(refusal(500), None, 60, id="fault"),
        pytest.param(Answer(body=b"<html>"), None, 60, id="garbage"),
        pytest.param(Answer(body=b"[]"), None, 60, id="list"),
        pytest.param(
            Answer(body=b'{"a":' * 20 + b"1" + b"}" * 20), None, 60, id="deeper-than-a-profile"
        ),
        pytest.param(Answer(endless=True), None, 60, id="endless"),
        pytest.param(Answer(body=b"{}", cut=1), None, 60, id="cut"),
    ],
)
def test_answers_are_kept_for_their_time(
    answer: Answer, company: dict[str, Any] | None, kept_s: float
) -> None:
    """A company, that there is none, and a fault each have a time until they are asked again."""
    api = AlbacrossApi(answer)
    clock = Clock()

    async def scenario(firmographics: Firmographics) -> None:
        for later_s, requests in ((0.0, 1), (kept_s - 1, 1), (1, 2)):
            clock.now_s += later_s
            assert await firmographics.find(LONDON) == company
            assert len(api.requests) == requests

    play(api, scenario, clock=clock)


def test_waiters_share_one_request() -> None:
    """However many visitors come from an address at once, it is asked about once."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        waiters = [asyncio.create_task(firmographics.find(LONDON)) for _ in range(50)]
        await api.arrived(1)
        assert firmographics.status()["under_way"] == 1
        api.gate.set()
        assert await asyncio.gather(*waiters) == [COMPANY] * 50

    play(api, scenario)
    assert len(api.requests) == 1


def test_whoever_gives_up_disturbs_nobody() -> None:
    """A cancelled waiter, the first one too, does not end the request of the others."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        first = asyncio.create_task(firmographics.find(LONDON))
        second = asyncio.create_task(firmographics.find(LONDON))
        await api.arrived(1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        api.gate.set()
        assert await second == COMPANY

    play(api, scenario)
    assert len(api.requests) == 1


def test_nobody_waits_beyond_the_deadline() -> None:
    """A slow provider costs the deadline and no more."""
    api = AlbacrossApi(SLOW)

    async def scenario(firmographics: Firmographics) -> None:
        began_s = time.monotonic()
        assert await firmographics.find(LONDON) is None
        assert time.monotonic() - began_s < 2
        assert firmographics.status()["late"] == 1

    play(api, scenario, HASTY)


def test_a_late_answer_serves_the_next_visitor() -> None:
    """The request goes on when nobody waits any more, and its answer is kept."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.find(LONDON) is None
        api.gate.set()
        (request,) = firmographics._tasks
        await request
        assert firmographics.find_cached(LONDON) == COMPANY

    play(api, scenario, HASTY)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(SLOW, id="silent"),
        pytest.param(Answer(body=b'{"a": 1}' * 100, drip_s=0.02), id="drip"),
    ],
)
def test_a_request_has_an_end_of_its_own(answer: Answer) -> None:
    """It does not wait for ever for an answer, nor for the rest of one that comes drop by drop."""
    chosen = FirmographicsSettings(deadline_ms=PATIENT_MS, request_s=0.1)

    async def scenario(firmographics: Firmographics) -> None:
        began_s = time.monotonic()
        assert await firmographics.find(LONDON) is None
        assert time.monotonic() - began_s < 2
        assert firmographics.status()["faults"] == 1
        assert firmographics.status()["under_way"] == 0

    play(AlbacrossApi(answer), scenario, chosen)


def test_requests_under_way_are_bounded() -> None:
    """Beyond the bound an address is a miss at once, and nothing is kept of it."""
    api = AlbacrossApi()
    api.gate.clear()
    chosen = FirmographicsSettings(deadline_ms=PATIENT_MS, max_requests=2)

    async def scenario(firmographics: Firmographics) -> None:
        waiters = [asyncio.create_task(firmographics.find(one)) for one in (LONDON, BOXFORD)]
        await api.arrived(2)
        assert await firmographics.find(LINKOEPING) is None
        firmographics.ask_later(LINKOEPING)
        assert await firmographics.find(LINKOEPING, keep=False) is None
        api.gate.set()
        assert await asyncio.gather(*waiters) == [COMPANY, COMPANY]
        assert len(api.requests) == 2
        assert await firmographics.find(LINKOEPING) == COMPANY

    play(api, scenario, chosen)


def test_the_cache_is_bounded() -> None:
    """What was not asked for the longest goes first."""
    api = AlbacrossApi()
    chosen = FirmographicsSettings(deadline_ms=PATIENT_MS, cache_entries=2)

    async def scenario(firmographics: Firmographics) -> None:
        for address in (LONDON, BOXFORD, LONDON, LINKOEPING):
            assert await firmographics.find(address) == COMPANY
        assert firmographics.status()["cached"] == 2
        assert firmographics.find_cached(LONDON) == COMPANY
        assert firmographics.find_cached(BOXFORD) is None

    play(api, scenario, chosen)


def test_faults_in_a_row_pause_the_questions() -> None:
    """After the pause one question is tried, and an answer ends the trouble."""
    api = AlbacrossApi(refusal(500))
    clock = Clock()

    async def scenario(firmographics: Firmographics) -> None:
        for address in addresses(FAULTS + 3):
            assert await firmographics.find(address) is None
        assert len(api.requests) == FAULTS
        assert firmographics.status()["paused_s"] == PAUSE_S
        clock.now_s += PAUSE_S
        assert await firmographics.find(LONDON) is None
        assert await firmographics.find(BOXFORD) is None
        assert len(api.requests) == FAULTS + 1
        clock.now_s += PAUSE_S
        api.answer = FOUND
        assert await firmographics.find(BOXFORD) == COMPANY
        assert await firmographics.find(LINKOEPING) == COMPANY

    play(api, scenario, clock=clock)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_pauses_at_once(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """With a wrong key or no quota nothing is asked for five minutes; what is kept still serves."""
    api = AlbacrossApi(refusal(status))
    api.answers = [FOUND]
    clock = Clock()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.find(LONDON) == COMPANY
        assert await firmographics.find(BOXFORD) is None
        clock.now_s += 299
        assert await firmographics.find(BOXFORD) is None
        assert await firmographics.find(LINKOEPING) is None
        assert await firmographics.find(LONDON) == COMPANY
        assert len(api.requests) == 2
        clock.now_s += 1
        api.answer = FOUND
        assert await firmographics.find(BOXFORD) == COMPANY

    play(api, scenario, clock=clock)
    warnings = [one.getMessage() for one in caplog.records if one.name == "edgewise.enrich"]
    assert warnings == [f"albacross is not asked for 300 seconds: status {status}"]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("10.1.2.3", id="private"),
        pytest.param(JAPAN_IPV6, id="ipv6"),
        pytest.param("unknown", id="no-address"),
        pytest.param("", id="empty"),
    ],
)
def test_some_addresses_are_nobodys(address: str) -> None:
    """What is not public, or of a kind the provider does not know, is not asked about nor kept."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.find(address) is None
        assert firmographics.find_cached(address) is None
        firmographics.ask_later(address)
        status = firmographics.status()
        assert (status["cached"], status["misses"], status["under_way"]) == (0, 0, 0)

    play(api, scenario)
    assert api.requests == []


def test_a_preflight_leaves_no_trace() -> None:
    """Its question is asked and answered, and nothing that others could see comes of it."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.find(LONDON, keep=False) == COMPANY
        assert firmographics.find_cached(LONDON) is None
        assert firmographics.status()["cached"] == 0
        assert await firmographics.find(LONDON) == COMPANY
        assert len(api.requests) == 2
        assert await firmographics.find(LONDON, keep=False) == COMPANY
        assert len(api.requests) == 2

    play(api, scenario)


def test_a_preflights_question_is_its_own() -> None:
    """Nobody joins it, and it ends with whoever asked it."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        preflight = asyncio.create_task(firmographics.find(LONDON, keep=False))
        await api.arrived(1)
        visitor = asyncio.create_task(firmographics.find(LONDON))
        await api.arrived(2)
        preflight.cancel()
        with pytest.raises(asyncio.CancelledError):
            await preflight
        api.gate.set()
        assert await visitor == COMPANY
        assert firmographics.status()["under_way"] == 0

    play(api, scenario)


def test_a_late_preflight_ends_its_question() -> None:
    """After the deadline nobody would get the answer, so that nothing waits for it."""
    api = AlbacrossApi(SLOW)

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.find(LONDON, keep=False) is None
        await asyncio.gather(*firmographics._tasks, return_exceptions=True)
        status = firmographics.status()
        assert (status["under_way"], status["faults"], status["cached"]) == (0, 0, 0)

    play(api, scenario, HASTY)


def test_a_preflight_may_wait_with_others() -> None:
    """It joins the question of a visitor, and does not end it when it gives up."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        firmographics.ask_later(LONDON)
        assert await firmographics.find(LONDON, keep=False) is None
        visitor = asyncio.create_task(firmographics.find(LONDON))
        api.gate.set()
        (request,) = firmographics._tasks
        await request
        assert await visitor == COMPANY

    play(api, scenario, HASTY)
    assert len(api.requests) == 1


def test_later_means_with_the_next_request() -> None:
    """In this mode the first answer is without the company, and the second has it."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.company_of(LONDON, keep=False) is None
        assert firmographics.status()["under_way"] == 0
        assert await firmographics.company_of(LONDON) is None
        assert await firmographics.company_of(LONDON) is None
        (request,) = firmographics._tasks
        await request
        assert await firmographics.company_of(LONDON) == COMPANY
        firmographics.ask_later(LONDON)

    play(api, scenario, FirmographicsSettings(mode="later"))
    assert len(api.requests) == 1


def test_nothing_is_remembered_later_too() -> None:
    """That there is no company is not asked again with each request."""
    api = AlbacrossApi(NO_MATCH)

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.company_of(LONDON) is None
        (request,) = firmographics._tasks
        await request
        assert await firmographics.company_of(LONDON) is None
        assert firmographics.status()["under_way"] == 0

    play(api, scenario, FirmographicsSettings(mode="later"))
    assert len(api.requests) == 1


def test_wait_means_with_this_request() -> None:
    """In this mode the first answer has the company already, a preflight's too."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        assert await firmographics.company_of(LONDON, keep=False) == COMPANY
        assert await firmographics.company_of(LONDON) == COMPANY

    play(api, scenario)
    assert len(api.requests) == 2


def test_the_end_ends_all_questions() -> None:
    """Whoever waits gets an answer, what is under way is gone, and nothing begins any more."""
    api = AlbacrossApi()
    api.gate.clear()

    async def scenario(firmographics: Firmographics) -> None:
        waiters = [asyncio.create_task(firmographics.find(one)) for one in (LONDON, BOXFORD)]
        firmographics.ask_later(LINKOEPING)
        await api.arrived(3)
        await firmographics.close()
        assert await asyncio.gather(*waiters) == [None, None]
        assert await firmographics.find(LONDON) is None
        assert firmographics.status()["under_way"] == 0

    play(api, scenario)
    assert len(api.requests) == 3


def test_a_question_may_end_before_it_begins() -> None:
    """What was asked for a moment before the end is never sent."""
    api = AlbacrossApi()

    async def scenario(firmographics: Firmographics) -> None:
        firmographics.ask_later(LONDON)
        await firmographics.close()

    play(api, scenario)
    assert api.requests == []


def test_status_tells_how_it_goes(caplog: pytest.LogCaptureFixture) -> None:
    """Numbers say what came of the questions; neither the key nor an address is anywhere."""
    caplog.set_level(logging.DEBUG)
    api = AlbacrossApi()
    api.answers = [FOUND, NO_MATCH, refusal(500), refusal(429)]
    shown: list[str] = []

    async def scenario(firmographics: Firmographics) -> None:
        for address in (*addresses(3), addresses(1)[0], LONDON, BOXFORD):
            await firmographics.find(address)
        status = firmographics.status()
        assert 0 < status.pop("paused_s") <= 300
        assert status == {
            "provider": "albacross",
            "mode": "wait",
            "cached": 4,
            "under_way": 0,
            "hits": 1,
            "misses": 5,
            "late": 0,
            "requests": 4,
            "found": 1,
            "faults": 2,
        }
        shown.append(repr(firmographics) + json.dumps(status))

    play(api, scenario)
    shown.append(caplog.text)
    for secret in (KEY, LONDON, *addresses(3)):
        assert not any(secret in text for text in shown)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=30,
)


@pytest.fixture
def find() -> Iterator[Callable[[bytes], dict[str, Any] | None]]:
    """What is found where the server answers some bytes to a first question.

    Server and client outlive the questions, of which a test may have hundreds.
    """
    api = AlbacrossApi()

    async def begin() -> AlbacrossClient:
        await stack.enter_async_context(api.running())
        client = AlbacrossClient(api.settings())
        stack.push_async_callback(client.close)
        return client

    def answered(body: bytes) -> dict[str, Any] | None:
        api.answer = Answer(body=body)
        return runner.run(Firmographics(client, PATIENT).find(LONDON))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        client = runner.run(begin())
        yield answered
        runner.run(stack.aclose())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANY_JSON, rest=st.sampled_from([b"", b" ", b",", b"\0", b"\xff"]))
def test_any_json_is_survived(
    find: Callable[[bytes], dict[str, Any] | None], value: Any, rest: bytes
) -> None:
    """Whatever a provider answers, the result is nothing or an object that a record can hold."""
    company = find(json.dumps(value).encode() + rest)
    if company is not None:
        assert isinstance(company, dict)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(company)) == company
