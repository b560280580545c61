"""How firmographics are looked up: what the environment variables say, and their defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from edgewise.enrich.albacross import PATH, PLACE, URL, AlbacrossSettings
from edgewise.errors import InputError
from edgewise.secret import Secret

KEY_VARIABLE: Final = "EDGEWISE_ALBACROSS_KEY"
URL_VARIABLE: Final = "EDGEWISE_ALBACROSS_URL"
TRAIT_VARIABLE: Final = "EDGEWISE_FIRMOGRAPHICS_TRAIT"
MODE_VARIABLE: Final = "EDGEWISE_FIRMOGRAPHICS_MODE"
DEADLINE_VARIABLE: Final = "EDGEWISE_FIRMOGRAPHICS_DEADLINE_MS"
CACHE_VARIABLE: Final = "EDGEWISE_FIRMOGRAPHICS_CACHE"

WAIT: Final = "wait"
LATER: Final = "later"
MODES: Final = (WAIT, LATER)

MAX_DEADLINE_MS: Final = 5_000
MAX_CACHE_ENTRIES: Final = 10_000_000

_TRAIT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_HTTP_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?(?:/(?:[A-Za-z0-9._~/-]|\{ipv4\})*)?"
)


class FirmographicsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set about looking up companies.

    Args:
        albacross: how to ask Albacross; None where an application brings another provider.
        trait: under which name a profile gets its company.
        mode: `wait` for the company before the answer, or have it `later`, in the next one.
        deadline_ms: how long an update waits at most.
        cache_entries: of how many addresses the answers are kept.
        found_s, nothing_s, fault_s: how long is kept which company there is, that there is none,
            and that there was no answer.
        request_s: how long a question may take that nobody waits for any more.
        max_requests: how many questions may be under way.
    """

    albacross: AlbacrossSettings | None = None
    trait: str = "albacross"
    mode: str = WAIT
    deadline_ms: int = 300
    cache_entries: int = 100_000
    found_s: float = 7 * 86_400.0
    nothing_s: float = 86_400.0
    fault_s: float = 60.0
    request_s: float = 5.0
    max_requests: int = 32


_DEFAULTS: Final = FirmographicsSettings()


def read_firmographics_settings(variables: Mapping[str, str]) -> FirmographicsSettings | None:
    """Return the settings that environment variables make, None where there is no key.

    Errors: InputError that names the variable and what it may be, and never shows the key.
    """
    key = variables.get(KEY_VARIABLE, "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise InputError(
            f"{KEY_VARIABLE}: expected the key alone, without spaces, as a header has it"
        )
    return FirmographicsSettings(
        albacross=AlbacrossSettings(key=Secret(key), url=_url(variables)),
        trait=_trait(variables),
        mode=_mode(variables),
        deadline_ms=_whole(variables, DEADLINE_VARIABLE, _DEFAULTS.deadline_ms, MAX_DEADLINE_MS),
        cache_entries=_whole(variables, CACHE_VARIABLE, _DEFAULTS.cache_entries, MAX_CACHE_ENTRIES),
    )


def _url(variables: Mapping[str, str]) -> str:
    url = variables.get(URL_VARIABLE, "").strip() or URL
    if not _is_usable(url):
        raise InputError(
            f"{URL_VARIABLE}: expected a scheme, a host and a path, such as {URL};"
            f" without {PLACE} in it, {PATH} is added"
        )
    return url if PLACE in url else f"{url.rstrip('/')}{PATH}"


def _is_usable(url: str) -> bool:
    try:
        # Raises for a port or an IPv6 host that cannot be.
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0 and _HTTP_URL.fullmatch(url) is not None


def _trait(variables: Mapping[str, str]) -> str:
    trait = variables.get(TRAIT_VARIABLE, "").strip() or _DEFAULTS.trait
    if not _TRAIT.fullmatch(trait):
        raise InputError(
            f"{TRAIT_VARIABLE}: expected up to 64 letters, digits, underscores and hyphens,"
            " a letter or an underscore first"
        )
    return trait


def _mode(variables: Mapping[str, str]) -> str:
    mode = variables.get(MODE_VARIABLE, "").strip() or _DEFAULTS.mode
    if mode not in MODES:
        raise InputError(f"{MODE_VARIABLE}: expected {' or '.join(MODES)}")
    return mode


def _whole(variables: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = variables.get(name, "").strip()
    if not text:
        return default
    if not _NUMBER.fullmatch(text) or int(text) > most:
        raise InputError(f"{name}: expected a whole number from 1 to {most}")
    return int(text)
