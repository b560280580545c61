"""The index finds what the reference finds, whichever way its limits send a rule."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences import groups, index_build, layout, texts
from edgewise.audiences.index_build import MAX_WAITING, make_index
from edgewise.audiences.interpret import holds, matches_event
from edgewise.garbage import resting_collector
from edgewise.model.audience import (
    All,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Matcher,
    Node,
    Not,
    Test,
)
from edgewise.model.audience import Any as AnyOf
from edgewise.model.event import Event
from edgewise.model.profiles import Profile
from tests.rules import make_profile
from tests.strategies import (
    COUNTS,
    NOW_MS,
    PROFILE_CONDITIONS,
    event_trees,
    events,
    profile_trees,
    profiles,
)

# Each row sends rules down other ways: bits or functions, shifting or owners, loops or RE2 sets.
LIMITS: dict[str, dict[str, int]] = {
    "as-served": {},
    "all-rare": {"MAX_COMMON": 0, "MAX_WAITING": 10_000},
    "rare-or-masked": {"MAX_COMMON": 0, "MAX_WAITING": 2},
    "never-rare": {"MAX_COMMON": 10_000, "MAX_WAITING": 0},
    "one-row": {"MAX_ROWS": 1},
    "few-groups": {"MAX_GROUPS": 2, "MAX_ALTERNATIVES": 3, "MAX_COMMON": 0},
    "always-sets": {"MAX_NEEDLES": 0},
}
OWNERS: dict[str, Any] = {
    "MAX_COMMON": index_build,
    "MAX_WAITING": index_build,
    "MAX_ROWS": layout,
    "MAX_GROUPS": groups,
    "MAX_ALTERNATIVES": groups,
    "MAX_NEEDLES": texts,
}


@pytest.fixture(params=LIMITS, scope="module")
def limited(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sets the limits of one row."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LIMITS[request.param].items():
            patch.setattr(OWNERS[name], name, value)
        yield


def random_tree(chance: Random, leaves: Sequence[Node], levels: int = 3) -> Node:
    """A tree of any shape over some leaves."""
    kind = chance.choice(("leaf", "leaf", "all", "any", "not", "constant") if levels else ("leaf",))
    if kind == "leaf":
        return chance.choice(leaves)
    if kind == "constant":
        return Constant(chance.random() < 0.5)
    if kind == "not":
        return Not(random_tree(chance, leaves, levels - 1))
    count = chance.choice((0, 1, 2, 2, 3, 4))
    children = tuple(random_tree(chance, leaves, levels - 1) for _ in range(count))
    return All(children) if kind == "all" else AnyOf(children)


@pytest.mark.usefixtures("limited")
@settings(max_examples=150)
@given(st.lists(profile_trees, min_size=1, max_size=8), st.lists(profiles, min_size=1, max_size=3))
def test_members_are_those_of_the_reference(trees: list[Node], visitors: list[Profile]) -> None:
    """Trees of any shape, not simplified, hold in the index exactly where they hold in truth."""
    index = make_index(trees, "profile", "test")
    for profile in visitors:
        expected = [place for place, tree in enumerate(trees) if holds(tree, profile, NOW_MS)]
        assert index.holding(profile, NOW_MS) == expected


@pytest.mark.usefixtures("limited")
@settings(max_examples=100)
@given(st.lists(event_trees, min_size=1, max_size=8), st.lists(events, min_size=1, max_size=3))
def test_matchers_are_those_of_the_reference(trees: list[Node], received: list[Event]) -> None:
    """The same holds for trees over events."""
    index = make_index(trees, "event", "test")
    for event in received:
        expected = [place for place, tree in enumerate(trees) if matches_event(tree, event)]
        assert index.holding(event) == expected


@pytest.mark.usefixtures("limited")
@settings(max_examples=8)
@given(st.integers(0, 10**6), st.lists(profiles, min_size=5, max_size=5))
def test_many_rules_do_not_disturb_each_other(seed: int, visitors: list[Profile]) -> None:
    """Of a hundred trees that share their tests, exactly those hold that hold alone."""
    chance = Random(seed)
    leaves = [*chance.sample(PROFILE_CONDITIONS, 60), *chance.sample(COUNTS, 20)]
    trees = [random_tree(chance, leaves) for _ in range(100)]
    index = make_index(trees, "profile", "test")
    for profile in visitors:
        expected = [place for place, tree in enumerate(trees) if holds(tree, profile, NOW_MS)]
        assert index.holding(profile, NOW_MS) == expected


def trait_is(key: str, value: str) -> Leaf:
    """A condition on a trait."""
    return Leaf(Test(Attribute("trait", key), "equal", value))


def test_rare_attributes_cost_nothing_until_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits at a trait is compiled when a profile first has the trait, and only then."""
    monkeypatch.setattr(index_build, "MAX_COMMON", 0)
    index = make_index([trait_is(f"k{number}", "a") for number in range(50)], "profile", "test")
    waiting = index.maps[0].waiting
    assert index.holding(make_profile(traits={"other": "a"})) == []
    assert not waiting
    for _ in range(2):
        assert index.holding(make_profile(traits={"k7": "a", "k8": "b"})) == [7]
    assert waiting.keys() == {"k7", "k8"}


def test_dropped_index_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the index go its functions and their source, without a search for cycles."""
    monkeypatch.setattr(index_build, "MAX_COMMON", 0)
    index = make_index([trait_is("k", "a")], "profile", "test")
    before = len(linecache.cache)
    assert index.holding(make_profile(traits={"k": "a"})) == [0]
    assert len(linecache.cache) == before + 1
    with resting_collector():
        del index
        assert len(linecache.cache) == before


def test_value_can_lie_under_the_key_or_the_path() -> None:
    """A dotted key finds its value under itself or along its path, rare or not."""
    trees = [trait_is("a.b", "x")]
    for profile in (make_profile(traits={"a.b": "x"}), make_profile(traits={"a": {"b": "x"}})):
        assert make_index(trees, "profile", "test").holding(profile) == [0]


def test_combinations_that_explode_are_settled_by_their_trees() -> None:
    """A rule of 5^10 combinations is indexed at once, by a part of it, and decided exactly."""
    alternatives = [
        AnyOf(tuple(All((trait_is(f"k{row}", f"{n}"), trait_is("on", "yes"))) for n in range(5)))
        for row in range(10)
    ]
    index = make_index([All(tuple(alternatives))], "profile", "test")
    everything = {"on": "yes"} | {f"k{row}": "3" for row in range(10)}
    assert index.holding(make_profile(traits=everything)) == [0]
    assert index.holding(make_profile(traits=everything | {"k9": "5"})) == []


def test_count_of_a_matcher_that_many_rules_share() -> None:
    """A tally that more groups ask for than may wait at it is looked at once for all of them."""
    matcher = Matcher(id=1, tree=Constant(True))
    trees: list[Node] = [
        Leaf(CountTest(matcher, "lessThan", count)) for count in range(MAX_WAITING + 10)
    ]
    index = make_index(trees, "profile", "test")
    assert index.tallies is not None
    assert len(index.tallies.common) == 1
    assert index.holding(make_profile(counts={1: 40})) == [41]
    assert index.holding(make_profile()) == list(range(1, MAX_WAITING + 10))
