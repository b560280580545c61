"""Klaviyo's event endpoints over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.klaviyo import klaviyo_routes
from edgewise.asgi.klaviyo_settings import KlaviyoSettings, klaviyo_key
from edgewise.asgi.rate_limits import RateLimit
from edgewise.errors import (
    EdgewiseError,
    ServiceUnavailable,
    StoreBusy,
    StoreCorrupt,
    StoreUnwritable,
)
from tests.asgi.fakes import FakeService
from tests.ingest.requests import BLOCKS, block, bulk, event, person, single

SAMPLE = Path(__file__).parent.parent / "data" / "klaviyo-sample.json"
BULK_PATHS = ["/api/event-bulk-create-jobs", "/api/event-bulk-create-jobs/"]
SINGLE_PATHS = ["/api/events", "/api/events/"]
PATHS = [*BULK_PATHS, *SINGLE_PATHS]
BULK, SINGLE = BULK_PATHS[0], SINGLE_PATHS[0]

HEADERS = {
    "authorization": "Klaviyo-API-Key pk_demo",
    "revision": "2026-07-15",
    "content-type": "application/vnd.api+json",
}
KEYS = (
    klaviyo_key("pk_demo", "org", "main"),
    klaviyo_key("pk_lost", "org", "nowhere"),
    klaviyo_key("pk_read", "org", "main", frozenset({"events:read"})),
)


@pytest.fixture
def client(service: FakeService) -> Iterator[TestClient]:
    """A client with a key that may write to org/main, without limits."""
    settings = HttpSettings(klaviyo=KlaviyoSettings(keys=KEYS))
    with TestClient(build_app(service, settings), headers=HEADERS, follow_redirects=False) as made:
        yield made


@contextmanager
def limited(service: FakeService, limit: RateLimit) -> Iterator[TestClient]:
    """A client of the bulk endpoint with a limit, half a minute after a minute has begun."""
    settings = HttpSettings(klaviyo=KlaviyoSettings(keys=KEYS, bulk_limit=limit))
    app = Starlette(routes=klaviyo_routes(service, settings, lambda: 1_790_000_010.5))
    with TestClient(app, headers=HEADERS) as made:
        yield made


def body_for(path: str, **attributes: Any) -> bytes:
    """A request for an endpoint with one event."""
    made = bulk(block(event(**attributes))) if path in BULK_PATHS else single(**attributes)
    return json.dumps(made).encode()


def error_of(answer: Any) -> dict[str, Any]:
    """The one error of an answer in the form of JSON:API."""
    assert answer.headers["content-type"] == "application/vnd.api+json"
    (error,) = answer.json()["errors"]
    assert {*error} == {"id", "status", "code", "title", "detail", "source", "links", "meta"}
    assert error["status"] == answer.status_code
    assert len(error["id"]) == 36
    assert error["title"]
    assert error["detail"]
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("media_type", ["application/vnd.api+json", "application/json", ""])
def test_taken(client: TestClient, service: FakeService, path: str, media_type: str) -> None:
    """A request is answered with 202 and nothing else, and lies in the queue."""
    answer = client.post(path, content=body_for(path), headers={"content-type": media_type})
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["content-length"] == "0"
    assert "ratelimit-limit" not in answer.headers
    ((kind, organization, environment, profiles),) = service.calls
    assert (kind, organization, environment) == ("import", "org", "main")
    assert isinstance(profiles, list)
    assert [one.names for one in profiles] == [("email:ann@shop.example",)]


@pytest.mark.parametrize(
    "revision", ["2024-06-15", "2024-07-15", "2024-10-15", "2026-10-15", "2025-01-15.pre"]
)
def test_revision(client: TestClient, service: FakeService, revision: str) -> None:
    """Any revision is taken, and noted with the events."""
    assert client.post(BULK, content=body_for(BULK), headers={"revision": revision}).is_success
    ((_, _, _, profiles),) = service.calls
    assert isinstance(profiles, list)
    context = json.loads(profiles[0].events[0])["context"]
    assert context["library"] == {"name": "klaviyo-bulk", "version": revision}


@pytest.mark.parametrize("path", BULK_PATHS)
def test_published_sample(client: TestClient, path: str) -> None:
    """The published sample is taken as it is printed."""
    headers = {"revision": "2024-07-15", "content-type": "application/json"}
    answer = client.post(path, content=SAMPLE.read_bytes(), headers=headers)
    assert (answer.status_code, answer.content) == (202, b"")


def test_large_request(client: TestClient, service: FakeService) -> None:
    """A request with as many events as there may be is taken."""
    made = event(properties={"text": "x" * 1000})
    content = json.dumps(bulk(*(block(*([made] * 500)) for _ in range(2))))
    assert client.post(BULK, content=content).status_code == 202
    ((_, _, _, profiles),) = service.calls
    assert isinstance(profiles, list)
    assert sum(len(one.events) for one in profiles) == 1002


def test_empty_request(client: TestClient, service: FakeService) -> None:
    """A request that says nothing leaves nothing."""
    assert client.post(BULK, content=json.dumps(bulk())).status_code == 202
    assert service.calls == []


@pytest.mark.parametrize("revision", ["", "latest", "2024-7-15", "2024-07-15.", "2024-07-15 x"])
def test_wrong_revision(client: TestClient, revision: str) -> None:
    """A revision is required and has the form of a date."""
    answer = client.post(BULK, content=body_for(BULK), headers={"revision": revision})
    error = error_of(answer)
    assert (error["status"], error["code"]) == (400, "invalid")
    assert error["source"] == {"parameter": "revision"}


def test_missing_revision(client: TestClient) -> None:
    """A request without a revision is refused."""
    del client.headers["revision"]
    assert error_of(client.post(BULK, content=body_for(BULK)))["status"] == 400


@pytest.mark.parametrize(
    "authorization",
    ["", "Klaviyo-API-Key", "Klaviyo-API-Key pk_wrong", "pk_demo", "Basic pk_demo", "Bearer pk_x"],
)
def test_wrong_key(client: TestClient, service: FakeService, authorization: str) -> None:
    """Without a key that is known nothing is taken."""
    headers = {"authorization": authorization}
    error = error_of(client.post(BULK, content=body_for(BULK), headers=headers))
    assert (error["status"], error["code"]) == (401, "not_authenticated")
    assert "pk_" not in json.dumps(error)
    assert service.calls == []


@pytest.mark.parametrize("scheme", ["Klaviyo-API-Key", "klaviyo-api-key", "Bearer"])
def test_scheme(client: TestClient, scheme: str) -> None:
    """A key may be given in either scheme, whatever the case."""
    headers = {"authorization": f"{scheme} pk_demo"}
    assert client.post(BULK, content=body_for(BULK), headers=headers).status_code == 202


def test_no_keys(service: FakeService) -> None:
    """Where no keys are configured nobody may send."""
    with TestClient(build_app(service)) as client:
        answer = client.post(BULK, content=body_for(BULK), headers=HEADERS)
    assert error_of(answer)["status"] == 401


def test_missing_scope(client: TestClient, service: FakeService) -> None:
    """A key without the scope for events is known and may not send them."""
    headers = {"authorization": "Klaviyo-API-Key pk_read"}
    error = error_of(client.post(BULK, content=body_for(BULK), headers=headers))
    assert (error["status"], error["code"]) == (403, "permission_denied")
    assert service.calls == []


@pytest.mark.parametrize("path", ["/api/", "/api/profiles", "/api/events/x", "/api/events//"])
def test_unknown_path(client: TestClient, path: str) -> None:
    """Any other path below /api is refused in the same form."""
    error = error_of(client.post(path, content=b"{}"))
    assert (error["status"], error["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_method(client: TestClient, path: str, method: str) -> None:
    """Events can only be posted."""
    answer = client.request(method, path)
    assert error_of(answer)["code"] == "method_not_allowed"
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_other_media_type(client: TestClient, media_type: str) -> None:
    """Other media types are refused."""
    headers = {"content-type": media_type}
    error = error_of(client.post(BULK, content=body_for(BULK), headers=headers))
    assert (error["status"], error["code"]) == (415, "unsupported_media_type")


def test_media_type_with_parameters(client: TestClient) -> None:
    """Parameters of a media type do not matter."""
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert client.post(BULK, content=body_for(BULK), headers=headers).status_code == 202


def test_body_too_large(client: TestClient, service: FakeService) -> None:
    """A body of more than five megabytes is refused."""
    limit_bytes = 5 * 1024 * 1024
    content = body_for(BULK)
    padded = content + b" " * (limit_bytes - len(content))
    assert client.post(BULK, content=padded).status_code == 202
    service.calls.clear()
    error = error_of(client.post(BULK, content=padded + b" "))
    assert (error["status"], error["code"]) == (413, "payload_too_large")
    assert service.calls == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"data": NaN}', b"\xff", b"[" * 100], ids=repr
)
def test_no_json(client: TestClient, content: bytes) -> None:
    """A body that is no JSON object is refused."""
    error = error_of(client.post(BULK, content=content))
    assert (error["status"], error["code"]) == (400, "invalid")
    assert error["source"] == {"pointer": "/data"}


@pytest.mark.parametrize("path", PATHS)
def test_wrong_event(client: TestClient, service: FakeService, path: str) -> None:
    """A wrong event is refused with its place in the request's own form."""
    error = error_of(client.post(path, content=body_for(path, value="x")))
    assert (error["status"], error["code"], error["title"]) == (400, "invalid", "Invalid input.")
    front = f"{BLOCKS}/0/attributes/events/data/0" if path in BULK_PATHS else "/data"
    assert error["source"] == {"pointer": f"{front}/attributes/value"}
    assert service.calls == []


