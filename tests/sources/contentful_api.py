"""A server on this machine that answers as the delivery and the preview API do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

JsonObject = dict[str, Any]

TOKEN = "the-token-of-the-tests"
PREFIX = "/spaces/shop/environments/master"


class ContentfulApi:
    """One environment of the space `shop`.

    Args:
        content: an export; what it says to be published is what is delivered.
        page_size: no page has more entries, whatever is asked for.

    Attributes:
        trouble: answers that the next requests get instead of theirs: a status, its headers and,
            where it matters, a body.
        requests: path and query of every request.
        authorizations: the header of every request.
        busy: whether each request is refused with 503.
    """

    def __init__(self, content: JsonObject, page_size: int = 4) -> None:
        self.locales: list[JsonObject] = content["locales"]
        self.entries: dict[str, JsonObject] = {}
        self.changes: list[JsonObject] = []
        self.page_size = page_size
        self.trouble: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.authorizations: list[str] = []
        self.busy = False
        self.forgets_tokens = False
        self.url = ""
        for raw in content["entries"]:
            sys = raw["sys"]
            published = sys.get("publishedVersion") or sys.get("publishedAt")
            if published and not (sys.get("archivedVersion") or sys.get("archivedAt")):
                self.publish(raw)
        self.changes.clear()

    def publish(self, raw: JsonObject) -> None:
        """Deliver an entry, as a new one or instead of an older version."""
        sys = {key: raw["sys"][key] for key in ("id", "type", "contentType")}
        entry = {"sys": {**sys, "revision": 1}, "fields": raw["fields"]}
        self.entries[sys["id"]] = entry
        self.changes.append(entry)

    def unpublish(self, entry_id: str) -> None:
        """Deliver an entry no more."""
        del self.entries[entry_id]
        self.changes.append({"sys": {"id": entry_id, "type": "DeletedEntry"}})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ContentfulApi]:
        """Serve on a free port until the block ends."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # One request per connection, so that none is open when the block ends.
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, headers, body = self._answer(head)
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    def _answer(self, head: str) -> tuple[int, dict[str, str], bytes]:
        request, *lines = head.split("\r\n")
        target = urlsplit(request.split(" ")[1])
        pairs = (line.partition(": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        query = dict(parse_qsl(target.query))
        self.requests.append((target.path, query))
        self.authorizations.append(headers.get("authorization", ""))
        if self.busy:
            return 503, {}, b"busy"
        if self.trouble:
            return self.trouble.pop(0)
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "AccessTokenInvalid")
        resource = target.path.removeprefix(PREFIX)
        if resource == "/locales":
            return _json({"items": self.locales})
        if resource == "/sync":
            return self._sync(query)
        if resource == "/entries":
            return self._entries(query)
        return _error(404, "NotFound")

    def _sync(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """A token names what it leads to: `initial` or the first change, an offset, the end."""
        token = query.get("sync_token", "")
        if token and self.forgets_tokens:
            return _error(400, "BadRequest")
        start, offset, end = token.split("/") if token else ("initial", "0", str(len(self.changes)))
        items = self._items(start, int(end or len(self.changes)))
        end = end or str(len(self.changes))
        first = int(offset)
        page: JsonObject = {
            "sys": {"type": "Array"},
            "items": items[first : first + self.page_size],
        }
        if first + self.page_size < len(items):
            page["nextPageUrl"] = self._sync_url(start, first + self.page_size, end)
        else:
            page["nextSyncUrl"] = self._sync_url(end, 0, "")
        return _json(page)

    def _items(self, start: str, end: int) -> list[JsonObject]:
        asset = {"sys": {"id": "a picture", "type": "Asset"}, "fields": {}}
        if start == "initial":
            return [asset, *self.entries.values()]
        return self.changes[int(start) : end]

    def _sync_url(self, start: str, offset: int, end: str) -> str:
        # Another host than this one, which no client may follow with its token.
        query = urlencode({"sync_token": f"{start}/{offset}/{end}"})
        return f"https://elsewhere.invalid{PREFIX}/sync?{query}"

    def entries_found(self, query: dict[str, str]) -> list[JsonObject]:
        """Return all entries that a query finds."""
        found = sorted(self.entries.values(), key=lambda entry: str(entry["sys"]["id"]))
        if types := query.get("sys.contentType.sys.id[in]"):
            found = [e for e in found if e["sys"]["contentType"]["sys"]["id"] in types.split(",")]
        if ids := query.get("sys.id[in]"):
            found = [e for e in found if e["sys"]["id"] in ids.split(",")]
        if query.get("select") == "sys":
            found = [{"sys": e["sys"]} for e in found]
        return found

    def _entries(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        found = self.entries_found(query)
        skip = int(query["skip"])
        size = min(self.page_size, int(query["limit"]))
        return _json({"total": len(found), "skip": skip, "items": found[skip : skip + size]})


def _json(content: JsonObject) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(content).encode()


def _error(status: int, error_id: str) -> tuple[int, dict[str, str], bytes]:
    body = {"sys": {"type": "Error", "id": error_id}, "message": f"no: Bearer {TOKEN}"}
    return status, {}, json.dumps(body).encode()
