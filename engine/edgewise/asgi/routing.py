"""Raw path → profile route, without a regular expression and before any percent-decoding."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

from edgewise.decoding import check_id
from edgewise.errors import InvalidData


class ProfileRoute(NamedTuple):
    """What a path of the profile resource names; `raw_id` is still percent-encoded."""

    organization: str
    environment: str
    raw_id: bytes | None


def match_profiles(scope: Scope) -> ProfileRoute | None:
    """Return the route of `/v2/organizations/…/environments/…/profiles[/id][/]`, else None.

    Errors: InvalidData where a name is not UTF-8.
    """
    parts = _raw_path(scope).split(b"/")
    if parts[-1] == b"" and len(parts) > 7:
        parts.pop()
    match parts:
        case [b"", b"v2", b"organizations", org, b"environments", env, b"profiles", *rest]:
            if org and env and (not rest or (len(rest) == 1 and rest[0])):
                raw_id = rest[0] if rest else None
                return ProfileRoute(_text_of(org), _text_of(env), raw_id)
    return None


def parse_profile_id(raw_id: bytes) -> str:
    """Return the id that a path segment spells.

    Errors: InvalidData for other than UTF-8, for control characters and for excessive length.
    """
    text = _text_of(raw_id)
    check_id(text, "profileId")
    return text


def _text_of(segment: bytes) -> str:
    try:
        return (unquote_to_bytes(segment) if b"%" in segment else segment).decode()
    except UnicodeDecodeError:
        raise InvalidData("path: not UTF-8") from None


def _raw_path(scope: Scope) -> bytes:
    # Encoding what the server decoded makes it ASCII again, and %2F was lost before.
    raw: bytes = scope.get("raw_path") or quote(scope["path"], errors="surrogatepass").encode()
    root: str = scope.get("root_path", "")
    if root and raw.startswith(prefix := quote(root, errors="surrogatepass").encode() + b"/"):
        return raw[len(prefix) - 1 :]
    return raw
