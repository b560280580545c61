"""The application over a fake service, with a client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from tests.asgi.fakes import FakeService


@pytest.fixture
def service() -> FakeService:
    """A service that knows org/main."""
    return FakeService()


@pytest.fixture
def client(service: FakeService) -> Iterator[TestClient]:
    """A client of the running application; errors come as answers."""
    with TestClient(build_app(service), raise_server_exceptions=False) as running:
        yield running