def test_every_wrong_place(client: TestClient, service: FakeService) -> None:
    """Each wrong place is an error of its own, and one is enough to refuse all."""
    content = bulk(
        block(event()), block(event(time=1)), block(event(), profile=person(email="a", title=1))
    )
    answer = client.post(BULK, content=json.dumps(content))
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [error["source"]["pointer"] for error in errors] == [
        f"{BLOCKS}/1/attributes/events/data/0/attributes/time",
        f"{BLOCKS}/2/attributes/profile/data/attributes/title",
    ]
    assert len({error["id"] for error in errors}) == 2
    assert service.calls == []


def test_limit(service: FakeService) -> None:
    """Over the limit a request is told when to come again, and before it how many are left."""
    with limited(service, RateLimit(1000, 2)) as client:
        taken = client.post(BULK, content=body_for(BULK))
        assert taken.headers["ratelimit-limit"] == "2"
        assert taken.headers["ratelimit-remaining"] == "1"
        assert taken.headers["ratelimit-reset"] == "30"
        wrong = client.post(BULK, content=b"")
        assert (wrong.status_code, wrong.headers["ratelimit-remaining"]) == (400, "0")
        throttled = client.post(BULK, content=body_for(BULK))
    error = error_of(throttled)
    assert (error["status"], error["code"]) == (429, "throttled")
    assert error["title"] == "Request was throttled."
    assert error["detail"] == "Request was throttled. Expected available in 30 seconds."
    assert throttled.headers["retry-after"] == "30"
    assert "ratelimit-limit" not in throttled.headers
    assert len(service.calls) == 1


