"""Which texts are language tags."""

from __future__ import annotations

import pytest

from edgewise.errors import InvalidData
from edgewise.locales import parse_locale


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("en", id="language"),
        pytest.param("en-US", id="region"),
        pytest.param("EN-us", id="any-case"),
        pytest.param("es-419", id="numeric-region"),
        pytest.param("zh-Hant-TW", id="script"),
        pytest.param("zh-yue-HK", id="extended-language"),
        pytest.param("de-CH-1996", id="variant"),
        pytest.param("en-US-u-ca-gregory-t-de", id="extensions"),
        pytest.param("en-x-a-b", id="private-use"),
        pytest.param("fil", id="three-letters"),
    ],
)
def test_tag_is_returned_as_given(text: str) -> None:
    """A language tag passes unchanged."""
    assert parse_locale(text) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("e", id="one-letter"),
        pytest.param("de_DE", id="underscore"),
        pytest.param("xx!", id="punctuation"),
        pytest.param("en-", id="trailing-hyphen"),
        pytest.param("-en", id="leading-hyphen"),
        pytest.param("en--US", id="empty-part"),
        pytest.param("en-US-DE", id="two-regions"),
        pytest.param("en-u", id="empty-extension"),
        pytest.param("not-a-locale", id="unregistered-extension"),
        pytest.param("english", id="reserved-language"),
        pytest.param("en\n", id="line-end"),
        pytest.param("ёл", id="other-letters"),
        pytest.param("en-" + "-".join(["abcde"] * 16), id="100-characters"),
    ],
)
def test_other_text_is_refused(text: str) -> None:
    """What has not the form of a language tag is invalid data."""
    with pytest.raises(InvalidData, match="locale: expected a language tag"):
        parse_locale(text)
