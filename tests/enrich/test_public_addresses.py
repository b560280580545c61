"""Nobody is asked about an address that is not one of the public internet."""

from __future__ import annotations

import pytest

from edgewise.enrich.public_addresses import public_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("81.2.69.142", "81.2.69.142", id="ipv4"),
        pytest.param("::ffff:81.2.69.142", "81.2.69.142", id="ipv4-in-ipv6"),
        pytest.param("2001:0218:0:0::1", "2001:218::1", id="ipv6"),
    ],
)
def test_public(text: str, address: str) -> None:
    """A public address has one form, however it is written."""
    assert str(public_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("unknown", id="word"),
        pytest.param("81.2.69.142:443", id="port"),
        pytest.param("81.2.69.142/../x", id="path"),
        pytest.param("081.2.69.142", id="leading-zero"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("10.1.2.3", id="private"),
        pytest.param("::ffff:10.1.2.3", id="private-in-ipv6"),
        pytest.param("100.64.0.1", id="shared"),
        pytest.param("169.254.1.1", id="link-local"),
        pytest.param("224.0.1.1", id="multicast"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("192.0.2.1", id="example"),
        pytest.param("fe80::1%eth0", id="scope"),
        pytest.param("2001:218::1%/../x", id="path-in-scope"),
        pytest.param("ff0e::1", id="multicast-ipv6"),
    ],
)
def test_not_public(text: str) -> None:
    """What is private, local, for many, no address or more than one is not looked up."""
    assert public_address(text) is None
