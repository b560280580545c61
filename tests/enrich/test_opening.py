"""The environment variables of a process decide whether companies are looked up."""

from __future__ import annotations

import asyncio

import pytest

from edgewise.enrich.opening import open_firmographics
from edgewise.errors import InputError
from tests.enrich.albacross_api import COMPANY, KEY, LONDON, AlbacrossApi


def test_a_key_and_an_address_make_it_work() -> None:
    """What the variables open asks where they say."""

    async def scenario() -> None:
        async with AlbacrossApi().running() as api:
            variables = {
                "EDGEWISE_ALBACROSS_KEY": KEY,
                "EDGEWISE_ALBACROSS_URL": api.url,
                "EDGEWISE_FIRMOGRAPHICS_DEADLINE_MS": "5000",
            }
            firmographics = open_firmographics(variables)
            assert firmographics is not None
            assert await firmographics.find(LONDON) == COMPANY
            await firmographics.close()

    asyncio.run(scenario())


def test_without_a_key_nothing_is_opened() -> None:
    """Firmographics are off until somebody wants them."""
    assert open_firmographics({}) is None


def test_a_fault_is_told() -> None:
    """A variable that cannot be used opens nothing and is named."""
    with pytest.raises(InputError, match="EDGEWISE_FIRMOGRAPHICS_MODE"):
        open_firmographics({"EDGEWISE_ALBACROSS_KEY": KEY, "EDGEWISE_FIRMOGRAPHICS_MODE": "x"})
