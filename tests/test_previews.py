"""Tokens allow what was signed, until they expire, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.model.forced import ForcedVariant
from edgewise.previews import (
    Preview,
    add_token,
    find_token,
    read_preview,
    sign_preview,
)

SECRET = "a secret"
PREVIEW = Preview("shop", "main", "hero", 2, 1_000)
TOKEN = sign_preview(PREVIEW, SECRET)
BEFORE_MS = 999_999


def test_a_token_forces_what_was_signed() -> None:
    """Until it expires a token forces its experience and variant in its environment."""
    assert read_preview(TOKEN, SECRET, "shop", "main", BEFORE_MS) == ForcedVariant("hero", 2)


def test_a_token_is_the_same_everywhere() -> None:
    """A literal token of a literal secret: any server with the secret takes it."""
    assert TOKEN == (
        "WyJzaG9wIiwibWFpbiIsImhlcm8iLDIsMTAwMF0.ZSJSdahNZsU56icnIJSjO0hPawWR3S8uqvhfwDJIytA"
    )


def test_a_token_expires() -> None:
    """From the second on that a token names, it is refused as expired."""
    assert read_preview(TOKEN, SECRET, "shop", "main", 1_000_000) == "expired"


@pytest.mark.parametrize(
    ("organization", "environment"),
    [
        pytest.param("shop", "dev", id="environment"),
        pytest.param("other", "main", id="organization"),
    ],
)
def test_a_token_is_for_one_environment(organization: str, environment: str) -> None:
    """Elsewhere the same secret forces nothing."""
    assert read_preview(TOKEN, SECRET, organization, environment, BEFORE_MS) == "other environment"


def resigned(payload: bytes) -> str:
    """A token with another payload under the signature of the real one."""
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    return f"{text}.{TOKEN.partition('.')[2]}"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(resigned(b'["shop","main","hero",1,1000]'), id="another variant"),
        pytest.param(resigned(b'["shop","main","hero",2,9999]'), id="a later expiry"),
        pytest.param(sign_preview(PREVIEW, "another secret"), id="another secret"),
        pytest.param(TOKEN.partition(".")[0], id="no signature"),
        pytest.param(TOKEN.partition(".")[0] + ".", id="an empty signature"),
        pytest.param(TOKEN[:-1], id="cut"),
        pytest.param(TOKEN + "A", id="longer"),
        pytest.param(".", id="a dot"),
        pytest.param("x", id="a letter"),
        pytest.param("\ud800.é", id="no ASCII"),
        pytest.param("A" * 100_000, id="very long"),
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    """Whatever was not signed with the secret is forged, and says no more than that."""
    assert read_preview(token, SECRET, "shop", "main", BEFORE_MS) == "forged"


def test_an_empty_secret_signs_and_reads_nothing() -> None:
    """Without a secret anyone could sign, so that no token counts."""
    with pytest.raises(ValueError, match="empty secret"):
        sign_preview(PREVIEW, "")
    assert read_preview(TOKEN, "", "shop", "main", BEFORE_MS) == "forged"


@pytest.mark.parametrize(
    ("url", "with_token"),
    [
        pytest.param("https://a.example/p", "https://a.example/p?edgewise_preview=T", id="plain"),
        pytest.param(
            "https://a.example/p?x=1&y=#top",
            "https://a.example/p?x=1&y=&edgewise_preview=T#top",
            id="a query and a fragment",
        ),
        pytest.param(
            "https://a.example/?edgewise_preview=old&x=1",
            "https://a.example/?x=1&edgewise_preview=T",
            id="an earlier token",
        ),
    ],
)
def test_a_link_carries_its_token(url: str, with_token: str) -> None:
    """The token is one more parameter, and is found there again."""
    assert add_token(url, "T") == with_token
    assert find_token(with_token) == "T"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("https://a.example/edgewise_preview=T", id="in the path"),
        pytest.param("https://a.example/?no_edgewise_preview=T", id="another name"),
        pytest.param("https://[a.example/?edgewise_preview=T", id="no address"),
        pytest.param("https://a.example/?edgewise_preview=", id="no token"),
    ],
)
def test_an_address_without_token_has_none(url: str) -> None:
    """Only the parameter of that name counts."""
    assert find_token(url) == ""


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.integers(0, 2**40))
def test_any_names_survive_a_link(
    organization: str, experience: str, secret: str, expires_s: int
) -> None:
    """Whatever characters names have, what is signed is what is read."""
    organization, experience = (
        text.encode(errors="replace").decode() for text in (organization, experience)
    )
    secret = secret.encode(errors="replace").decode() or "x"
    preview = Preview(organization, "main", experience, 1, expires_s)
    token = find_token(add_token("https://a.example/", sign_preview(preview, secret)))
    found = read_preview(token, secret, organization, "main", expires_s * 1000 - 1)
    assert found == ForcedVariant(experience, 1)
