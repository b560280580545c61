"""The short paths answer in the documents' form, to the requests that the documents print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from edgewise.asgi.app import build_app
from edgewise.asgi.interface import HttpSettings
from edgewise.model.document import RuleDocument
from edgewise.ruleset import load_ruleset
from edgewise.service import DecisionService
from edgewise.stores.memory import MemoryStore
from tests.serving import NOW_MS

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
LONG = "/v2/organizations/org/environments/main"

BATCH = {
    "method": "POST",
    "path": "/events",
    "queryParameters": {"locale": "en"},
    "headers": {"Content-Type": "application/json"},
    "body": {
        "events": [
            {
                "type": "identify",
                "userId": "user-001",
                "traits": {"plan": "enterprise", "industry": "fintech"},
                "timestamp": "2026-06-13T09:00:00.000Z",
            },
            {
                "type": "page",
                "userId": "user-001",
                "properties": {
                    "url": "https://example.com/pricing",
                    "path": "/pricing",
                    "title": "Pricing",
                },
                "timestamp": "2026-06-13T09:01:00.000Z",
            },
            {
                "type": "identify",
                "userId": "user-002",
                "traits": {"plan": "starter", "industry": "ecommerce"},
                "timestamp": "2026-06-13T09:00:30.000Z",
            },
        ]
    },
}
IDENTIFY = {
    "method": "POST",
    "path": "/profiles/{profileId}",
    "pathParameters": {"profileId": "prof-7a4b2c1e-8d3f-4e5a-9b1c-3d4e5f6a7b8c"},
    "queryParameters": {"locale": "en"},
    "headers": {"Content-Type": "text/plain"},
    "body": {
        "events": [
            {
                "type": "identify",
                "userId": "user-12345",
                "anonymousId": "anon-9f8a2c1e-4b3d-4f5a-8e1b-2d3c4f5a6b7c",
                "traits": {
                    "email": "jane@example.com",
                    "name": "Jane Doe",
                    "plan": "pro",
                    "company": "Acme Corp",
                },
                "timestamp": "2026-06-13T10:05:00.000Z",
            }
        ]
    },
}


def batched(audiences: int) -> dict[str, Any]:
    """The form of a profile in the answer to a batch."""
    return {
        "id": "text",
        "stableId": "text",
        "random": "number",
        "audiences": ["text"] * audiences,
        "traits": {"plan": "text", "industry": "text"},
        "location": {},
        "session": {},
        "stickyVariants": {},
    }


def experience(entry: str) -> dict[str, Any]:
    """The form of an experience that replaces one entry."""
    return {
        "experienceId": "text",
        "variantIndex": "number",
        "variants": {entry: "text"},
        "sticky": "boolean",
    }


BATCH_FORM = {"data": [batched(2), batched(1)], "error": "null", "message": "text"}
IDENTIFY_FORM = {
    "data": {
        "profile": {
            "id": "text",
            "stableId": "text",
            "random": "number",
            "audiences": ["text", "text"],
            "traits": {"email": "text", "name": "text", "plan": "text", "company": "text"},
            "location": {"city": "text", "region": "text", "country": "text", "timezone": "text"},
            "session": {
                "id": "text",
                "isReturningVisitor": "boolean",
                "landingPage": "text",
                "count": "number",
                "sessionLength": "number",
            },
            "jurisdiction": "text",
            "stickyVariants": {},
        },
        "experiences": [experience("hero-banner"), experience("cta-banner")],
        "changes": [
            {
                "key": "text",
                "type": "text",
                "value": "text",
                "meta": {"experienceId": "text", "variantIndex": "number"},
            }
        ],
    },
    "error": "null",
    "message": "text",
}

BATCH_RULES = {
    "audiences": [
        {"id": "audience-enterprise", "has trait": {"plan": "enterprise"}},
        {"id": "audience-pricing-visitors", "has viewed page": {"path": "/pricing"}},
        {"id": "audience-starter", "has trait": {"plan": "starter"}},
    ]
}
IDENTIFY_RULES = {
    "audiences": [
        {"id": "audience-new-visitors", "is returning visitor": False},
        {"id": "audience-pro-plan", "has trait": {"plan": "pro"}},
    ],
    "experiences": [
        {
            "id": "exp-hero-banner-test",
            "audience": "audience-new-visitors",
            "components": [
                {"entry": "hero-banner", "variants": ["entry-variant-b-id"]},
                {"variable": "hero-banner", "baseline": "plain", "variants": ["rich"]},
            ],
        },
        {
            "id": "exp-pro-plan-upsell",
            "audience": "audience-pro-plan",
            "components": [{"entry": "cta-banner", "variants": ["entry-upsell-id"]}],
        },
    ],
}
STICKY_RULES = {
    "experiences": [
        {
            "id": "pinned",
            "sticky": True,
            "type": "experiment",
            "components": [{"entry": "hero", "variants": ["v1", "v2"]}],
        }
    ]
}
CALIFORNIA = {
    "city": "San Francisco",
    "region": "California",
    "regionCode": "CA",
    "country": "United States",
    "countryCode": "US",
    "timezone": "America/Los_Angeles",
    "continent": "NA",
    "postalCode": "94103",
    "coordinates": {"latitude": 37.77, "longitude": -122.42},
}


def form_of(value: Any) -> Any:
    """The keys and types of a value, all the way down."""
    if isinstance(value, dict):
        return {key: form_of(member) for key, member in value.items()}
    if isinstance(value, list):
        return [form_of(member) for member in value]
    kinds = {bool: "boolean", int: "number", float: "number", str: "text"}
    return "null" if value is None else kinds[type(value)]


@contextmanager
def serving(
    content: dict[str, Any], default: tuple[str, str] | None = ("org", "main")
) -> Iterator[TestClient]:
    """A client of a service with these rules and a store in memory."""
    ruleset = load_ruleset("org", "main", [RuleDocument("test.yaml", content)])
    service = DecisionService(
        {("org", "main"): ruleset}, MemoryStore(), clock=lambda: NOW_MS, retention=None
    )
    app = build_app(service, HttpSettings(default_environment=default))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def sent(client: TestClient, request: dict[str, Any]) -> Any:
    """The answer to a request as a document prints it."""
    path = request["path"].format(**request.get("pathParameters", {}))
    answer = client.request(
        request["method"],
        f"{path}?{urlencode(request['queryParameters'])}",
        headers=request["headers"],
        content=json.dumps(request["body"]),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def page(**context: Any) -> str:
    """A body with one page event, before those of the documents."""
    url = "https://example.com/?a=1"
    event = {
        "type": "page",
        "timestamp": "2026-06-13T10:00:00.000Z",
        "context": {"page": {"url": url, "path": "/"}, **context},
    }
    return json.dumps({"events": [event]})


@pytest.mark.parametrize(
    ("number", "request_", "form"),
    [
        pytest.param(0, BATCH, BATCH_FORM, id="batch"),
        pytest.param(4, IDENTIFY, IDENTIFY_FORM, id="update"),
    ],
)
@pytest.mark.skipif(not SEEDS.is_dir(), reason="the documents are not there")
def test_the_documents_say_so(number: int, request_: Any, form: Any) -> None:
    """The requests and forms of this file are those of the documents."""
    (path,) = SEEDS.glob(f"{number:03}_*.txt")
    text = path.read_text("utf-8")
    document = json.loads(text[text.index('{\n"summary"') :])
    assert document["request"] == request_
    assert form_of(document["response"]["body"]) == form


def test_batch_as_printed() -> None:
    """The answer to the documents' batch has the documents' keys, types and audiences."""
    with serving(BATCH_RULES) as client:
        answer = sent(client, BATCH)
    assert form_of(answer) == BATCH_FORM
    assert [profile["audiences"] for profile in answer["data"]] == [
        ["audience-enterprise", "audience-pricing-visitors"],
        ["audience-starter"],
    ]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(CALIFORNIA, id="names and codes"),
        pytest.param(
            {
                "city": "San Francisco",
                "region": "CA",
                "country": "US",
                "timezone": "America/Los_Angeles",
            },
            id="the documents' own form",
        ),
    ],
)
def test_update_as_printed(location: dict[str, Any]) -> None:
    """After an event with the location the answer has the documents' keys, types and values."""
    with serving(IDENTIFY_RULES) as client:
        name = IDENTIFY["pathParameters"]["profileId"]  # type: ignore[index]
        assert client.post(f"/profiles/{name}", content=page(location=location)).is_success
        answer = sent(client, IDENTIFY)
        read = client.get(f"/profiles/{name}/").json()
    assert form_of(answer) == IDENTIFY_FORM
    profile = answer["data"]["profile"]
    assert profile["audiences"] == ["audience-new-visitors", "audience-pro-plan"]
    assert profile["jurisdiction"] == "CCPA"
    assert profile["location"] == {
        "city": "San Francisco",
        "region": "CA",
        "country": "US",
        "timezone": "America/Los_Angeles",
    }
    assert profile["session"]["landingPage"] == "https://example.com/?a=1"
    assert profile["session"]["sessionLength"] == 300
    assert read == answer


