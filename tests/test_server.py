"""The server process: what is wrong with its environment is told before it serves."""

from __future__ import annotations

import pytest

from edgewise.errors import InputError
from edgewise.server import ServerSettings, run


def test_faulty_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that cannot be understood keep the server from starting, and are not told."""
    monkeypatch.setenv("EDGEWISE_KLAVIYO_KEYS", "pk_secret")
    with pytest.raises(InputError, match=r"^EDGEWISE_KLAVIYO_KEYS: entry 1") as caught:
        run(ServerSettings(rules="rules", store="memory://", copies=".data"))
    assert "pk_secret" not in str(caught.value)
