"""The service runs while the server does."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from tests.asgi.fakes import FakeService, serve

START = {"type": "lifespan.startup"}
STOP = {"type": "lifespan.shutdown"}


def test_service_starts_and_stops(service: FakeService) -> None:
    """The service is started before the first request and stopped after the last."""
    with TestClient(build_app(service)):
        assert service.running
    assert not service.running


def test_failed_start_is_told(service: FakeService, caplog: pytest.LogCaptureFixture) -> None:
    """A server learns that the service did not start, the log learns why."""
    service.start_error = OSError("no disk")
    sent = serve(build_app(service), {"type": "lifespan"}, [START])
    assert sent == [{"type": "lifespan.startup.failed", "message": "no disk"}]
    assert "The service did not start" in caplog.text
    assert "Traceback" in caplog.text


def test_failed_stop_is_told(service: FakeService, caplog: pytest.LogCaptureFixture) -> None:
    """A server learns that the service did not stop cleanly."""
    service.stop_error = OSError("no disk")
    sent = serve(build_app(service), {"type": "lifespan"}, [START, STOP])
    assert sent == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.failed", "message": "no disk"},
    ]
    assert "The service did not stop cleanly" in caplog.text
