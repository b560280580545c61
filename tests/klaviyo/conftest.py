"""Servers that take events as Klaviyo does, and the published client that sends to them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.sdk.harness import running_server

HERE = Path(__file__).parent
PYTHON = HERE / ".venv" / "bin" / "python"

KEYS = "pk_demo:demo/main,pk_lost:demo/nowhere,pk_read:demo/main:events:read"


class Driver:
    """A process in the environment of the package, which calls it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, HERE / "driver.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def call(self, **request: Any) -> dict[str, Any]:
        """Return what a call came to."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer


Send = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    """The published client."""
    if not PYTHON.exists():
        pytest.skip("klaviyo-api is not installed; `make test` installs it")
    with Driver() as driver:
        yield driver


@pytest.fixture(scope="session")
def server_url(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without limits."""
    with running_server(tmp_path_factory.mktemp("klaviyo"), {"EDGEWISE_KLAVIYO_KEYS": KEYS}) as url:
        yield url


@pytest.fixture(scope="session")
def limited_url(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes one request in bulk per second, and one single event per minute."""
    variables = {
        "EDGEWISE_KLAVIYO_KEYS": KEYS,
        "EDGEWISE_KLAVIYO_BULK_LIMIT": "1/s,1000/m",
        "EDGEWISE_KLAVIYO_EVENT_LIMIT": "1/s,1/m",
    }
    with running_server(tmp_path_factory.mktemp("limited"), variables) as url:
        yield url


@pytest.fixture
def send(driver: Driver, server_url: str) -> Send:
    """Sends a body to the server without limits, in one attempt."""

    def send(
        body: Any, *, method: str = "bulk", key: str = "pk_demo", retries: int = 1
    ) -> dict[str, Any]:
        return driver.call(url=server_url, method=method, key=key, retries=retries, body=body)

    return send


@pytest.fixture
def send_limited(driver: Driver, limited_url: str) -> Send:
    """Sends a body to the server with limits."""

    def send(body: Any, *, method: str, retries: int) -> dict[str, Any]:
        return driver.call(
            url=limited_url, method=method, key="pk_demo", retries=retries, body=body
        )

    return send