@pytest.mark.parametrize(
    ("location", "shown", "jurisdiction"),
    [
        pytest.param({"country": "Deutschland"}, {"country": "DE"}, "GDPR", id="a known name"),
        pytest.param({"country": "Atlantis"}, {"country": "Atlantis"}, None, id="an unknown name"),
        pytest.param(
            {"countryCode": "US", "regionCode": "US-CA"},
            {"country": "US", "region": "CA"},
            "CCPA",
            id="a code with its country",
        ),
        pytest.param(
            {"countryCode": "FR", "region": "Brittany"},
            {"country": "FR", "region": "Brittany"},
            "GDPR",
            id="a region without code",
        ),
        pytest.param({}, {}, None, id="nothing"),
    ],
)
def test_location_and_jurisdiction(
    location: dict[str, Any], shown: dict[str, str], jurisdiction: str | None
) -> None:
    """Codes stand wherever they are known, and what is not known is left out."""
    with serving({}) as client:
        answer = client.post("/profiles", content=page(location=location)).json()
    profile = answer["data"]["profile"]
    assert profile["location"] == shown
    assert profile.get("jurisdiction") == jurisdiction
    assert ("jurisdiction" in profile) == (jurisdiction is not None)


def test_sticky_variants_are_told() -> None:
    """A variant that was seen is told by its experience, which says that it is sticky."""
    view = {"type": "component", "componentId": "v2", "experienceId": "pinned", "variantIndex": 2}
    with serving(STICKY_RULES) as client:
        data = client.post("/profiles/a", content=json.dumps({"events": [view]})).json()["data"]
    assert data["profile"]["stickyVariants"] == {"pinned": 2}
    assert data["experiences"] == [
        {"experienceId": "pinned", "variantIndex": 2, "variants": {"hero": "v2"}, "sticky": True}
    ]


