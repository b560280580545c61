"""A secret shows itself only to who asks for it."""

from __future__ import annotations

import msgspec
import pytest

from edgewise.secret import Secret


def test_a_secret_does_not_show() -> None:
    """No text form holds it, and it cannot be encoded."""
    secret = Secret("s3cret")
    assert "s3cret" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert secret.reveal() == "s3cret"


def test_an_empty_secret_is_none() -> None:
    """Whether there is one can be asked."""
    assert Secret("s3cret")
    assert not Secret("")
