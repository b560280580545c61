"""What a webhook of Contentful says: whether it is one, and which rules to refresh."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from edgewise.errors import Unauthorized
from edgewise.secret import Secret
from edgewise.sources.contentful.settings import ContentfulSettings

SECRET_HEADER: Final = b"x-edgewise-webhook-secret"
TOPIC_HEADER: Final = b"x-contentful-topic"

_PUBLISHED: Final = frozenset({"publish", "unpublish", "delete", "archive", "unarchive"})
_DRAFTED: Final = frozenset({"create", "save", "auto_save"})

Headers = Sequence[tuple[bytes, bytes]]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What changed in a space.

    Args:
        action: such as "publish"; empty where the webhook does not say.
        space: its id; empty where the webhook does not say, which may be any.
        of_entry: whether it is an entry that changed, or may be.
    """

    action: str = ""
    space: str = ""
    of_entry: bool = True


def verify_webhook(headers: Headers, secret: Secret) -> None:
    """Return if a webhook brought the secret; the time this takes does not tell how much of it.

    Errors: Unauthorized, also where no secret is configured.
    """
    brought = _header(headers, SECRET_HEADER)
    expected = secret.reveal().encode()
    if not (hmac.compare_digest(brought, expected) and expected):
        raise Unauthorized("The secret of the webhook is missing or wrong.")


def read_webhook(headers: Headers, body: bytes) -> Notice:
    """Return what a webhook is about; what it does not say in a form known here stays open.

    Shape: people may give the body a form of their own, so nothing in it is required.
    """
    topic = _header(headers, TOPIC_HEADER).decode("ascii", "replace").split(".")
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        payload = None
    sys = payload.get("sys") if isinstance(payload, dict) else None
    return Notice(
        action=topic[2] if len(topic) == 3 else "",
        space=_linked_id(sys, "space"),
        of_entry=len(topic) < 2 or topic[1] == "Entry",
    )


def concerns(notice: Notice, settings: ContentfulSettings) -> bool:
    """Return whether what changed may be part of these rules.

    Any entry may be: that of a variant which appears or goes decides whether an experience is
    served. Drafts only matter to a preview. The environment is not compared: a webhook names the
    one that changed, settings may name an alias of it.
    """
    if not notice.of_entry:
        return False
    actions = _PUBLISHED | _DRAFTED if settings.preview else _PUBLISHED
    return notice.action in ("", *actions) and notice.space in ("", settings.space)


def _header(headers: Headers, name: bytes) -> bytes:
    return next((value for key, value in headers if key.lower() == name), b"")


def _linked_id(sys: Any, name: str) -> str:
    try:
        linked = sys[name]["sys"]["id"]
    except (KeyError, TypeError):
        return ""
    return linked if isinstance(linked, str) else ""