def test_both_forms_tell_of_one_profile() -> None:
    """What was sent to a short path is there under the long one, in the form of the SDKs."""
    with serving(IDENTIFY_RULES) as client:
        short = client.post("/profiles/a%2Fb", content=page(location=CALIFORNIA)).json()["data"]
        long = client.get(f"{LONG}/profiles/a%2Fb").json()["data"]
        assert long["profile"]["id"] == short["profile"]["id"]
        assert long["profile"]["session"]["landingPage"]["path"] == "/"
        assert long["profile"]["location"] == CALIFORNIA
        assert "jurisdiction" not in long["profile"]
        assert long["changes"] == short["changes"]
        assert client.delete("/profiles/a%2Fb").json()["data"] == {}
        assert client.get(f"{LONG}/profiles/a%2Fb").status_code == 404


def test_a_preflight_keeps_nothing() -> None:
    """The query means what it means on the long paths."""
    with serving({}) as client:
        assert client.post("/profiles/a?type=preflight", content=page()).is_success
        assert client.get("/profiles/a").json()["error"] == {"code": "ERR_PROFILE_NOT_FOUND"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/profiles", 405, id="collection"),
        pytest.param("PUT", "/profiles/a", 405, id="method of a profile"),
        pytest.param("GET", "/events/", 405, id="method of a batch"),
        pytest.param("POST", "/profiles/a/b", 404, id="deeper"),
        pytest.param("POST", "/profiles//", 404, id="an empty id"),
        pytest.param("POST", "/profiles/a", 400, id="no body"),
        pytest.param("POST", "/events", 400, id="no batch"),
        pytest.param("GET", "/profiles/unknown", 404, id="an unknown profile"),
    ],
)
def test_refusals(method: str, path: str, status: int) -> None:
    """Refusals are those of the long paths."""
    with serving({}) as client:
        assert client.request(method, path).status_code == status


@pytest.mark.parametrize("path", ["/profiles", "/profiles/a", "/events"])
def test_without_a_default_environment_there_are_none(path: str) -> None:
    """A server that was told of no environment does not know the short paths."""
    with serving({}, default=None) as client:
        assert client.post(path, content=page()).json()["error"] == {"code": "ERR_NOT_FOUND"}


def test_a_default_environment_that_is_not_served() -> None:
    """An environment that is named and not served is told as on the long paths."""
    with serving({}, default=("org", "gone")) as client:
        answer = client.post("/profiles", content=page())
    assert answer.json()["error"] == {"code": "ERR_CONFIG_NOT_FOUND"}
