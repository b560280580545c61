"""The addresses that are worth asking others about."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def public_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text spells, None where it is none of the public internet.

    An IPv4 address that is written as an IPv6 one counts as what it is.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        address = address.ipv4_mapped or address
    return address if address.is_global and not address.is_multicast else None
