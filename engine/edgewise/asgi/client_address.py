"""The address that a request comes from, behind the proxies that are known to be there.

Headers are what anybody may send. They count only as far as it is configured who writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

import msgspec
from starlette.types import Scope

from edgewise.checks import require, require_whole
from edgewise.errors import InputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NOBODY: Final = "none"
MAX_PROXIES: Final = 16

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

_FORWARDED_FOR: Final = b"x-forwarded-for"
_FORCED: Final = b"x-force-ip"
# An address with a port, brackets and a zone has less.
_LONGEST: Final = 128


class AddressSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word is taken for where a request comes from.

    Args:
        trusted_proxies: how many proxies there are in front, each of which adds to
            `X-Forwarded-For` whom it has been called by.
        force_ip_from: who may name another address in `X-Force-IP`: a server that renders pages for
            visitors, and calls in their place.
    Errors: SettingsError for what cannot be.
    """

    trusted_proxies: int = 0
    force_ip_from: tuple[Network, ...] = LOOPBACK

    def __post_init__(self) -> None:
        require_whole(self, 0, "trusted_proxies")
        few = f"at most {MAX_PROXIES} proxies"
        require(
            self.trusted_proxies <= MAX_PROXIES, "trusted_proxies", few, f"{self.trusted_proxies}"
        )
        networks: object = self.force_ip_from
        holds = isinstance(networks, tuple) and all(isinstance(one, Network) for one in networks)
        expected = 'networks, such as (ip_network("10.0.0.0/8"),)'
        require(holds, "force_ip_from", expected, repr(networks))


def client_address(scope: Scope, settings: AddressSettings) -> Address | None:
    """Return the address of whoever sent a request, None where it is not known.

    The connection's peer is the sender. With N trusted proxies it is the N-th entry of
    `X-Forwarded-For` from the right: entries to the left of it were there before, and may be made
    up. A chain of fewer entries did not come through all of the proxies, so the peer is the sender
    again. What the sender says in `X-Force-IP` counts if it is one that may, and no proxy that is
    not counted has passed it on. An entry that is no address makes the sender unknown.
    """
    chain = b",".join(value for key, value in scope["headers"] if key == _FORWARDED_FOR)
    entries = chain.rsplit(b",", settings.trusted_proxies) if chain else []
    counted = 0 < settings.trusted_proxies <= len(entries)
    sender = parse_address(entries[-settings.trusted_proxies]) if counted else _peer(scope)
    # Behind a proxy that is not counted, the peer is that proxy, and the header may be anybody's.
    if sender is None or not settings.force_ip_from or (entries and not counted):
        return sender
    forced = _last(scope, _FORCED).strip()
    if forced and any(sender in network for network in settings.force_ip_from):
        return parse_address(forced)
    return sender


def parse_address(text: bytes) -> Address | None:
    """Return the address that a header or a connection names, None where it names none.

    A port, brackets, quotes and a zone are left out, and an IPv4 address that is written as an IPv6
    one is what it is.
    """
    if len(text) > _LONGEST:
        return None
    written = text.decode("latin-1").strip().strip('"')
    if written.startswith("["):
        written = written[1:].partition("]")[0]
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    try:
        address = ip_address(written.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def parse_force_ip_from(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return who may send `X-Force-IP`: this machine and the networks, or nobody for "none".

    Errors: InputError for what is no network.
    """
    if NOBODY in texts:
        if len(texts) > 1:
            raise InputError(f"--force-ip-from: {NOBODY} stands alone")
        return ()
    return (*LOOPBACK, *map(_parse_network, texts))


def _parse_network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise InputError(
            f"--force-ip-from: {error}; expected a network such as 10.0.0.0/8, or {NOBODY}"
        ) from None


def _peer(scope: Scope) -> Address | None:
    peer = scope.get("client")
    return parse_address(str(peer[0]).encode()) if peer else None


def _last(scope: Scope, name: bytes) -> bytes:
    """The last header of a name: what stands before may have been there when a server added it."""
    found = b""
    for key, value in scope["headers"]:
        if key == name:
            found = value
    return found
