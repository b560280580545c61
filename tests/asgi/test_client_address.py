"""Whose word counts for where a request comes from."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.asgi.client_address import (
    LOOPBACK,
    AddressSettings,
    Network,
    client_address,
    parse_address,
    parse_force_ip_from,
)
from edgewise.errors import InputError

PEER, OTHER, VISITOR, PROXY = "9.9.9.9", "8.8.8.8", "5.1.2.3", "10.0.0.7"
INSIDE: tuple[Network, ...] = (*LOOPBACK, ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def found(
    peer: str | None,
    *headers: tuple[str, str],
    proxies: int = 0,
    force: tuple[Network, ...] = LOOPBACK,
) -> str | None:
    """The address of a request with some headers, as text."""
    scope: dict[str, Any] = {
        "type": "http",
        "client": None if peer is None else (peer, 1234),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    settings = AddressSettings(trusted_proxies=proxies, force_ip_from=force)
    address = client_address(scope, settings)
    return None if address is None else str(address)


def forwarded(value: str) -> tuple[str, str]:
    return ("x-forwarded-for", value)


def forced(value: str) -> tuple[str, str]:
    return ("x-force-ip", value)


@pytest.mark.parametrize(
    ("address", "peer", "headers", "settings"),
    [
        pytest.param(PEER, PEER, [], {}, id="connection"),
        pytest.param(None, None, [], {}, id="no-connection"),
        pytest.param(None, "testclient", [], {}, id="name"),
        pytest.param(PEER, f"::ffff:{PEER}", [], {}, id="mapped"),
        pytest.param(PEER, PEER, [forwarded(VISITOR)], {}, id="spoofed-forwarded"),
        pytest.param("127.0.0.1", "127.0.0.1", [forwarded(VISITOR)], {}, id="no-proxy-trusted"),
        pytest.param(PEER, PEER, [forced(VISITOR)], {}, id="spoofed-force"),
        pytest.param(VISITOR, "127.0.0.1", [forced(VISITOR)], {}, id="force-from-loopback"),
        pytest.param(VISITOR, "127.8.0.1", [forced(VISITOR)], {}, id="force-from-loopback-net"),
        pytest.param(VISITOR, "::1", [forced(VISITOR)], {}, id="force-from-loopback-v6"),
        pytest.param(VISITOR, "::ffff:127.0.0.1", [forced(VISITOR)], {}, id="force-from-mapped"),
        pytest.param(None, None, [forced(VISITOR)], {}, id="force-from-nowhere"),
        pytest.param(PROXY, PROXY, [forced(VISITOR)], {}, id="force-from-elsewhere"),
        pytest.param(VISITOR, PROXY, [forced(VISITOR)], {"force": INSIDE}, id="force-from-network"),
        pytest.param(VISITOR, "fd00::1", [forced(VISITOR)], {"force": INSIDE}, id="force-from-v6"),
        pytest.param(PEER, PEER, [forced(VISITOR)], {"force": INSIDE}, id="force-from-outside"),
        pytest.param("127.0.0.1", "127.0.0.1", [forced(VISITOR)], {"force": ()}, id="force-none"),
        pytest.param(
            "127.0.0.1",
            "127.0.0.1",
            [forwarded(OTHER), forced(VISITOR)],
            {},
            id="force-through-uncounted-proxy",
        ),
        pytest.param(
            "127.0.0.1",
            "127.0.0.1",
            [forwarded(OTHER), forced(VISITOR)],
            {"proxies": 2},
            id="force-through-too-few-proxies",
        ),
        pytest.param(None, "127.0.0.1", [forced("me")], {}, id="force-garbage"),
        pytest.param("127.0.0.1", "127.0.0.1", [forced(" ")], {}, id="force-empty"),
        pytest.param(OTHER, "::1", [forced(VISITOR), forced(OTHER)], {}, id="force-twice"),
        pytest.param(VISITOR, PROXY, [forwarded(VISITOR)], {"proxies": 1}, id="one-proxy"),
        pytest.param(
            VISITOR, PROXY, [forwarded(f"{OTHER}, {VISITOR}")], {"proxies": 1}, id="prefix"
        ),
        pytest.param(
            VISITOR,
            PROXY,
            [forwarded(OTHER), forwarded(f"{VISITOR}:443 ,{PROXY}")],
            {"proxies": 2},
            id="two-proxies-two-headers",
        ),
        pytest.param(PEER, PEER, [forwarded(VISITOR)], {"proxies": 2}, id="too-few-entries"),
        pytest.param(PEER, PEER, [], {"proxies": 1}, id="no-entries"),
        pytest.param(PEER, PEER, [forwarded("")], {"proxies": 1}, id="empty"),
        pytest.param(None, PROXY, [forwarded(f"{OTHER},")], {"proxies": 1}, id="empty-entry"),
        pytest.param(None, PROXY, [forwarded("unknown")], {"proxies": 1}, id="hidden"),
        pytest.param(
            VISITOR,
            "127.0.0.1",
            [forwarded(VISITOR), forced(OTHER)],
            {"proxies": 1},
            id="spoofed-force-through-a-proxy-on-this-machine",
        ),
        pytest.param(
            OTHER,
            "127.0.0.1",
            [forced(OTHER)],
            {"proxies": 1},
            id="force-past-the-proxy",
        ),
        pytest.param(
            VISITOR,
            PROXY,
            [forwarded(f"127.0.0.1, {VISITOR}"), forced(OTHER)],
            {"proxies": 1},
            id="spoofed-loopback",
        ),
    ],
)
def test_address(
    address: str | None,
    peer: str | None,
    headers: list[tuple[str, str]],
    settings: dict[str, Any],
) -> None:
    """Only what somebody trusted has written counts; everything else is as if it were not there."""
    assert found(peer, *headers, **settings) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("5.1.2.3", "5.1.2.3"),
        (" 5.1.2.3:8080 ", "5.1.2.3"),
        ("2A00:1::3", "2a00:1::3"),
        ("[2a00:1::3]", "2a00:1::3"),
        ('"[2a00:1::3]:443"', "2a00:1::3"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:5.1.2.3", "5.1.2.3"),
        ("", None),
        ("localhost", None),
        ("_hidden", None),
        ("5.1.2", None),
        ("5.1.2.3.4", None),
        ("05.1.2.3", None),
        ("5.1.2.3/8", None),
        ("[2a00:1::3", "2a00:1::3"),
        ("\xff", None),
        ("1" * 5000, None),
        ("5.1.2.3" + " " * 5000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_parse_address(text: str, address: str | None) -> None:
    """Ports, brackets, quotes and zones are left out; garbage is no address."""
    parsed = parse_address(text.encode("latin-1"))
    assert parsed == (None if address is None else ip_address(address))


@given(chain=st.binary(max_size=300), proxies=st.integers(0, 16))
def test_no_header_breaks_it(chain: bytes, proxies: int) -> None:
    """Whatever a header holds, there is an address or there is none."""
    headers = [(b"x-forwarded-for", chain), (b"x-force-ip", chain)]
    scope = {"type": "http", "client": ("127.0.0.1", 1), "headers": headers}
    client_address(scope, AddressSettings(trusted_proxies=proxies))


def test_long_chain() -> None:
    """A chain of any length is read from its end."""
    chain = "1.1.1.1," * 8000 + VISITOR
    assert found(PROXY, forwarded(chain), proxies=1) == VISITOR
    assert found(PROXY, forwarded("y" * 60_000), proxies=2) == PROXY


def test_who_may_force() -> None:
    """This machine always may, networks beside it, and with "none" nobody."""
    assert parse_force_ip_from([]) == LOOPBACK
    assert parse_force_ip_from(["10.0.0.0/8", "fd00::/8"]) == INSIDE
    assert parse_force_ip_from(["192.0.2.1"])[-1].network_address == IPv4Address("192.0.2.1")
    assert parse_force_ip_from(["none"]) == ()


@pytest.mark.parametrize("texts", [["10.0.0.1/8"], ["office"], [""], ["none", "10.0.0.0/8"]])
def test_no_network(texts: list[str]) -> None:
    """What is no network is told with the option."""
    with pytest.raises(InputError, match=r"^--force-ip-from: "):
        parse_force_ip_from(texts)
