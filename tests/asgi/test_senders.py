"""What a request tells of its sender's device and address."""

from __future__ import annotations

from edgewise.asgi.client_address import AddressSettings
from edgewise.asgi.senders import HttpSender
from edgewise.devices import ClientHints
from tests.asgi.fakes import BERLIN, scope_of


def sender(*headers: tuple[bytes, bytes], client: object = None) -> HttpSender:
    scope = scope_of("POST", "/", headers=list(headers), client=client)
    return HttpSender(scope, AddressSettings())


def test_hints() -> None:
    """Each of the three headers is read."""
    headers = (
        (b"sec-ch-ua-mobile", b"?0"),
        (b"sec-ch-ua", b'"Chromium";v="124"'),
        (b"sec-ch-ua-platform", b'"Android"'),
        (b"sec-ch-ua-form-factors", b'"Tablet"'),
    )
    hints = ClientHints(mobile=False, platform="Android", form_factors=frozenset({"Tablet"}))
    assert sender(*headers).hints() == hints


def test_no_hints() -> None:
    """Without the headers, or with garbage in them, nothing is told."""
    assert sender((b"user-agent", b"x")).hints() is None
    assert sender((b"sec-ch-ua-mobile", b"perhaps")).hints() is None


def test_address() -> None:
    """The address is that of the connection, where there is one."""
    assert str(sender(client=(BERLIN, 1)).address()) == BERLIN
    assert sender().address() is None
