"""Addresses that can lead to a place, and those that cannot."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.enrich.addresses import is_public


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1.0.0.0", id="first"),
        pytest.param("9.255.255.255", id="before-private"),
        pytest.param("11.0.0.0", id="behind-private"),
        pytest.param("172.15.255.255", id="before-the-second-private"),
        pytest.param("172.32.0.0", id="behind-the-second-private"),
        pytest.param("223.255.255.255", id="last"),
        pytest.param("2001:200::", id="first-of-version-6"),
        pytest.param("2a00:1450::1", id="version-6"),
        pytest.param("3ffe:ffff::1", id="late-in-version-6"),
    ],
)
def test_public(text: str) -> None:
    """What lies right beside a reserved network is public."""
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0.0.0.0", id="unspecified"),
        pytest.param("10.0.0.0", id="private"),
        pytest.param("10.255.255.255", id="end-of-private"),
        pytest.param("100.64.0.1", id="behind-a-carrier"),
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("169.254.1.1", id="link"),
        pytest.param("172.16.0.1", id="second-private"),
        pytest.param("192.0.2.1", id="example"),
        pytest.param("192.168.1.1", id="third-private"),
        pytest.param("224.0.0.1", id="multicast"),
        pytest.param("255.255.255.255", id="broadcast"),
        pytest.param("::", id="unspecified-of-version-6"),
        pytest.param("::1", id="loopback-of-version-6"),
        pytest.param("::ffff:8.8.8.8", id="mapped"),
        pytest.param("2001:db8::1", id="example-of-version-6"),
        pytest.param("2002:808:808::1", id="tunnel"),
        pytest.param("fd00::1", id="private-of-version-6"),
        pytest.param("fe80::1%eth0", id="link-of-version-6"),
        pytest.param("ff02::1", id="multicast-of-version-6"),
    ],
)
def test_not_public(text: str) -> None:
    """Private, local, shared and exemplary addresses are nobody's place."""
    assert not is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_version_4_agrees_with_the_standard_library(address: IPv4Address) -> None:
    """An IPv4 address is public where it is global and no group, a few service addresses aside."""
    if address not in IPv4Network("192.0.0.0/24"):
        assert is_public(address) is (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=6))
def test_public_version_6_is_global(address: IPv6Address) -> None:
    """No IPv6 address is public that the standard library knows as private."""
    assert not is_public(address) or address.is_global
