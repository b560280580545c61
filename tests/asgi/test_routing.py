"""Which paths name profiles, and which id they spell."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.asgi.routing import ProfileRoute, match_profiles, parse_profile_id
from edgewise.errors import InvalidData
from tests.asgi.fakes import BASE, scope_of


def matched(target: str | bytes, **members: Any) -> ProfileRoute | None:
    """Return what a path names."""
    return match_profiles({**scope_of("GET", target), **members})


@pytest.mark.parametrize(
    ("path", "raw_id"),
    [
        pytest.param("/profiles", None, id="collection"),
        pytest.param("/profiles/", None, id="collection-with-slash"),
        pytest.param("/profiles/p", b"p", id="profile"),
        pytest.param("/profiles/p/", b"p", id="profile-with-slash"),
        pytest.param("/profiles/a%2Fb", b"a%2Fb", id="encoded-slash"),
    ],
)
def test_profile_path_matches(path: str, raw_id: bytes | None) -> None:
    """A path of the profile resource matches, with or without a trailing slash."""
    assert matched(BASE + path) == ProfileRoute("org", "main", raw_id)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="root"),
        pytest.param("", id="empty"),
        pytest.param(BASE, id="environment"),
        pytest.param(BASE + "/", id="environment-with-slash"),
        pytest.param(BASE + "/events", id="other-resource"),
        pytest.param(BASE + "/profiles//", id="empty-id"),
        pytest.param(BASE + "/profiles/p//", id="two-slashes"),
        pytest.param(BASE + "/profiles/p/x", id="below-a-profile"),
        pytest.param(BASE.replace("org/", "/", 1) + "/profiles", id="empty-organization"),
        pytest.param(BASE.replace("/main", "/") + "/profiles", id="empty-environment"),
        pytest.param(BASE.replace("v2", "v1") + "/profiles", id="other-version"),
        pytest.param("/" + BASE + "/profiles", id="double-slash"),
    ],
)
def test_other_path_does_not_match(path: str) -> None:
    """Nothing else is a profile path."""
    assert matched(path) is None


def test_names_are_percent_decoded() -> None:
    """Organization and environment are decoded after the path was split."""
    route = matched("/v2/organizations/o%2Fx/environments/%C3%BC/profiles")
    assert route == ProfileRoute("o/x", "ü", None)


def test_name_that_is_not_utf8_is_refused() -> None:
    """Bytes that are no text are invalid data."""
    with pytest.raises(InvalidData, match="not UTF-8"):
        matched("/v2/organizations/%FF/environments/main/profiles")


@pytest.mark.parametrize(
    "members",
    [pytest.param({"raw_path": None}, id="null"), pytest.param({"raw_path": b""}, id="empty")],
)
def test_path_stands_in_for_a_missing_raw_path(members: dict[str, Any]) -> None:
    """A server that gives no raw path has decoded it already: nothing is decoded twice."""
    route = matched("/", path=BASE + "/profiles/a%41@ü", **members)
    assert route is not None
    assert parse_profile_id(route.raw_id or b"") == "a%41@ü"


def test_undecodable_path_is_refused() -> None:
    """A half surrogate pair from a server's own decoding is invalid data, not a failure."""
    route = matched("/", path=BASE + "/profiles/\udcff", raw_path=None)
    assert route is not None
    with pytest.raises(InvalidData, match="not UTF-8"):
        parse_profile_id(route.raw_id or b"")


@pytest.mark.parametrize(
    ("root", "path", "found"),
    [
        pytest.param("/edge", "/edge" + BASE + "/profiles", True, id="prefix"),
        pytest.param("/edge", BASE + "/profiles", True, id="prefix-taken-off"),
        pytest.param("/é d", "/%C3%A9%20d" + BASE + "/profiles", True, id="encoded-prefix"),
        pytest.param("/ed", "/edge" + BASE + "/profiles", False, id="half-a-name"),
        pytest.param("", "/edge" + BASE + "/profiles", False, id="unknown-prefix"),
    ],
)
def test_mounted_below_a_prefix(root: str, path: str, found: bool) -> None:
    """Below a prefix the rest of the path counts."""
    assert (matched(path, root_path=root) is not None) is found


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64))
def test_any_id_survives_the_path(profile_id: str) -> None:
    """An id comes out as the client put it in, whatever characters it has."""
    route = matched(f"{BASE}/profiles/{quote(profile_id, safe='')}")
    assert route is not None
    assert parse_profile_id(route.raw_id or b"") == profile_id


@pytest.mark.parametrize(
    ("raw_id", "message"),
    [
        pytest.param(b"%FF", "path: not UTF-8", id="not-utf-8"),
        pytest.param(b"a" * 513, "profileId: expected at most 512 characters", id="long"),
        pytest.param(b"a%00", "profileId: expected no control characters", id="control"),
        pytest.param(b"a%C2%85", "profileId: expected no control characters", id="upper-control"),
    ],
)
def test_unusable_id_is_refused(raw_id: bytes, message: str) -> None:
    """An id that cannot be a key is invalid data."""
    with pytest.raises(InvalidData) as caught:
        parse_profile_id(raw_id)
    assert str(caught.value) == message


def test_longest_id_counts_characters() -> None:
    """512 characters pass, however many bytes they take."""
    assert parse_profile_id(b"%C3%BC" * 512) == "ü" * 512
