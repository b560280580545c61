"""Requests to Klaviyo's event endpoints, made of as little as a test needs to say."""

from __future__ import annotations

from typing import Any

NOW_MS = 1_790_000_000_000
BLOCKS = "/data/attributes/events-bulk-create/data"


def metric_of(name: Any, **attributes: Any) -> dict[str, Any]:
    """Return a metric of a name."""
    return {"data": {"type": "metric", "attributes": {"name": name, **attributes}}}


def event(name: Any = "Placed Order", **attributes: Any) -> dict[str, Any]:
    """Return an event of a metric; further members are attributes."""
    resource = metric_of(name)
    return {"type": "event", "attributes": {"properties": {}, "metric": resource, **attributes}}


def person(*, id: str | None = None, meta: Any = None, **attributes: Any) -> dict[str, Any]:  # noqa: A002
    """Return a profile; without any identifier it has an email address."""
    identifiers = {"email", "phone_number", "external_id", "anonymous_id", "_kx"}
    if id is None and not identifiers & attributes.keys():
        attributes["email"] = "ann@shop.example"
    members = {"type": "profile", "id": id, "attributes": attributes, "meta": meta}
    return {"data": {name: value for name, value in members.items() if value is not None}}


def block(*events: dict[str, Any], profile: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a block of one person's events."""
    attributes = {"profile": profile or person(), "events": {"data": list(events)}}
    return {"type": "event-bulk-create", "attributes": attributes}


def bulk(*blocks: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a request to create events in bulk."""
    attributes = {"events-bulk-create": {"data": list(blocks)}}
    return {"data": {"type": "event-bulk-create-job", "attributes": attributes}}


def single(profile: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """Return the body of a request to create one event."""
    made = event(**attributes)
    made["attributes"]["profile"] = profile or person()
    return {"data": made}
