"""Raw path → profile route, without a regular expression and before any percent-decoding."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from starlette.types import Scope

from edgewise.decoding import MAX_ID_LENGTH, check_id
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
    path = raw_path(scope)
    front, _, last = path.rpartition(b"/")
    if names := _match_collection(front):
        return ProfileRoute(names[0], names[1], last or None)
    if names := _match_collection(path):
        return ProfileRoute(*names, None)
    if not last:
        front, _, last = front.rpartition(b"/")
        if last and (names := _match_collection(front)):
            return ProfileRoute(*names, last)
    return None


def parse_profile_id(raw_id: bytes) -> str:
    """Return the id that a path segment spells.

    Errors: InvalidData for other than UTF-8, for control characters and for excessive length.
    """
    if raw_id.isalnum() and len(raw_id) <= MAX_ID_LENGTH:
        return raw_id.decode()
    text = _text_of(raw_id)
    check_id(text, "profileId")
    return text


def _match_collection(path: bytes) -> tuple[str, str] | None:
    """The organization and the environment whose profiles lie below a path."""
    return _split_again(path) if len(path) <= _LONGEST_KEPT else _split(path)


def _split(path: bytes) -> tuple[str, str] | None:
    match path.split(b"/"):
        case [b"", b"v2", b"organizations", org, b"environments", env, b"profiles"] if org and env:
            return _text_of(org), _text_of(env)
    return None


# An environment is the same few bytes in front of every id.
_LONGEST_KEPT = 256
_split_again = lru_cache(maxsize=256)(_split)


def _text_of(segment: bytes) -> str:
    try:
        return (unquote_to_bytes(segment) if b"%" in segment else segment).decode()
    except UnicodeDecodeError:
        raise InvalidData("path: not UTF-8") from None


def raw_path(scope: Scope) -> bytes:
    """Return the path of a request below where the application is mounted, percent-encoded."""
    # Encoding what the server decoded makes it ASCII again, and %2F was lost before.
    raw: bytes = scope.get("raw_path") or quote(scope["path"], errors="surrogatepass").encode()
    root: str = scope.get("root_path", "")
    if root and raw.startswith(prefix := quote(root, errors="surrogatepass").encode() + b"/"):
        return raw[len(prefix) - 1 :]
    return raw
