"""The query string of the profile routes."""

from __future__ import annotations

import pytest

from edgewise.asgi.query import Query, parse_query
from edgewise.errors import InvalidData


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        pytest.param(b"", Query(preflight=False, locale="en"), id="empty"),
        pytest.param(b"type=preflight&locale=de-DE", Query(True, "de-DE"), id="type-first"),
        pytest.param(b"locale=de-DE&type=preflight", Query(True, "de-DE"), id="locale-first"),
        pytest.param(b"%74ype=pre%66light&loc%61le=%64e", Query(True, "de"), id="encoded"),
        pytest.param(b"x=1&&=&y&locale=fr&Type=x", Query(False, "fr"), id="unknown"),
        pytest.param(b"locale=de&locale=fr", Query(False, "fr"), id="twice"),
    ],
)
def test_query_is_parsed(raw: bytes, query: Query) -> None:
    """Known parameters are found in any order and encoding, others are skipped."""
    assert parse_query(raw) == query


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        pytest.param(b"type=", "type", id="empty-type"),
        pytest.param(b"type", "type", id="bare-type"),
        pytest.param(b"type=Preflight", "type", id="other-case"),
        pytest.param(b"type=preflight&type=x", "type", id="second-type"),
        pytest.param(b"locale=", "locale", id="empty-locale"),
        pytest.param(b"locale=xx!", "locale", id="no-tag"),
        pytest.param(b"locale=en+US", "locale", id="plus-is-a-space"),
        pytest.param(b"locale=%FF", "locale", id="not-utf-8"),
    ],
)
def test_faulty_query_is_refused(raw: bytes, place: str) -> None:
    """A known parameter with a useless value is invalid data, with its name."""
    with pytest.raises(InvalidData, match=f"^{place}: "):
        parse_query(raw)
