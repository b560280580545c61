"""Tallies in step with the rules, whatever rules a profile was counted with before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.history import catch_up
from edgewise.model.log import LogEntry
from edgewise.ruleset import Ruleset
from tests.serving import (
    DAY_MS,
    NOW_MS,
    Server,
    identify,
    performed,
    ruleset_of,
    run,
    track,
)

A, B = "a" * 64, "b" * 64
NOTHING = ruleset_of()


async def audiences(server: Server, name: str = A) -> list[str]:
    return (await server.read(name)).decision.audiences


def test_new_rule_counts_what_was_before() -> None:
    """A rule that is added after the visits it asks about finds them, and goes on from there."""

    async def scenario() -> None:
        server = Server(NOTHING)
        await server.send(A, track("buy"), track("look"))
        await server.send(A, track("buy"))
        server.serve(ruleset_of(performed("buy", 2), performed("buy", 3)))
        assert await audiences(server) == ["buy-2"]
        assert (await server.send(A, track("buy"))).decision.audiences == ["buy-2", "buy-3"]
        assert list((await server.read(A)).profile.counts.values()) == [3]

    run(scenario())


def test_new_rule_counts_what_was_reported() -> None:
    """A rule that is added later counts the events of a profile that never had a session."""

    async def scenario() -> None:
        server = Server(NOTHING)
        await server.send(A, track("buy", context={"app": {"name": "klaviyo"}}))
        server.serve(ruleset_of(performed("buy")))
        assert (await server.read(A)).profile.session.count == 0
        assert await audiences(server) == ["buy-1"]

    run(scenario())


def test_removed_rule_leaves_no_tallies() -> None:
    """Tallies that no rule uses any more go with the next update; the log has it all if the rule
    comes back."""

    async def scenario() -> None:
        rules = ruleset_of(performed("buy", 2), performed("look", 1, within="3 days"))
        server = Server(rules)
        await server.send(A, track("buy"), track("look"))
        server.serve(NOTHING)
        profile = (await server.send(A, track("buy"))).profile
        assert (profile.counts, profile.recent) == ({}, {})
        server.serve(rules)
        assert await audiences(server) == ["buy-2", "look-1"]

    run(scenario())


@pytest.mark.parametrize(
    ("days", "expected"),
    [pytest.param(3, [], id="narrow"), pytest.param(9, ["buy-2"], id="wide")],
)
def test_widened_window_is_another_rule(days: int, expected: list[str]) -> None:
    """A rule whose window was widened counts what the narrower one had no need to remember."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 1, within="3 days")))
        await server.send(A, track("buy", timestamp=NOW_MS - 8 * DAY_MS))
        await server.send(A, track("buy", timestamp=NOW_MS - 7 * DAY_MS))
        server.serve(ruleset_of(performed("buy", 2, within=f"{days} days")))
        assert await audiences(server) == expected

    run(scenario())


def test_higher_count_in_a_window_is_another_rule() -> None:
    """A rule that asks for more than the record kept times of finds them in the log."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 1, within="3 days")))
        await server.send(A, *(track("buy") for _ in range(4)))
        server.serve(ruleset_of(performed("buy", 4, within="3 days")))
        assert await audiences(server) == ["buy-4"]

    run(scenario())


def test_merged_profiles_count_with_all_their_logs() -> None:
    """A new rule counts what each of the merged profiles did, before the merge and after it."""

    async def scenario() -> None:
        server = Server(NOTHING)
        await server.send(A, track("buy"), identify("user"))
        await server.send(B, track("buy"))
        await server.send(B, identify("user"))
        await server.send(B, track("buy"))
        server.serve(ruleset_of(performed("buy", 3)))
        assert await audiences(server, B) == ["buy-3"]

    run(scenario())


def test_merge_of_profiles_with_different_rules_behind_them() -> None:
    """Two profiles that were last seen under different rules merge under a third set of them."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 9), performed("look", 1)))
        await server.send(A, track("buy"), identify("user"))
        server.serve(ruleset_of(performed("look", 2)))
        await server.send(B, track("buy"), track("look"))
        server.serve(ruleset_of(performed("buy", 2), performed("look", 1)))
        outcome = await server.send(B, identify("user"))
        assert outcome.decision.audiences == ["buy-2", "look-1"]

    run(scenario())


def test_nothing_to_do_reads_nothing() -> None:
    """Under the same rules, or for a visitor without a past, the log is not read."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 1)))
        await server.send(A, track("look"))

        async def never(profile_id: str) -> list[LogEntry]:
            raise AssertionError(profile_id)

        server.store.read_log = never
        await server.send(A, track("look"))
        server.serve(ruleset_of(performed("look", 1)))
        await server.send(B, track("look"))

    run(scenario())


def test_only_new_matchers_are_counted_again() -> None:
    """What the record has counted all along stays, even where the log has lost its beginning."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 3)))
        await server.send(A, *(track("buy") for _ in range(3)))
        await server.store.delete_log(A)
        server.serve(ruleset_of(performed("buy", 3), performed("look", 1)))
        assert await audiences(server) == ["buy-3"]

    run(scenario())


def test_catching_up_twice_is_once() -> None:
    """A record that is in step stays as it is."""

    async def scenario() -> None:
        server = Server(NOTHING)
        await server.send(A, track("buy"))
        rules = ruleset_of(performed("buy", 1))
        profile = (await server.living(A)).profile
        for _ in range(2):
            await catch_up(profile, rules.evaluator, server.store)
        assert list(profile.counts.values()) == [1]
        assert profile.matchers_digest == rules.evaluator.matchers_digest

    run(scenario())


NAMES = ("buy", "look")
RULES: list[dict[str, Any]] = [
    performed("buy", 1),
    performed("buy", 3),
    performed("look", 2),
    {**performed("buy", 2, within="2 days"), "id": "buy-2-days"},
    {**performed("look", 1, within="5 days"), "id": "look-5-days"},
]
RULESETS: list[Ruleset] = [
    ruleset_of(*(rule for bit, rule in enumerate(RULES) if number >> bit & 1))
    for number in range(2 ** len(RULES))
]
STEP = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, len(RULESETS) - 1),
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 6 * DAY_MS)), max_size=3),
    st.booleans(),
)


@given(st.lists(STEP, max_size=8), st.integers(0, len(RULESETS) - 1))
def test_memberships_are_those_of_a_replay(
    steps: list[tuple[str, int, list[tuple[str, int]], bool]], last: int
) -> None:
    """Two devices under ever changing rules, merged at any time or never: the memberships are those
    of a profile to which the same happened under the last rules alone."""

    async def life(replayed: bool) -> dict[str, list[str]]:
        server = Server(RULESETS[last])
        for name, number, events, identified in steps:
            if not replayed:
                server.serve(RULESETS[number])
            bodies = [track(event, timestamp=NOW_MS - ago_ms) for event, ago_ms in events]
            if identified:
                bodies.append(identify("user"))
            if bodies:
                await server.send(name, *bodies)
        server.serve(RULESETS[last])
        names = {name for name, _, events, identified in steps if events or identified}
        return {name: await audiences(server, name) for name in names}

    assert run(life(replayed=False)) == run(life(replayed=True))