def test_limits_are_separate(service: FakeService) -> None:
    """Each key and each endpoint has a limit of its own."""
    with limited(service, RateLimit(1000, 1)) as client:
        assert client.post(BULK, content=body_for(BULK)).status_code == 202
        assert client.post(BULK_PATHS[1], content=body_for(BULK)).status_code == 429
        assert client.post(SINGLE, content=body_for(SINGLE)).status_code == 202
        other = {"authorization": "Klaviyo-API-Key pk_lost"}
        assert client.post(BULK, content=body_for(BULK), headers=other).status_code == 503


def test_environment_that_is_not_served(client: TestClient, service: FakeService) -> None:
    """Events for an environment that is not served are not lost: the sender is to try again."""
    headers = {"authorization": "Klaviyo-API-Key pk_lost"}
    answer = client.post(BULK, content=body_for(BULK), headers=headers)
    assert (error_of(answer)["status"], answer.headers["retry-after"]) == (503, "1")
    assert service.calls == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(ServiceUnavailable(), 503, id="unavailable"),
        pytest.param(StoreBusy("locked"), 503, id="busy"),
        pytest.param(StoreUnwritable("secret"), 503, id="unwritable"),
        pytest.param(StoreCorrupt("secret"), 500, id="corrupt"),
    ],
)
def test_failing_service(
    client: TestClient, service: FakeService, error: EdgewiseError, status: int
) -> None:
    """A failure of the server is answered in the same form, and tells nothing of its inside."""
    service.error = error
    answer = client.post(BULK, content=body_for(BULK))
    assert error_of(answer)["status"] == status
    assert ("retry-after" in answer.headers) is (status == 503)
    assert "secret" not in answer.text


def test_a_full_disk_is_in_the_log(
    client: TestClient, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong with the disk is told where its owner looks, also when only Klaviyo sends."""
    service.error = StoreUnwritable("a.db: the disk is full.")
    client.post(BULK, content=body_for(BULK))
    assert "A request failed: a.db: the disk is full." in caplog.messages


def test_key_is_not_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a refused nor a taken request puts its key into the log."""
    caplog.set_level(0)
    client.post(BULK, content=body_for(BULK))
    client.post(BULK, content=b"", headers={"authorization": "Klaviyo-API-Key pk_wrong"})
    assert "pk_" not in caplog.text
