"""Where a space is and how to read it: the `contentful` object of a rule document.

Tokens and secrets never stand in rule files; those name the environment variables that hold them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from edgewise.errors import Fault, RulesError
from edgewise.model.document import RuleDocument
from edgewise.parsing import FaultList, is_number, pointer_join
from edgewise.secret import Secret

KEYS: Final = (
    *("space", "environment", "preview", "base url"),
    *("token variable", "webhook secret variable", "seconds between polls"),
)
DELIVERY_URL: Final = "https://cdn.contentful.com"
PREVIEW_URL: Final = "https://preview.contentful.com"
TOKEN_VARIABLE: Final = "CONTENTFUL_TOKEN"
WEBHOOK_SECRET_VARIABLE: Final = "CONTENTFUL_WEBHOOK_SECRET"
POLL_S: Final = 60.0

# Ids become part of paths and of file names.
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class ContentfulSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of one space.

    Args:
        token: of the delivery API, for a preview of the preview API.
        preview: whether drafts count; they come from another host, with another token.
        base_url: scheme and host; empty for the public one.
        webhook_secret: what webhooks must bring; without one all are refused.
    """

    space: str
    token: Secret
    environment: str = "master"
    preview: bool = False
    base_url: str = ""
    webhook_secret: Secret = Secret("")
    poll_s: float = POLL_S

    @property
    def name(self) -> str:
        """The source as faults and people call it."""
        kind = "contentful-preview" if self.preview else "contentful"
        return f"{kind}:{self.space}/{self.environment}"

    @property
    def url(self) -> str:
        """Where requests go: the environment's root, without a slash at its end."""
        base = self.base_url or (PREVIEW_URL if self.preview else DELIVERY_URL)
        return f"{base.rstrip('/')}/spaces/{self.space}/environments/{self.environment}"


def find_settings(
    documents: Iterable[RuleDocument], variables: Mapping[str, str] | None = None
) -> ContentfulSettings | None:
    """Return what the documents of one environment say about a space, None where they do not.

    Args:
        variables: the environment variables; the process's own where None.
    Errors: RulesError with every fault, a variable without a value among them.
    """
    known = os.environ if variables is None else variables
    settings: ContentfulSettings | None = None
    faults: list[Fault] = []
    for document in documents:
        if not isinstance(document.content, Mapping) or "contentful" not in document.content:
            continue
        found = FaultList(document.file)
        if settings is not None:
            message = "`contentful` is already said for this environment"
            found.at("/contentful", "duplicate_key", message, "keep one of them")
        settings = parse_settings(document.content["contentful"], "/contentful", found, known)
        faults += found.faults
    if faults:
        raise RulesError(faults)
    return settings


def parse_settings(
    raw: Any, pointer: str, faults: FaultList, variables: Mapping[str, str]
) -> ContentfulSettings:
    """Return the settings of a `contentful` object; faults go to the list."""
    if not isinstance(raw, Mapping):
        faults.wrong_type(pointer, "contentful", "an object", raw)
        raw = {}
    faults.unknown_keys(raw, pointer, KEYS)
    secret_variable = faults.text(raw, "webhook secret variable", pointer, WEBHOOK_SECRET_VARIABLE)
    return ContentfulSettings(
        space=_id(raw, "space", pointer, faults),
        environment=_id(raw, "environment", pointer, faults, "master"),
        preview=faults.boolean(raw, "preview", pointer, False),
        base_url=_base_url(raw, pointer, faults),
        token=_token(raw, pointer, faults, variables),
        webhook_secret=Secret(variables.get(secret_variable, "")),
        poll_s=_poll_s(raw, pointer, faults),
    )


def _id(
    raw: Mapping[Any, Any], key: str, pointer: str, faults: FaultList, default: str = ""
) -> str:
    value = faults.text(raw, key, pointer, default) if default else ""
    if not default:
        value = faults.required_text(raw, key, pointer)
    if value and not _ID.fullmatch(value):
        message = f'"{key}" has letters, digits, hyphens, underscores and dots'
        faults.at(pointer_join(pointer, key), "invalid_text", message)
    return value


def _base_url(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> str:
    url = faults.text(raw, "base url", pointer)
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        valid = plain = False
    if url and not (valid and plain):
        message = '"base url" is a scheme and a host, such as https://cdn.eu.contentful.com'
        faults.at(pointer_join(pointer, "base url"), "invalid_text", message)
    return url


def _token(
    raw: Mapping[Any, Any], pointer: str, faults: FaultList, variables: Mapping[str, str]
) -> Secret:
    variable = faults.text(raw, "token variable", pointer, TOKEN_VARIABLE)
    token = variables.get(variable, "").strip()
    if not token:
        message = f"the environment variable {variable} holds no token"
        faults.at(pointer_join(pointer, "token variable"), "token_missing", message)
    elif not (token.isascii() and token.isprintable()):
        message = f"the environment variable {variable} holds no token that a header can carry"
        faults.at(pointer_join(pointer, "token variable"), "token_missing", message)
    return Secret(token)


def _poll_s(raw: Mapping[Any, Any], pointer: str, faults: FaultList) -> float:
    key = "seconds between polls"
    value = raw.get(key)
    if value is None:
        return POLL_S
    if not is_number(value) or not 1 <= value <= 86_400:
        message = f'"{key}" must be a number from 1 to 86400'
        faults.at(pointer_join(pointer, key), "out_of_range", message)
        return POLL_S
    return float(value)
