"""What can be found out for a request: where its sender is, on what device, and of which company.

Nothing here keeps an address. What was found becomes part of the events (`edgewise.carrying`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Protocol

import msgspec

from edgewise.decoding import Update
from edgewise.devices import ClientHints, device_class
from edgewise.enrich.firmographics import Firmographics
from edgewise.enrich.geo_following import GeoFollower
from edgewise.enrich.geo_mapping import FoundLocation
from edgewise.enrich.public_addresses import public_address
from edgewise.fold import consent_of
from edgewise.locations import asks_no_location
from edgewise.model.event import Coordinates, Event, EventLocation, Library, Resolved

LOCATION_FEATURE = "location"
COMPANY_FEATURE = "ip-enrichment"

_ASKING_LIBRARIES = "Ninetailed"
_VERSION = re.compile(r"v?([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.([0-9]{1,9}))?(-)?")
_FIRST_TO_SAY = (3, 14, 0)

Address = IPv4Address | IPv6Address


class Sender(Protocol):
    """Who sent a request; asked only for what is needed."""

    def address(self) -> Address | None:
        """Return the address of the visitor's device, None where it is not known."""
        ...

    def hints(self) -> ClientHints | None:
        """Return what the request says of the device, None where it says nothing."""
        ...


class Enricher:
    """Finds out what a request asks for, as far as there is something to find it with.

    Args:
        geo: finds locations; None finds none. Started and stopped here.
        firmographics: finds companies; None finds none. Closed here.
    """

    def __init__(
        self, geo: GeoFollower | None = None, firmographics: Firmographics | None = None
    ) -> None:
        self._geo = geo
        self._firmographics = firmographics

    def start(self) -> None:
        """Begin to follow the databases of locations."""
        if self._geo:
            self._geo.start()

    async def stop(self) -> None:
        """Let go of databases and connections."""
        if self._geo:
            await self._geo.stop()
        if self._firmographics:
            await self._firmographics.close()

    def status(self) -> dict[str, Any]:
        """Return what an operator wants to know, of what there is."""
        status: dict[str, Any] = {}
        if self._geo:
            status["location"] = msgspec.to_builtins(self._geo.status())
        if self._firmographics:
            status["firmographics"] = self._firmographics.status()
        return status

    def locate(self, address: str) -> Resolved | None:
        """Return where an address is, for a visitor of whom no place is known.

        None where it is no address or nothing is known of it.
        """
        known = public_address(address) if self._geo else None
        found = self._geo.find(known) if self._geo and known else None
        return _with_location(Resolved(fills=True), found) if found else None

    def find(self, update: Update, sender: Sender, *, respects_refusal: bool) -> Resolved | None:
        """Return what is found at once: location and device. None where nothing was.

        Args:
            respects_refusal: whether events that refuse consent keep the address from being used.
        """
        found = None
        if self._geo and wants_location(update) and _allows(update, respects_refusal):
            address = sender.address()
            found = self._geo.find(address) if address else None
        hints = sender.hints()
        device = _hinted_device(update, hints) if hints else None
        if found is None and device is None:
            return None
        resolved = Resolved(device=device)
        return _with_location(resolved, found) if found else resolved

    def wants_company(self, update: Update, *, respects_refusal: bool) -> bool:
        """Return whether a company shall be found and can be."""
        return (
            self._firmographics is not None
            and COMPANY_FEATURE in update.features
            and _allows(update, respects_refusal)
        )

    async def with_company(
        self, resolved: Resolved | None, sender: Sender, *, keep: bool
    ) -> Resolved | None:
        """Return what was found, with the company where there is one.

        Args:
            keep: False for a preflight request, which leaves nothing behind.
        Cost: the deadline of the firmographics at most.
        """
        address = sender.address()
        if self._firmographics is None or address is None:
            return resolved
        company = await self._firmographics.company_of(str(address), keep=keep)
        if company is None:
            return resolved
        resolved = resolved or Resolved()
        resolved.traits = {self._firmographics.settings.trait: company}
        return resolved


def wants_location(update: Update) -> bool:
    """Return whether a request asks for its sender's location.

    Source: the feature `location`; and client libraries of a time before there were features, which
        rely on being located. Both say with members that are all empty that they do not want it.
    """
    if LOCATION_FEATURE not in update.features and not _has_old_library(update.events):
        return False
    locations = (event.context.location for event in update.events if event.context)
    return not any(sent is not None and asks_no_location(sent) for sent in locations)


def _has_old_library(events: Iterable[Event]) -> bool:
    libraries = (event.context.library for event in events if event.context)
    return any(library is not None and _is_old(library) for library in libraries)


def _is_old(library: Library) -> bool:
    """Whether a client library is older than version 3.14, in the order of Semantic Versioning."""
    if not (library.name and library.name.startswith(_ASKING_LIBRARIES) and library.version):
        return False
    match = _VERSION.match(library.version.strip())
    if match is None:
        return False
    major, minor, patch, early = match.groups(default="")
    version = (int(major), int(minor or 0), int(patch or 0))
    return version < _FIRST_TO_SAY or (version == _FIRST_TO_SAY and early == "-")


def _allows(update: Update, respects_refusal: bool) -> bool:
    """Whether the address may be used: not where any event refuses it."""
    return not (respects_refusal and False in map(consent_of, update.events))


def _hinted_device(update: Update, hints: ClientHints) -> str | None:
    """The class of device that hints tell, where the user agent alone tells another one."""
    contexts = (event.context for event in reversed(update.events) if event.context)
    agent = next((context.user_agent for context in contexts if context.user_agent), None)
    device = device_class(agent, hints)
    return device if device != device_class(agent) else None


def _with_location(resolved: Resolved, found: FoundLocation) -> Resolved:
    location = found.location
    coordinates = location.coordinates
    resolved.city_names = dict(found.city_names) or None
    resolved.location = EventLocation(
        coordinates=Coordinates(latitude=coordinates.latitude, longitude=coordinates.longitude)
        if coordinates
        else None,
        city=location.city,
        postal_code=location.postal_code,
        region=location.region,
        region_code=location.region_code,
        country=location.country,
        country_code=location.country_code,
        continent=location.continent,
        timezone=location.timezone,
    )
    return resolved
