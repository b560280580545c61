"""A provider is one small class, whatever it asks, and its faults are told apart."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from edgewise.enrich.firmographics import Firmographics
from edgewise.enrich.provider import Provider, ProviderFault
from tests.enrich.albacross_api import JAPAN_IPV6, LONDON

COMPANIES: dict[str, dict[str, Any]] = {
    LONDON: {"name": "Thames Ltd", "country": "GB"},
    JAPAN_IPV6: {"name": "Sakura KK", "country": "JP"},
}


class TableProvider:
    """Knows what a table says."""

    name = "table"
    ipv6 = True

    def __init__(self, error: BaseException | None = None) -> None:
        self.closed = False
        self._error = error

    async def find(self, address: str) -> dict[str, Any] | None:
        """Return the company of a row."""
        if self._error:
            raise self._error
        return COMPANIES.get(address)

    async def close(self) -> None:
        """Take note of the end."""
        self.closed = True


def ask(provider: Provider, *addresses: str) -> tuple[list[dict[str, Any] | None], dict[str, Any]]:
    """What is found with a provider, and the status afterwards."""

    async def scenario() -> tuple[list[dict[str, Any] | None], dict[str, Any]]:
        firmographics = Firmographics(provider)
        found = [await firmographics.find(address) for address in addresses]
        status = firmographics.status()
        await firmographics.close()
        return found, status

    return asyncio.run(scenario())


def test_another_provider_takes_three_members() -> None:
    """It is asked, for IPv6 too where it says so, and closed with whoever asked."""
    provider = TableProvider()
    found, status = ask(provider, LONDON, JAPAN_IPV6, "2001:218:0::1", "8.8.8.8")
    assert found == [COMPANIES[LONDON], COMPANIES[JAPAN_IPV6], COMPANIES[JAPAN_IPV6], None]
    assert status["provider"] == "table"
    assert provider.closed


@pytest.mark.parametrize(
    ("error", "paused"),
    [
        pytest.param(ProviderFault("busy"), False, id="fault"),
        pytest.param(ProviderFault("no quota", 60), True, id="pause"),
        pytest.param(KeyError(LONDON), False, id="any-exception"),
        pytest.param(TimeoutError(), False, id="its-own-timeout"),
        pytest.param(RecursionError(), False, id="recursion"),
    ],
)
def test_no_exception_gets_through(error: Exception, paused: bool) -> None:
    """Whatever a provider raises is a fault, and a visitor without a company."""
    found, status = ask(TableProvider(error), LONDON)
    assert found == [None]
    assert status["faults"] == 1
    assert (status["paused_s"] > 0) is paused


def test_a_provider_that_gives_up_harms_nobody() -> None:
    """One that ends its own task has no answer; the visitor is not cancelled with it."""
    assert ask(TableProvider(asyncio.CancelledError()), LONDON)[0] == [None]


def test_a_fault_pickles() -> None:
    """A fault comes out of a pickle with its text and its pause."""
    fault = ProviderFault("busy", 60)
    copy = pickle.loads(pickle.dumps(fault))
    assert (str(copy), copy.pause_s) == ("busy", 60)
