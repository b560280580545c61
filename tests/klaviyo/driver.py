"""Calls the published `klaviyo-api` package: one call per line of JSON, one answer per line.

Runs in the package's own environment, so it uses nothing but the package and the standard library.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

METHODS = {"bulk": "bulk_create_events", "single": "create_event"}


def main() -> None:
    """Answer every line until there is none."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What a call returned or raised, and how many requests it sent."""
    client = KlaviyoAPI(
        request["key"], max_delay=60, max_retries=request["retries"], test_host=request["url"]
    )
    responses = watch_responses(client)
    try:
        getattr(client.Events, METHODS[request["method"]])(request["body"])
    except ApiException as error:
        return {
            "error": type(error).__name__,
            "status": error.status,
            "headers": lowered(error.headers),
            "body": json.loads(error.body),
            "attempts": len(responses),
        }
    last = responses[-1]
    return {
        "error": None,
        "status": last.status,
        "headers": lowered(last.getheaders()),
        "body": last.data.decode(),
        "attempts": len(responses),
    }


def watch_responses(client: Any) -> list[Any]:
    """A list that each response is added to that the client gets."""
    responses: list[Any] = []
    send = client.api_client.call_api

    def watching(*arguments: Any, **options: Any) -> Any:
        response = send(*arguments, **options)
        responses.append(response)
        return response

    client.api_client.call_api = watching
    return responses


def lowered(headers: Any) -> dict[str, str]:
    """Headers by their names in lower case."""
    return {name.lower(): value for name, value in dict(headers or {}).items()}


if __name__ == "__main__":
    main()
