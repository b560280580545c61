"""Environment variables are read strictly, and the key stays out of sight."""

from __future__ import annotations

import msgspec
import pytest

from edgewise.enrich.albacross import URL
from edgewise.enrich.firmographics_settings import (
    CACHE_VARIABLE,
    DEADLINE_VARIABLE,
    KEY_VARIABLE,
    MODE_VARIABLE,
    TRAIT_VARIABLE,
    URL_VARIABLE,
    FirmographicsSettings,
    read_firmographics_settings,
)
from edgewise.errors import InputError

KEY = "s3cret-key"


def read(**variables: str) -> FirmographicsSettings:
    """The settings of some variables beside the key."""
    settings = read_firmographics_settings({KEY_VARIABLE: KEY, **variables})
    assert settings is not None
    return settings


@pytest.mark.parametrize("variables", [{}, {KEY_VARIABLE: " "}, {MODE_VARIABLE: "later"}])
def test_without_a_key_there_is_none(variables: dict[str, str]) -> None:
    """What says nothing of a key switches nothing on."""
    assert read_firmographics_settings(variables) is None


def test_a_key_is_enough() -> None:
    """All else has a default."""
    settings = read()
    assert settings.albacross is not None
    assert settings.albacross.key.reveal() == KEY
    assert settings.albacross.url == URL
    assert msgspec.structs.replace(settings, albacross=None) == FirmographicsSettings()


def test_everything_can_be_said() -> None:
    """Trait, mode, deadline and cache are taken as they are written."""
    settings = read(
        **{
            TRAIT_VARIABLE: "company",
            MODE_VARIABLE: "later",
            DEADLINE_VARIABLE: "150",
            CACHE_VARIABLE: " 2000 ",
        }
    )
    said = (settings.trait, settings.mode, settings.deadline_ms, settings.cache_entries)
    assert said == ("company", "later", 150, 2000)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        pytest.param("", "https://api.albacross.com/reveal/company/{ipv4}", id="default"),
        pytest.param(
            "https://reveal.api.albacross.com",
            "https://reveal.api.albacross.com/company/{ipv4}",
            id="other-host",
        ),
        pytest.param("http://127.0.0.1:9/x/", "http://127.0.0.1:9/x/company/{ipv4}", id="slash"),
        pytest.param("http://[::1]:9", "http://[::1]:9/company/{ipv4}", id="ipv6-host"),
        pytest.param("https://a.example/ip/{ipv4}/b", "https://a.example/ip/{ipv4}/b", id="whole"),
    ],
)
def test_a_url_is_completed(given: str, url: str) -> None:
    """A URL without a place for the address gets the usual path behind it."""
    albacross = read(**{URL_VARIABLE: given}).albacross
    assert albacross is not None
    assert albacross.url == url


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        pytest.param(KEY_VARIABLE, f"Api-Key {KEY}", "the key alone", id="key-with-scheme"),
        pytest.param(KEY_VARIABLE, f"{KEY}\nx: y", "the key alone", id="key-with-line"),
        pytest.param(KEY_VARIABLE, f"{KEY}é", "the key alone", id="key-not-ascii"),
        pytest.param(URL_VARIABLE, "ftp://a.example", "a scheme, a host", id="scheme"),
        pytest.param(URL_VARIABLE, "a.example/x", "a scheme, a host", id="no-scheme"),
        pytest.param(URL_VARIABLE, f"https://{KEY}@a.example", "a scheme", id="password"),
        pytest.param(URL_VARIABLE, f"https://a.example/?k={KEY}", "a scheme", id="query"),
        pytest.param(URL_VARIABLE, "https://a.example/{ip}", "{ipv4}", id="other-place"),
        pytest.param(URL_VARIABLE, "https://{ipv4}.example", "a scheme", id="place-in-host"),
        pytest.param(URL_VARIABLE, "https://a example", "a scheme, a host", id="space"),
        pytest.param(URL_VARIABLE, "https://[a]/", "a scheme, a host", id="no-host"),
        pytest.param(URL_VARIABLE, "https://a.example:99999", "a scheme", id="port"),
        pytest.param(TRAIT_VARIABLE, "a.b", "letters, digits", id="trait-with-dot"),
        pytest.param(TRAIT_VARIABLE, "1a", "letters, digits", id="trait-with-digit-first"),
        pytest.param(TRAIT_VARIABLE, "a" * 65, "up to 64", id="long-trait"),
        pytest.param(MODE_VARIABLE, "now", "wait or later", id="mode"),
        pytest.param(DEADLINE_VARIABLE, "0", "from 1 to 5000", id="no-time"),
        pytest.param(DEADLINE_VARIABLE, "5001", "from 1 to 5000", id="too-long"),
        pytest.param(DEADLINE_VARIABLE, "0.3", "whole number", id="fraction"),
        pytest.param(DEADLINE_VARIABLE, "٣٠٠", "whole number", id="other-digits"),
        pytest.param(CACHE_VARIABLE, "-1", "from 1 to 10000000", id="negative"),
        pytest.param(CACHE_VARIABLE, "9" * 5000, "from 1 to 10000000", id="endless"),
    ],
)
def test_faults_name_the_variable(name: str, value: str, allowed: str) -> None:
    """A value that cannot be used is an error that says what can, and shows no key."""
    with pytest.raises(InputError) as refused:
        read(**{name: value})
    assert str(refused.value).startswith(f"{name}: ")
    assert allowed in str(refused.value)
    assert KEY not in repr(refused.value)


def test_the_key_does_not_show() -> None:
    """No text form of the settings holds it, and they cannot be encoded by accident."""
    settings = read()
    assert KEY not in f"{settings} {settings!r}"
    with pytest.raises(TypeError):
        msgspec.json.encode(settings)
