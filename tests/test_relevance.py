"""Nothing that a decision reads is overlooked."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.attributes import PROFILE_SOURCES
from edgewise.model.profiles import Profile
from edgewise.relevance import WATCHED_SOURCES, next_expiry
from edgewise.simulate.rules_input import compile_rules, read_rules
from tests.simulate.worlds import DAY_MS, MAIN, NOON_MS, write_rules


def test_every_attribute_of_a_profile_is_watched() -> None:
    """A new attribute that rules can read must be watched too."""
    assert PROFILE_SOURCES.keys() == WATCHED_SOURCES


@pytest.mark.parametrize(
    ("phrase", "turns_at"),
    [
        pytest.param("at least: 3 times", {3}, id="at-least"),
        pytest.param("more than: 3 times", {4}, id="more-than"),
        pytest.param("fewer than: 3 times", {3}, id="fewer-than"),
        pytest.param("at most: 3 times", {4}, id="at-most"),
        pytest.param("exactly: 3 times", {3, 4}, id="exactly"),
    ],
)
def test_counts_at_which_a_condition_turns(tmp_path: Path, phrase: str, turns_at: set[int]) -> None:
    """A condition turns where it says something else about a count than about one less."""
    text = f"audiences:\n- id: a\n  has performed event: buy\n  {phrase}\n"
    ruleset = compile_rules(read_rules(write_rules(tmp_path, {MAIN: text})))[MAIN]
    flips = ruleset.fold_rules.relevance.flips
    assert flips is not None
    assert set(flips.values()) == {frozenset(turns_at)}


def test_next_expiry_is_one_past_the_window(tmp_path: Path) -> None:
    """The oldest event that is still inside its window leaves a millisecond after its end."""
    text = "audiences:\n- id: a\n  has performed event: buy\n  at least: twice\n  within: 2 days\n"
    ruleset = compile_rules(read_rules(write_rules(tmp_path, {MAIN: text})))[MAIN]
    matchers = ruleset.evaluator.matchers
    profile = Profile(
        organization="shop", environment="main", id="a", stable_id="a", created_ms=NOON_MS
    )
    profile.recent = {next(iter(matchers)): [NOON_MS - 3 * DAY_MS, NOON_MS - DAY_MS]}
    assert next_expiry(profile, matchers, NOON_MS) == NOON_MS + DAY_MS + 1


@pytest.mark.parametrize(
    ("rule", "reads"),
    [
        pytest.param("has trait: {tier: gold}", {"trait"}, id="trait"),
        pytest.param("none: [{is located at: {country code: AT}}]", {"location"}, id="location"),
        pytest.param("is on device: tablet", {"device"}, id="device"),
        pytest.param("is returning visitor: true", {"session_count"}, id="sessions"),
        pytest.param("has performed event: buy", set(), id="events"),
    ],
)
def test_sources_that_audiences_read(tmp_path: Path, rule: str, reads: set[str]) -> None:
    """What no audience reads may change without a decision; how deep it is read does not matter."""
    text = f"audiences:\n- id: a\n  {rule}\n"
    ruleset = compile_rules(read_rules(write_rules(tmp_path, {MAIN: text})))[MAIN]
    relevance = ruleset.fold_rules.relevance
    found = {
        "trait": relevance.reads_traits,
        "location": relevance.reads_location,
        "device": relevance.reads_device,
        "session_count": relevance.session_flips != frozenset(),
    }
    assert found == {source: source in reads for source in found}
    assert found.keys() == WATCHED_SOURCES
