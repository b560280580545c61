"""Keys and limits from environment variables."""

from __future__ import annotations

import pytest

from edgewise.asgi.klaviyo_settings import (
    BULK_LIMIT_VARIABLE,
    EVENT_LIMIT_VARIABLE,
    KEYS_VARIABLE,
    MERGE_VARIABLE,
    KlaviyoSettings,
    find_key,
    klaviyo_key,
    read_klaviyo_settings,
)
from edgewise.asgi.rate_limits import RateLimit
from edgewise.errors import InputError


def test_nothing_is_set() -> None:
    """Without variables nobody has a key and nothing is limited."""
    assert read_klaviyo_settings({}) == KlaviyoSettings()


def test_keys() -> None:
    """Each entry is a key and the environment it writes to, perhaps with its scopes."""
    text = (
        "pk_demo:demo/main, pk_other:acme/prod:events:read+events:write,pk_r:acme/prod:events:read"
    )
    settings = read_klaviyo_settings({KEYS_VARIABLE: text})
    assert settings.keys == (
        klaviyo_key("pk_demo", "demo", "main"),
        klaviyo_key("pk_other", "acme", "prod", frozenset({"events:read", "events:write"})),
        klaviyo_key("pk_r", "acme", "prod", frozenset({"events:read"})),
    )


def test_limits_are_shared() -> None:
    """Each worker has its share of the limits."""
    variables = {BULK_LIMIT_VARIABLE: "10/s,150/m", EVENT_LIMIT_VARIABLE: "350/s,3500/m"}
    settings = read_klaviyo_settings(variables, workers=2)
    assert settings.bulk_limit == RateLimit(5, 75)
    assert settings.event_limit == RateLimit(175, 1750)


def test_merge() -> None:
    """Merging is off until it is switched on."""
    assert read_klaviyo_settings({MERGE_VARIABLE: "1"}).merges
    assert not read_klaviyo_settings({MERGE_VARIABLE: "0"}).merges


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param(KEYS_VARIABLE, "pk_secret", id="key-alone"),
        pytest.param(KEYS_VARIABLE, "pk_secret:demo", id="no-environment"),
        pytest.param(KEYS_VARIABLE, "pk_secret:demo/main/x", id="too-long"),
        pytest.param(KEYS_VARIABLE, "pk_a:demo/main,pk_secret:/main", id="no-organization"),
        pytest.param(KEYS_VARIABLE, "pk_secret:a/b,pk_secret:c/d", id="twice"),
        pytest.param(BULK_LIMIT_VARIABLE, "10", id="limit"),
        pytest.param(EVENT_LIMIT_VARIABLE, "10", id="other-limit"),
        pytest.param(MERGE_VARIABLE, "yes", id="switch"),
    ],
)
def test_fault(name: str, text: str) -> None:
    """What cannot be understood is refused by its variable's name, without telling a key."""
    with pytest.raises(InputError, match=f"^{name}: ") as caught:
        read_klaviyo_settings({name: text})
    assert "pk_secret" not in str(caught.value)


def test_key_is_found() -> None:
    """A caller's key is found among all, and nothing else is."""
    keys = (klaviyo_key("pk_a", "a", "main"), klaviyo_key("pk_b", "b", "main"))
    found = find_key(keys, b"pk_b")
    assert found is not None
    assert found.organization == "b"
    assert find_key(keys, b"pk_c") is None
    assert find_key(keys, b"") is None
    assert find_key((), b"pk_a") is None


def test_key_is_not_told() -> None:
    """Settings that are printed do not show a key."""
    settings = read_klaviyo_settings({KEYS_VARIABLE: "pk_secret:demo/main"})
    assert "pk_secret" not in repr(settings)
