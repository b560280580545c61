"""Which addresses of the internet protocol can lead to a place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
)

# What is private, local, a multicast group, meant for examples, or not given to anybody.
_RESERVED_V4 = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
"""
# Visitors come from 2000::/3 only. Of that, tunnels over IPv4 and addresses for examples lead
# nowhere either.
_RESERVED_V6 = "::/3 2001::/23 2001:db8::/32 2002::/16 3fff::/20 4000::/2 8000::/1"


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address may be that of a visitor somewhere on the public internet.

    An IPv4 address that is written as an IPv6 one is not public here: unwrap it first.

    Cost: a fifth of a microsecond; the attributes of `ipaddress` take many times that.
    Source: the registries of special-purpose addresses that RFC 6890 began.
    """
    bounds = _BOUNDS_V4 if isinstance(address, IPv4Address) else _BOUNDS_V6
    return not bisect_right(bounds, int(address)) & 1


def _bounds(networks: Iterable[IPv4Network] | Iterable[IPv6Network]) -> list[int]:
    """First numbers in and behind each run of networks: those in a run have an odd count below."""
    bounds = []
    for network in networks:
        first = int(network.network_address)
        bounds += [first, first + network.num_addresses]
    return bounds


_BOUNDS_V4 = _bounds(collapse_addresses(map(IPv4Network, _RESERVED_V4.split())))
_BOUNDS_V6 = _bounds(collapse_addresses(map(IPv6Network, _RESERVED_V6.split())))
