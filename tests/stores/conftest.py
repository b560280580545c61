"""A scenario runs on each store there is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.stores.openers import OPENERS, Run, Scenario


@pytest.fixture(params=list(OPENERS.values()), ids=list(OPENERS))
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Return a function that runs a scenario on a fresh store."""
    open_store, loop_factory = request.param

    def run_scenario(scenario: Scenario) -> None:
        store = open_store(tmp_path)

        async def with_store() -> None:
            try:
                await scenario(store)
            finally:
                await store.close()

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(with_store())

    return run_scenario
