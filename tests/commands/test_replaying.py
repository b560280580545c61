"""A visitor is as recorded requests leave it, and has the events that count for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.commands.replaying import replay_visitor
from edgewise.records import id_for_name
from edgewise.ruleset import Ruleset
from edgewise.sources.files import load_rules
from tests.simulate.worlds import MAIN, NOON_MS, SHOP, line, records_of, write_rules

HASH = "a" * 64
SAME_KEY = id_for_name(MAIN, HASH)


@pytest.fixture
def ruleset(tmp_path: Path) -> Ruleset:
    """The rules of a shop."""
    return load_rules(write_rules(tmp_path, {MAIN: SHOP}))["shop", "main"]


def test_events_are_those_of_the_profile_alone(ruleset: Ruleset) -> None:
    """Whoever only might have been the same visitor stays apart, and so do its events."""
    lines = [
        line("", NOON_MS, profileId=HASH),
        line("", NOON_MS + 1, profileId=SAME_KEY),
        line("a", NOON_MS + 2, type="identify", userId=HASH),
    ]
    for name, profile_id, times in (
        ("a", HASH, [0, 2]),
        (HASH, HASH, [0, 2]),
        (SAME_KEY, SAME_KEY, [1]),
    ):
        found = replay_visitor(ruleset, records_of(lines), name)
        assert found is not None
        profile, events = found
        assert profile.id == profile_id
        assert [time_ms - NOON_MS for _, time_ms in events] == times


def test_who_is_not_there_is_not_made(ruleset: Ruleset) -> None:
    """A name that no request leads to stands for nobody."""
    assert replay_visitor(ruleset, records_of([line("a", NOON_MS)]), "b") is None
