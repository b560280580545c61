"""The server process: what is wrong with its environment is told before it serves."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from edgewise.errors import InputError
from edgewise.server import ServerSettings, check_settings, require_free_address


def test_taken_port() -> None:
    """A port that another server listens on is told before anything is said to be served."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"127.0.0.1, port {port}: .*; name another port"):
            require_free_address("127.0.0.1", port)


def test_foreign_host() -> None:
    """An address that is not one of this machine is told by its own reason."""
    with pytest.raises(InputError, match=r"cannot listen on 192.0.2.1, port 8080: [A-Z]"):
        require_free_address("192.0.2.1", 8080)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"geo": ("/nowhere.mmdb",)}, "^/nowhere.mmdb: there is no such file"),
        ({"force_ip_from": ("x",)}, "^--force-ip-from: "),
    ],
    ids=["geo", "network"],
)
def test_faulty_settings(settings: dict[str, Any], message: str) -> None:
    """What no worker could use keeps the server from starting."""
    with pytest.raises(InputError, match=message):
        check_settings(ServerSettings(rules="rules", store="memory://", copies=".data", **settings))


def test_faulty_firmographics(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a variable of the firmographics, and no key is told."""
    monkeypatch.setenv("EDGEWISE_ALBACROSS_KEY", "secret-key")
    monkeypatch.setenv("EDGEWISE_FIRMOGRAPHICS_MODE", "never")
    with pytest.raises(InputError, match=r"^EDGEWISE_FIRMOGRAPHICS_MODE") as caught:
        check_settings(ServerSettings(rules="rules", store="memory://", copies=".data"))
    assert "secret-key" not in str(caught.value)


def test_faulty_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that cannot be understood keep the server from starting, and are not told."""
    monkeypatch.setenv("EDGEWISE_KLAVIYO_KEYS", "pk_secret")
    with pytest.raises(InputError, match=r"^EDGEWISE_KLAVIYO_KEYS: entry 1") as caught:
        check_settings(ServerSettings(rules="rules", store="memory://", copies=".data"))
    assert "pk_secret" not in str(caught.value)
