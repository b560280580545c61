"""Who may send events as to Klaviyo, where they go, and how many at a time."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest

import msgspec

from edgewise.asgi.rate_limits import RateLimit, parse_rate_limit
from edgewise.checks import require, require_kind
from edgewise.errors import InputError

KEYS_VARIABLE = "EDGEWISE_KLAVIYO_KEYS"
BULK_LIMIT_VARIABLE = "EDGEWISE_KLAVIYO_BULK_LIMIT"
EVENT_LIMIT_VARIABLE = "EDGEWISE_KLAVIYO_EVENT_LIMIT"
MERGE_VARIABLE = "EDGEWISE_KLAVIYO_MERGE"

WRITING_SCOPE = "events:write"


class KlaviyoKey(msgspec.Struct, frozen=True):
    """A private key and the environment that it writes to.

    The key itself is not kept, so that nothing can print it.

    Args:
        scopes: what it may be used for; events need `events:write`.
    """

    digest: bytes
    organization: str
    environment: str
    scopes: frozenset[str] = frozenset({WRITING_SCOPE})


class KlaviyoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set about the endpoints that are Klaviyo's.

    Args:
        bulk_limit, event_limit: per key, of this process; None sets no limit.
        merges: whether two profiles become one where the identifiers of a person lead to both.
    Errors: SettingsError for what cannot be.
    """

    keys: tuple[KlaviyoKey, ...] = ()
    bulk_limit: RateLimit | None = None
    event_limit: RateLimit | None = None
    merges: bool = False

    def __post_init__(self) -> None:
        keys: object = self.keys
        holds = isinstance(keys, tuple) and all(isinstance(key, KlaviyoKey) for key in keys)
        # What is wrong about them may be that they are the keys themselves, which nothing prints.
        require(holds, "keys", "a tuple of what `klaviyo_key` returns", type(keys).__name__)
        for name in ("bulk_limit", "event_limit"):
            if getattr(self, name) is not None:
                require_kind(self, RateLimit, "a RateLimit or None", name)
        require_kind(self, bool, "True or False", "merges")


def klaviyo_key(
    key: str, organization: str, environment: str, scopes: frozenset[str] | None = None
) -> KlaviyoKey:
    """Return a key that may be used.

    Args:
        scopes: what for; None stands for what is needed to send events.
    """
    granted = frozenset({WRITING_SCOPE}) if scopes is None else scopes
    return KlaviyoKey(_digest(key.encode()), organization, environment, granted)


def find_key(keys: tuple[KlaviyoKey, ...], given: bytes) -> KlaviyoKey | None:
    """Return the configured key that a caller gives, or None.

    Cost: always that of all keys, so that the time tells nothing about any of them.
    """
    digest = _digest(given)
    found = None
    for key in keys:
        if compare_digest(digest, key.digest):
            found = key
    return found


def read_klaviyo_settings(variables: Mapping[str, str], workers: int = 1) -> KlaviyoSettings:
    """Return the settings that environment variables make.

    Args:
        workers: processes that share the work, and the limits.
    Errors: InputError that names the variable, and never a key.
    """
    bulk = parse_rate_limit(variables.get(BULK_LIMIT_VARIABLE, ""), BULK_LIMIT_VARIABLE)
    single = parse_rate_limit(variables.get(EVENT_LIMIT_VARIABLE, ""), EVENT_LIMIT_VARIABLE)
    return KlaviyoSettings(
        keys=_parse_keys(variables.get(KEYS_VARIABLE, "")),
        bulk_limit=bulk and bulk.divided_by(workers),
        event_limit=single and single.divided_by(workers),
        merges=_parse_switch(variables.get(MERGE_VARIABLE, ""), MERGE_VARIABLE),
    )


def _parse_keys(text: str) -> tuple[KlaviyoKey, ...]:
    keys = []
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        key, _, place = entry.partition(":")
        names, _, scopes = place.partition(":")
        organization, _, environment = names.partition("/")
        if not (key and organization and environment) or "/" in environment:
            raise InputError(
                f"{KEYS_VARIABLE}: entry {number} is not key:organization/environment"
                " or key:organization/environment:scope+scope"
            )
        granted = frozenset(scopes.split("+")) if scopes else None
        keys.append(klaviyo_key(key, organization, environment, granted))
    if len({key.digest for key in keys}) < len(keys):
        raise InputError(f"{KEYS_VARIABLE}: a key stands in it twice")
    return tuple(keys)


def _parse_switch(text: str, name: str) -> bool:
    if text not in ("", "0", "1"):
        raise InputError(f"{name}: expected 1 or 0")
    return text == "1"


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
