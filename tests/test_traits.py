"""Patches of traits: what is appended, taken out and removed."""

from __future__ import annotations

from typing import Any

import pytest

from edgewise.model.event import TraitPatch
from edgewise.model.profiles import Profile
from edgewise.traits import patch_traits


def patched(traits: dict[str, Any], **patch: Any) -> dict[str, Any]:
    profile = Profile(
        organization="o", environment="main", id="p", stable_id="p", created_ms=0, traits=traits
    )
    patch_traits(profile, TraitPatch(**patch), 7)
    return profile.traits


@pytest.mark.parametrize(
    ("before", "added", "after"),
    [
        pytest.param({}, "a", ["a"], id="missing"),
        pytest.param({"t": None}, "a", ["a"], id="null"),
        pytest.param({"t": ["a"]}, "b", ["a", "b"], id="value"),
        pytest.param({"t": ["a"]}, ["c", "b"], ["a", "c", "b"], id="values"),
        pytest.param({"t": ["a", "b"]}, ["b", "a"], ["a", "b"], id="known"),
        pytest.param({"t": "a"}, "b", ["a", "b"], id="single"),
        pytest.param({"t": [1]}, True, [1, True], id="true-is-not-1"),
        pytest.param({"t": [{"x": 1}]}, [{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 2}], id="objects"),
    ],
)
def test_append(before: dict[str, Any], added: Any, after: list[Any]) -> None:
    """What is appended stands behind what was there, and once."""
    assert patched(before, append={"t": added}) == {"t": after}


@pytest.mark.parametrize(
    ("before", "removed", "after"),
    [
        pytest.param({"t": ["a", "b"]}, "a", {"t": ["b"]}, id="value"),
        pytest.param({"t": ["a", "b", "c"]}, ["a", "c", "x"], {"t": ["b"]}, id="values"),
        pytest.param({"t": ["a"]}, "a", {"t": []}, id="last"),
        pytest.param({"t": "a"}, "a", {"t": "a"}, id="no-list"),
        pytest.param({}, "a", {}, id="missing"),
    ],
)
def test_unappend(before: dict[str, Any], removed: Any, after: dict[str, Any]) -> None:
    """Values go out of a list, and nothing else changes."""
    assert patched(before, unappend={"t": removed}) == after


def test_order_of_changes() -> None:
    """First values are appended, then taken out, and then traits are removed."""
    patch = {"append": {"t": ["b", "c"], "u": 1}, "unappend": {"t": "b"}, "unset": ["u", "missing"]}
    assert patched({"t": ["a"]}, **patch) == {"t": ["a", "c"]}


def test_same_patch_again_changes_nothing() -> None:
    """A patch that comes twice leaves what it left the first time."""
    patch = {"append": {"t": "b"}, "unappend": {"t": "a"}, "unset": ["u"]}
    once = patched({"t": ["a"], "u": 1}, **patch)
    assert patched(dict(once), **patch) == once == {"t": ["b"]}


def test_times_follow() -> None:
    """A patched trait was written when the patch came; of a removed one nothing is left."""
    profile = Profile(organization="o", environment="main", id="p", stable_id="p", created_ms=0)
    profile.traits, profile.trait_times = {"a": [1], "b": 1}, {"a": 1, "b": 1}
    patch_traits(profile, TraitPatch(append={"a": 2}, unset=["b"]), 7)
    assert profile.trait_times == {"a": 7}
