"""The Insights plugin of the browser SDK reports to the server, and its reports are counted."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.sdk.harness import ADMIN_TOKEN, ENVIRONMENT, ORGANIZATION, run_driver

EXPERIENCE = "insights-of-the-sdk"
INSIGHTS = f"/v1/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}"


@pytest.fixture(scope="module")
def reported(server_url: str) -> dict[str, Any]:
    """What the plugin sent while a visitor looked around and left."""
    given = {"clientId": ORGANIZATION, "environment": ENVIRONMENT, "experienceId": EXPERIENCE}
    seen: dict[str, Any] = run_driver("insights.js", {"url": server_url, **given})
    return seen


def test_full_queue_and_page_end_are_accepted(server_url: str, reported: dict[str, Any]) -> None:
    """A full queue comes as JSON, the rest as a beacon of plain text when the page is hidden."""
    requests = reported["requests"]
    kinds = [(one["by"], one["contentType"], one["status"]) for one in requests]
    assert kinds == [("fetch", "application/json", 204), ("beacon", "text/plain", 204)]
    assert {one["url"] for one in requests} == {f"{server_url}{INSIGHTS}/events"}
    assert [len(one["sent"][0]["events"]) for one in requests] == [25, 2]
    assert {one["sent"][0]["profile"]["id"] for one in requests} == {reported["profileId"]}


def test_reports_are_counted(server_url: str, reported: dict[str, Any]) -> None:
    """The metrics are what the visitor did, and a report that comes again changes nothing."""
    for one in reported["requests"]:
        body = json.dumps(one["sent"]).encode()
        with urlopen(Request(f"{server_url}{INSIGHTS}/events", body)) as answer:
            assert answer.status == 204
    url = f"{server_url}{INSIGHTS}/experiences/{EXPERIENCE}/metrics"
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    with urlopen(Request(url, headers=headers)) as answer:
        metrics = json.load(answer)["data"]
    nothing = {"clicks": 0, "hovers": 0, "viewDurationMs": 0, "hoverDurationMs": 0}
    assert metrics["variants"] == [
        {**nothing, "variantIndex": 0, "views": 2, "uniqueViewers": 1},
        {
            "variantIndex": 1,
            "views": 1,
            "uniqueViewers": 1,
            "clicks": 23,
            "hovers": 1,
            "viewDurationMs": 0,
            "hoverDurationMs": 2100,
        },
    ]


def test_reports_leave_the_session_alone(server_url: str, reported: dict[str, Any]) -> None:
    """The profile is in its first session, which lasted as long as its one event."""
    path = f"/v2/organizations/{ORGANIZATION}/environments/{ENVIRONMENT}/profiles"
    with urlopen(f"{server_url}{path}/{reported['profileId']}") as answer:
        session = json.load(answer)["data"]["profile"]["session"]
    assert (session["count"], session["activeSessionLength"]) == (1, 0)
