"""Requests to the delivery or preview API: retries, rate limits, and both ways of paging.

Addresses in answers are never followed: only the token inside them is used, so that the access
token goes to no other host than the one that was configured.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec

from edgewise import __version__
from edgewise.errors import SourceRefused, SourceUnavailable
from edgewise.sources.contentful.settings import ContentfulSettings

ATTEMPTS: Final = 6
PAGE_SIZE: Final = 200
MAX_PAGES: Final = 10_000
MAX_ENTRY_PAGES: Final = 500  # A hundred thousand entries, which are all held at once.

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
# A limit that is lifted later than this is not waited for: the next poll may try again.
_LONGEST_LIMIT_S: Final = 60.0
_ATTEMPT_S: Final = 60.0
_TIMEOUT: Final = httpx2.Timeout(15.0, connect=5.0)
_ERROR_ID: Final = re.compile(r"[A-Za-z]{1,64}")


class SyncPages(msgspec.Struct, frozen=True):
    """Everything that changed since a sync token, and the token to go on from."""

    items: list[Any]
    sync_token: str


class DeliveryClient:
    """Reads one environment of one space.

    Args:
        sleep: waits some seconds.
        chance: a number in 0..1 that spreads pauses, so that many servers do not come back at once.
    """

    def __init__(
        self,
        settings: ContentfulSettings,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._name = settings.name
        self._sleep = sleep
        self._chance = chance
        self._http = httpx2.AsyncClient(
            base_url=settings.url,
            headers={
                "authorization": f"Bearer {settings.token.reveal()}",
                "user-agent": f"edgewise/{__version__}",
            },
            timeout=_TIMEOUT,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def locales(self) -> list[Any]:
        """Return the locales of the environment."""
        page = await self.get("/locales", {"limit": "1000"})
        return _list_of(page, "items")

    async def sync(self, sync_token: str = "") -> SyncPages:
        """Return what changed since a token, or without one everything there is.

        Errors: SourceRefused for a token that the API no longer knows.
        """
        items: list[Any] = []
        params = {"initial": "true", "limit": str(PAGE_SIZE)}
        if sync_token:
            params = {"sync_token": sync_token}
        for _ in range(MAX_PAGES):
            page = await self.get("/sync", params)
            items += _list_of(page, "items")
            next_page = _sync_token(page.get("nextPageUrl"))
            if not next_page:
                # Without a token for the changes, the next refresh reads everything again.
                return SyncPages(items, _sync_token(page.get("nextSyncUrl")))
            params = {"sync_token": next_page}
        raise self._unavailable("/sync", "it has no last page")

    async def entries(self, query: Mapping[str, str]) -> AsyncIterator[Any]:
        """Return all entries that a query finds, page by page in the order of their ids."""
        skip = 0
        for _ in range(MAX_ENTRY_PAGES):
            paging = {"order": "sys.id", "limit": str(PAGE_SIZE), "skip": str(skip)}
            page = await self.get("/entries", {**query, **paging})
            items = _list_of(page, "items")
            for item in items:
                yield item
            skip += len(items)
            total = page.get("total")
            if not items or not isinstance(total, int) or skip >= total:
                return
        most = MAX_ENTRY_PAGES * PAGE_SIZE
        raise SourceRefused(
            f"{self._name}: /entries has more than {most:,} entries, too many for a preview"
        )

    async def get(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the object that a path answers.

        Errors: SourceUnavailable where no attempt succeeded; SourceRefused where the token, the
        space or the query is wrong, so that another attempt would not help.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            pause_s = 0.0
            try:
                async with asyncio.timeout(_ATTEMPT_S):
                    response = await self._http.get(path, params=dict(params))
                if response.status_code == 200:
                    return self._decode(path, response.content)
                problem = _problem(response)
                pause_s = self._pause_asked_for(path, response)
            except (httpx2.TransportError, TimeoutError) as error:
                problem = type(error).__name__
            except httpx2.DecodingError as error:
                raise self._unavailable(path, "its answer cannot be unpacked") from error
            if attempt + 1 < ATTEMPTS:
                await self._sleep(pause_s or self._back_off_s(attempt))
        raise self._unavailable(path, f"{problem} in {ATTEMPTS} attempts")

    def _pause_asked_for(self, path: str, response: httpx2.Response) -> float:
        """Seconds to wait before the next attempt, 0 where the answer does not say."""
        status = response.status_code
        if status != 429 and status < 500:
            raise SourceRefused(f"{self._name}: {path} was refused with {_problem(response)}")
        header = "x-contentful-ratelimit-reset" if status == 429 else "retry-after"
        try:
            limit_s = float(response.headers.get(header, "0"))
        except ValueError:
            return 0.0  # A date: backing off as usual comes close enough.
        if limit_s > _LONGEST_LIMIT_S:
            raise self._unavailable(path, f"its rate limit is lifted in {limit_s:.0f} seconds")
        # `nan` fails every comparison, and a limit that is lifted now is no pause at all.
        return limit_s + self._chance() if limit_s > 0 else 0.0

    def _back_off_s(self, attempt: int) -> float:
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * (1 << attempt))
        return longest_s * (1 + self._chance()) / 2

    def _decode(self, path: str, body: bytes) -> Mapping[str, Any]:
        # Not the faster decoder: it refuses half surrogate pairs, and with them all other entries.
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self._unavailable(path, "its answer is not JSON") from error
        if not isinstance(answer, dict):
            raise self._unavailable(path, "its answer is not a JSON object")
        return answer

    def _unavailable(self, path: str, problem: str) -> SourceUnavailable:
        return SourceUnavailable(f"{self._name}: {path} is not available: {problem}")


def _problem(response: httpx2.Response) -> str:
    """The status and the error's id. The rest of the answer may repeat what was sent."""
    try:
        error_id = json.loads(response.content)["sys"]["id"]
    except (ValueError, RecursionError, KeyError, TypeError):
        error_id = None
    known = isinstance(error_id, str) and _ERROR_ID.fullmatch(error_id)
    return f"status {response.status_code}{f' {error_id}' if known else ''}"


def _sync_token(url: Any) -> str:
    if not isinstance(url, str):
        return ""
    try:
        return parse_qs(urlsplit(url).query).get("sync_token", [""])[0]
    except ValueError:
        return ""


def _list_of(page: Mapping[str, Any], key: str) -> list[Any]:
    items = page.get(key)
    return items if isinstance(items, list) else []
