"""Links that show one variant on purpose: signed tokens that expire. Pure: the time is given.

A token is `payload.signature`, both in base64 for addresses. The payload is the JSON list
[organization, environment, experience, variant index, expiry in seconds since 1970], the signature
the HMAC-SHA256 of a fixed prefix and the payload's text.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from edgewise.model.forced import ForcedVariant

PARAMETER: Final = "edgewise_preview"

EXPIRED: Final = "expired"
FORGED: Final = "forged"
OTHER_ENVIRONMENT: Final = "other environment"

_PURPOSE: Final = b"edgewise preview 1\n"
_MAX_LENGTH: Final = 4096


class Preview(msgspec.Struct, frozen=True, array_like=True):
    """What a token allows.

    Units: `expires_s` is in seconds since 1970; from then on the token is refused.
    """

    organization: str
    environment: str
    experience_id: str
    variant_index: int
    expires_s: int


_DECODER = msgspec.json.Decoder(Preview)


def sign_preview(preview: Preview, secret: str) -> str:
    """Return the token of a preview, safe inside an address.

    Errors: ValueError for an empty secret, with which anyone could sign.
    """
    if not secret:
        raise ValueError("an empty secret signs nothing")
    payload = urlsafe_b64encode(msgspec.json.encode(preview)).rstrip(b"=")
    return b".".join((payload, _signature(payload, secret))).decode()


def read_preview(
    token: str, secret: str, organization: str, environment: str, now_ms: int
) -> ForcedVariant | str:
    """Return what a token forces in this environment at this time, or in a word or two why nothing.

    How long the comparison takes tells nothing about the right signature.
    """
    payload, _, signature = token.encode(errors="replace").partition(b".")
    valid = hmac.compare_digest(signature, _signature(payload, secret))
    if not valid or not secret or len(token) > _MAX_LENGTH:
        return FORGED
    padded = payload + b"=" * (-len(payload) % 4)
    # It was signed with the secret, so that it is what `sign_preview` made.
    preview = _DECODER.decode(urlsafe_b64decode(padded))
    if (preview.organization, preview.environment) != (organization, environment):
        return OTHER_ENVIRONMENT
    if now_ms >= preview.expires_s * 1000:
        return EXPIRED
    return ForcedVariant(preview.experience_id, preview.variant_index)


def add_token(url: str, token: str) -> str:
    """Return an address with the token as a query parameter, in the place of an earlier one."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    others = [(name, value) for name, value in pairs if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*others, (PARAMETER, token)])))


def find_token(url: str) -> str:
    """Return the token that an address carries, empty without one."""
    if PARAMETER not in url:
        return ""
    try:
        query = urlsplit(url).query
    except ValueError:
        return ""
    return next((value for name, value in parse_qsl(query) if name == PARAMETER), "")


def _signature(payload: bytes, secret: str) -> bytes:
    digest = hmac.digest(secret.encode(), _PURPOSE + payload, "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=")
