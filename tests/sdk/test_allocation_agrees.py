"""What the server selects is what the SDK computes itself from the same profile."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest

from edgewise.hashing import MURMUR3
from edgewise.model.experience import EntryReplacement, Experience
from edgewise.sources.files import load_rules
from tests.sdk.harness import ENVIRONMENT, ORGANIZATION, RULES, run_driver

VISITS = 1000
CONCURRENCY = 8


def configuration(experience: Experience) -> dict[str, Any]:
    """The experience as the SDK's mapper would hand it to the SDK."""
    ends = list(accumulate(experience.distribution))
    ranges = zip([0, *ends], ends, strict=False)
    audience = {"audience": {"id": experience.audience_id}} if experience.audience_id else {}
    return {
        "id": experience.id,
        "type": experience.kind,
        **audience,
        "trafficAllocation": experience.traffic_allocation,
        "distribution": [
            {"index": index, "start": start, "end": end}
            for index, (start, end) in enumerate(ranges)
        ],
        "sticky": experience.sticky,
        "components": [
            {
                "type": "EntryReplacement",
                "baseline": {"id": component.baseline},
                "variants": [{"id": id_, "hidden": not id_} for id_ in component.variants],
            }
            for component in experience.components
            if isinstance(component, EntryReplacement)
        ],
    }


def visit(number: int) -> list[dict[str, Any]]:
    """The events of one visitor; visitors differ in what audiences may ask for."""
    path = ("/", "/pricing", "/blog/news", "/cart")[number % 4]
    source = ("newsletter", "google", "", "partner")[number // 4 % 4]
    plan = ("free", "pro", "enterprise")[number % 3]
    country = ("DE", "US", "CH")[number // 3 % 3]
    page = {
        "path": path,
        "query": {"utm_source": source} if source else {},
        "referrer": "",
        "search": f"?utm_source={source}" if source else "",
        "url": f"https://shop.example.com{path}",
    }
    context = {
        "library": {"name": "Ninetailed React Analytics SDK", "version": "7.26.0"},
        "userAgent": "Test Browser/1.0",
        "campaign": {"source": source} if source else {},
        "locale": "en-US",
        "page": page,
        "gdpr": {"isConsentGiven": True},
        "location": {"countryCode": country},
    }
    kinds: list[dict[str, Any]] = [
        {"type": "page", "properties": page},
        {"type": "track", "event": "add_to_cart", "properties": {"price": number}},
        {"type": "identify", "userId": "", "traits": {"plan": plan, "age": 18 + number % 60}},
    ]
    return [
        {
            "channel": "web",
            "context": context,
            "messageId": f"visit-{number}-{position}",
            "timestamp": f"2026-01-01T00:00:0{position}.000Z",
            **kind,
        }
        for position, kind in enumerate(kinds)
    ]


@pytest.fixture(scope="module")
def experiences() -> list[Experience]:
    """The experiences of the demo environment all allocated as the SDK allocates."""
    ruleset = load_rules(RULES)[ORGANIZATION, ENVIRONMENT]
    served = [experience.experience for experience in ruleset.experiences]
    assert {experience.allocation for experience in served} == {MURMUR3}
    return served


@pytest.fixture(scope="module")
def outcomes(server_url: str, experiences: list[Experience]) -> list[dict[str, Any]]:
    """Answered and computed variant indexes of 1,000 new profiles."""
    request = {
        "url": server_url,
        "clientId": ORGANIZATION,
        "environment": ENVIRONMENT,
        "experiences": [configuration(experience) for experience in experiences],
        "visits": [visit(number) for number in range(VISITS)],
        "concurrency": CONCURRENCY,
    }
    made: list[dict[str, Any]] = run_driver("allocations.js", request)
    return made


def test_every_variant_agrees(outcomes: list[dict[str, Any]]) -> None:
    """For each of 1,000 profiles the server answers exactly the variants that the SDK computes."""
    assert len({outcome["stableId"] for outcome in outcomes}) == VISITS
    assert [outcome["answered"] for outcome in outcomes] == [
        outcome["computed"] for outcome in outcomes
    ]


def test_agreement_is_not_empty(
    experiences: list[Experience], outcomes: list[dict[str, Any]]
) -> None:
    """Each experience that anyone may get is answered, an experiment with each of its variants."""
    for experience in experiences:
        if experience.audience_id is not None or experience.traffic_allocation == 0:
            continue
        indexes = {outcome["answered"].get(experience.id) for outcome in outcomes}
        expected = {index for index, share in enumerate(experience.distribution) if share > 0}
        assert expected <= indexes, experience.id


def test_audiences_take_part(experiences: list[Experience], outcomes: list[dict[str, Any]]) -> None:
    """Some profiles are in the audience of a demo experience, and some are not."""
    asked_for = {experience.audience_id for experience in experiences} - {None}
    sizes = [sum(id_ in outcome["audiences"] for outcome in outcomes) for id_ in asked_for]
    assert any(0 < size < VISITS for size in sizes)
