"""Questions to the Reveal API of Albacross: the company behind an IPv4 address.

Source: its published description, and what it was seen to answer: 204 for an address of no known
company, 400 for one that it does not take.
"""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from edgewise import __version__
from edgewise.decoding import decode_object
from edgewise.enrich.provider import ProviderFault
from edgewise.enrich.public_addresses import public_address
from edgewise.errors import InvalidData
from edgewise.secret import Secret

PLACE: Final = "{ipv4}"
PATH: Final = f"/company/{PLACE}"
URL: Final = f"https://api.albacross.com/reveal{PATH}"

MAX_BYTES: Final = 256 * 1024
# Of one connection or one part of an answer; whoever asks bounds the whole.
_TIMEOUT: Final = httpx2.Timeout(3.0, connect=1.5)
# A wrong key or a used-up quota is not set right within seconds.
_REFUSED_PAUSE_S: Final = 300.0

_HTTP_LOG: Final = logging.getLogger("httpx2")


class AlbacrossSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where to ask, and with which key.

    Args:
        url: of a company, with `{ipv4}` in the place of the address.
    """

    key: Secret
    url: str = URL


class AlbacrossClient:
    """Asks once per question, follows no redirect, and reads no more than it needs."""

    name = "albacross"
    ipv6 = False

    def __init__(self, settings: AlbacrossSettings) -> None:
        self._url = settings.url
        self._http = httpx2.AsyncClient(
            headers={
                "accept": "application/json",
                # What is small needs no packing, and what is packed has no known size.
                "accept-encoding": "identity",
                "authorization": f"Api-Key {settings.key.reveal()}",
                "user-agent": f"edgewise/{__version__}",
            },
            timeout=_TIMEOUT,
            follow_redirects=False,
        )
        self._discretion = _Discretion(urlsplit(settings.url).hostname or "")
        _HTTP_LOG.addFilter(self._discretion)

    async def close(self) -> None:
        """Close all connections."""
        _HTTP_LOG.removeFilter(self._discretion)
        await self._http.aclose()

    async def find(self, address: str) -> dict[str, Any] | None:
        """Return the company behind an address, None where none is known.

        Cost: one request; none for an address that is not IPv4 or not of the public internet.
        Errors: ProviderFault, with a pause where the key is refused or its quota used up.
        """
        known = public_address(address)
        if known is None or known.version != 4:
            return None
        url = self._url.replace(PLACE, str(known))
        try:
            async with self._http.stream("GET", url) as response:
                # Read to its end whatever the status: the connection then serves the next question.
                body = await _read(response)
        except httpx2.HTTPError as error:
            raise ProviderFault(f"no answer: {type(error).__name__}") from None
        return _company_in(response.status_code, body)


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async with aclosing(response.aiter_raw()) as parts:
        async for part in parts:
            body += part
            if len(body) > MAX_BYTES:
                raise ProviderFault(f"its answer has more than {MAX_BYTES} bytes")
    return bytes(body)


def _company_in(status: int, body: bytes) -> dict[str, Any] | None:
    match status:
        case 200:
            return _decode(body)
        case 204 | 400 | 404:
            return None
        case 401 | 403 | 429:
            raise ProviderFault(f"status {status}", _REFUSED_PAUSE_S)
        case _:
            raise ProviderFault(f"status {status}")


def _decode(body: bytes) -> dict[str, Any]:
    try:
        return decode_object(body)
    except InvalidData:
        raise ProviderFault("its answer is no JSON object") from None


class _Discretion(logging.Filter):
    """Holds back the line that the library logs per request: its URL has the visitor's address."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host

    def filter(self, record: logging.LogRecord) -> bool:
        arguments = record.args if isinstance(record.args, tuple) else ()
        return not any(isinstance(one, httpx2.URL) and one.host == self._host for one in arguments)
