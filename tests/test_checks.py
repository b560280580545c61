"""Settings that make no sense are refused where they are made, by name, without any secret."""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from edgewise.asgi.client_address import MAX_PROXIES, AddressSettings
from edgewise.asgi.interface import HttpSettings
from edgewise.asgi.klaviyo_settings import KlaviyoSettings, klaviyo_key
from edgewise.asgi.rate_limits import RateLimit
from edgewise.errors import SettingsError
from edgewise.import_worker import ImportSettings
from edgewise.reload.reloader import ReloadSettings
from edgewise.retention import RetentionSettings
from edgewise.secret import Secret
from edgewise.service import DecisionService
from edgewise.stores.memory import MemoryStore

PAIR = 'default_environment: expected organization and environment, such as ("demo", "main"), not '
NETWORKS = 'force_ip_from: expected networks, such as (ip_network("10.0.0.0/8"),), not '
KEYS = "keys: expected a tuple of what `klaviyo_key` returns, not "
SECRET = "expected an edgewise.secret.Secret"
WHOLE = "expected a whole number from"


@pytest.mark.parametrize(
    ("make", "members", "message"),
    [
        (HttpSettings, {"default_environment": "demo/main"}, f"{PAIR}'demo/main'"),
        (HttpSettings, {"default_environment": ("demo",)}, f"{PAIR}('demo',)"),
        (HttpSettings, {"default_environment": ("demo", "")}, f"{PAIR}('demo', '')"),
        (HttpSettings, {"default_environment": ["demo", "main"]}, f"{PAIR}['demo', 'main']"),
        (HttpSettings, {"max_events": 0}, f"max_events: {WHOLE} 1 on, not 0"),
        (HttpSettings, {"max_events": True}, f"max_events: {WHOLE} 1 on, not True"),
        (HttpSettings, {"max_body_bytes": -1}, f"max_body_bytes: {WHOLE} 1 on, not -1"),
        (HttpSettings, {"max_batch_bytes": 1e6}, f"max_batch_bytes: {WHOLE} 1 on, not 1000000.0"),
        (HttpSettings, {"admin_token": "secret"}, f"admin_token: {SECRET}, not str"),
        (HttpSettings, {"preview_secret": 7}, f"preview_secret: {SECRET}, not int"),
        (HttpSettings, {"klaviyo": ()}, "klaviyo: expected KlaviyoSettings, not tuple"),
        (HttpSettings, {"addresses": 1}, "addresses: expected AddressSettings, not int"),
        (AddressSettings, {"trusted_proxies": -1}, f"trusted_proxies: {WHOLE} 0 on, not -1"),
        (AddressSettings, {"trusted_proxies": MAX_PROXIES + 1},
         "trusted_proxies: expected at most 16 proxies, not 17"),
        (AddressSettings, {"force_ip_from": ("10.0.0.0/8",)}, f"{NETWORKS}('10.0.0.0/8',)"),
        (AddressSettings, {"force_ip_from": "none"}, f"{NETWORKS}'none'"),
        (RateLimit, {"per_second": 0, "per_minute": 1}, f"per_second: {WHOLE} 1 on, not 0"),
        (KlaviyoSettings, {"keys": ("secret",)}, f"{KEYS}tuple"),
        (KlaviyoSettings, {"keys": "secret"}, f"{KEYS}str"),
        (KlaviyoSettings, {"bulk_limit": 5},
         "bulk_limit: expected a RateLimit or None, not int"),
        (KlaviyoSettings, {"merges": "no"}, "merges: expected True or False, not str"),
        (ReloadSettings, {"poll_s": 0}, "poll_s: expected seconds, more than 0, not 0"),
        (ReloadSettings, {"poll_s": math.nan}, "poll_s: expected seconds, more than 0, not nan"),
        (ReloadSettings, {"poll_s": 10**5000},
         "poll_s: expected seconds, more than 0, not a number of that many digits"),
        (ReloadSettings, {"settle_s": -(10**5000)},
         "settle_s: expected seconds, 0 or more, not a number of that many digits"),
        (RetentionSettings, {"step_size": -(10**5000)},
         f"step_size: {WHOLE} 1 on, not a number of that many digits"),
        (ReloadSettings, {"settle_s": -0.1}, "settle_s: expected seconds, 0 or more, not -0.1"),
        (RetentionSettings, {"profile_days": -1}, f"profile_days: {WHOLE} 0 on, not -1"),
        (RetentionSettings, {"step_size": 0}, f"step_size: {WHOLE} 1 on, not 0"),
        (RetentionSettings, {"log_newest": 0}, f"log_newest: {WHOLE} 1 on, not 0"),
        (RetentionSettings, {"rest_s": "1"}, "rest_s: expected seconds, more than 0, not '1'"),
        (ImportSettings, {"attempts": 0}, f"attempts: {WHOLE} 1 on, not 0"),
        (ImportSettings, {"lease_s": 0}, "lease_s: expected seconds, more than 0, not 0"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)  # fmt: skip
def test_settings_are_refused(
    make: Callable[..., msgspec.Struct], members: dict[str, Any], message: str
) -> None:
    """A setting that cannot be is one message, which says what may stand there."""
    with pytest.raises(SettingsError) as caught:
        make(**members)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "members"),
    [
        (HttpSettings, {"default_environment": ("demo", "main"), "max_events": 1}),
        (HttpSettings, {"default_environment": None, "max_body_bytes": 1, "max_batch_bytes": 1}),
        (AddressSettings, {"trusted_proxies": MAX_PROXIES, "force_ip_from": ()}),
        (AddressSettings, {"force_ip_from": (ip_network("10.0.0.0/8"), ip_network("::1"))}),
        (KlaviyoSettings, {"keys": (klaviyo_key("k", "demo", "main"),), "merges": True}),
        (KlaviyoSettings, {"bulk_limit": RateLimit(1, 1)}),
        (ReloadSettings, {"poll_s": 1, "settle_s": 0}),
        (RetentionSettings, {"profile_days": 0, "log_days": 0, "log_newest": 1, "pause_s": 0}),
        (ImportSettings, {"first_pause_s": 0, "longest_pause_s": 0}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_settings_are_taken(make: Callable[..., msgspec.Struct], members: dict[str, Any]) -> None:
    """The least and the most that may be set is taken."""
    made = make(**members)
    assert {name: getattr(made, name) for name in members} == members


def test_a_service_keeps_no_negative_number_of_profiles() -> None:
    """A service is refused what it could not keep."""
    with pytest.raises(SettingsError, match="kept_profiles: expected 0 or more, not -1"):
        DecisionService({}, MemoryStore(), kept_profiles=-1)


def test_settings_tell_no_secret() -> None:
    """Whoever logs the settings logs neither token nor secret."""
    secret = Secret("hush")
    assert "hush" not in repr(HttpSettings(admin_token=secret, preview_secret=secret))
