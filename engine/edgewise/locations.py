"""Where the visitor is, as the sender of an event says."""

from __future__ import annotations

from edgewise.countries import COUNTRY_CODES
from edgewise.model.event import Coordinates as SentCoordinates
from edgewise.model.event import EventLocation
from edgewise.model.profiles import Coordinates, Location
from edgewise.values import number_of

_TEXT_MEMBERS = ("city", "postal_code", "region", "region_code", "country", "continent", "timezone")

_EMPTY_MEMBERS = (
    "",
    *(SentCoordinates(latitude=x, longitude=y) for x in (None, "") for y in (None, "")),
)


def fold_location(location: Location, sent: EventLocation) -> list[str]:
    """Overwrite the members of a profile's location that the sender gave; return their names.

    A member that is absent, empty or unusable leaves what was known: coordinates count only as a
    pair of finite degrees in range, a country code only if clients accept it in an answer.

    Source: `context.location` is merged with the location that is already known.
    """
    given = []
    for name in _TEXT_MEMBERS:
        value = getattr(sent, name)
        if value:
            setattr(location, name, value)
            given.append(name)
    if sent.country_code in COUNTRY_CODES:
        location.country_code = sent.country_code
        given.append("country_code")
    coordinates = _parse_coordinates(sent.coordinates)
    if coordinates is not None:
        location.coordinates = coordinates
        given.append("coordinates")
    return given


def asks_no_location(sent: EventLocation) -> bool:
    """Whether the sender asks that no location is looked up: it sent members, and all are empty.

    A location without any member asks nothing.

    Source: old client libraries get a location unless they send every member empty.
    """
    members = [getattr(sent, name) for name in sent.__struct_fields__]
    given = [member for member in members if member is not None]
    return bool(given) and all(member in _EMPTY_MEMBERS for member in given)


def _parse_coordinates(coordinates: SentCoordinates | str | None) -> Coordinates | None:
    if not isinstance(coordinates, SentCoordinates):
        return None
    latitude = _parse_degrees(coordinates.latitude, limit=90.0)
    longitude = _parse_degrees(coordinates.longitude, limit=180.0)
    if latitude is None or longitude is None:
        return None
    return Coordinates(latitude=latitude, longitude=longitude)


def _parse_degrees(sent: float | str | None, limit: float) -> float | None:
    """Degrees from -limit to limit, both ends included, or None for anything else."""
    degrees = number_of(sent)
    return float(degrees) if degrees is not None and -limit <= degrees <= limit else None
