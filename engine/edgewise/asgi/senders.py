"""Who sent a request, as its connection and its headers tell."""

from __future__ import annotations

from starlette.types import Scope

from edgewise.asgi.client_address import Address, AddressSettings, client_address
from edgewise.devices import ClientHints, parse_client_hints

_MOBILE = b"sec-ch-ua-mobile"
_PLATFORM = b"sec-ch-ua-platform"
_FORM_FACTORS = b"sec-ch-ua-form-factors"
_HINTS = frozenset({_MOBILE, _PLATFORM, _FORM_FACTORS})


class HttpSender:
    """Reads of a request what is asked for, and nothing before."""

    __slots__ = ("_scope", "_settings")

    def __init__(self, scope: Scope, settings: AddressSettings) -> None:
        self._scope = scope
        self._settings = settings

    def address(self) -> Address | None:
        """Return the address that the request comes from, None where it is not known."""
        return client_address(self._scope, self._settings)

    def hints(self) -> ClientHints | None:
        """Return the client hints of the request, None where there are none."""
        given = {key: value for key, value in self._scope["headers"] if key in _HINTS}
        if not given:
            return None
        return parse_client_hints(
            given.get(_MOBILE, b""), given.get(_PLATFORM, b""), given.get(_FORM_FACTORS, b"")
        )
