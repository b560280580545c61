"""A forced variant changes one answer: its own place, its variables, and nothing that is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from edgewise.decide import decide
from edgewise.decoding import Update
from edgewise.forcing import find_forced, force_variant, without_views
from edgewise.model.decision import Decision
from edgewise.model.document import RuleDocument
from edgewise.model.forced import ForcedVariant
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, load_ruleset
from tests.serving import Server, event, ruleset_of, update_of

DOCUMENT: dict[str, Any] = {
    "audiences": [{"id": "nobody", "has trait": "never"}],
    "experiences": [
        {"id": "all", "components": [{"variable": "v", "baseline": "-", "variants": ["all"]}]},
        {
            "id": "banner",
            "distribution": [1, 0, 0],
            "components": [{"entry": "b", "variants": ["b1", "b2"]}],
        },
        {
            "id": "hidden",
            "audience": "nobody",
            "components": [
                {"entry": "h", "variants": ["h1"]},
                {"variable": "v", "baseline": "-", "variants": ["hidden"]},
            ],
        },
    ],
}
NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    """Two experiences for everyone, and one for nobody that shares a variable with the first."""
    return load_ruleset("shop", "main", [RuleDocument("rules.yaml", DOCUMENT)])


@pytest.fixture
def decision(ruleset: Ruleset) -> Decision:
    """What anybody gets."""
    visitor = Profile(organization="shop", environment="main", id="p", stable_id="p", created_ms=0)
    return decide(ruleset, visitor, NOW_MS)


def shown(decision: Decision) -> dict[str, int]:
    """Experience → variant index, in answer order."""
    return {one.experience_id: one.variant_index for one in decision.variants}


def changes(decision: Decision) -> dict[str, Any]:
    """The variables that an answer sets; none may be set twice."""
    encoded = [change for one in decision.variants for change in one.changes_json]
    pairs = [msgspec.json.decode(change) for change in encoded]
    assert len({one["key"] for one in pairs}) == len(pairs)
    return {one["key"]: one["value"] for one in pairs}


def test_another_variant_takes_the_place(ruleset: Ruleset, decision: Decision) -> None:
    """An experience that applies anyway is shown at the forced index, all else as it was."""
    forced = force_variant(ruleset, decision, ForcedVariant("banner", 2))
    assert shown(decision) == {"all": 1, "banner": 0}
    assert list(shown(forced).items()) == [("all", 1), ("banner", 2)]
    assert forced.audiences == decision.audiences
    assert changes(forced) == changes(decision) == {"v": "all"}


def test_an_experience_for_others_is_shown(ruleset: Ruleset, decision: Decision) -> None:
    """Outside of its audience it is shown too, and its variables are what it says."""
    forced = force_variant(ruleset, decision, ForcedVariant("hidden", 1))
    assert list(shown(forced).items()) == [("all", 1), ("banner", 0), ("hidden", 1)]
    assert changes(forced) == {"v": "hidden"}


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(ForcedVariant("gone", 1), id="experience"),
        pytest.param(ForcedVariant("banner", 3), id="variant"),
        pytest.param(ForcedVariant("banner", -1), id="negative"),
    ],
)
def test_what_does_not_exist_forces_nothing(
    ruleset: Ruleset, decision: Decision, unknown: ForcedVariant
) -> None:
    """The decision stays the very same."""
    assert find_forced(ruleset, unknown) is None
    assert force_variant(ruleset, decision, unknown) is decision


def component(experience_id: str, index: int, kind: str = "component") -> dict[str, Any]:
    """An event that tells of a shown variant."""
    return event(kind, componentId="c", experienceId=experience_id, variantIndex=index)


@pytest.mark.parametrize("kind", ["component", "component_click", "component_hover"])
def test_events_of_the_forced_experience_are_left_out(kind: str) -> None:
    """Views, clicks and hovers of it go, with their texts; those of others and pages stay."""
    page, other = event("page"), component("other", 1)
    update = update_of(page, component("hero", 2, kind), other)
    kept = without_views(update, ForcedVariant("hero", 2))
    assert kept == Update([update.events[0], update.events[2]], [update.raws[0], update.raws[2]])


def test_a_request_without_such_events_is_not_copied() -> None:
    """Nothing to leave out leaves the update as it is."""
    update = update_of(event("page"), component("other", 1))
    assert without_views(update, ForcedVariant("hero", 2)) is update


def test_nothing_of_a_forced_variant_is_kept() -> None:
    """It is shown in one answer; the next one, the assignments and the log know nothing of it."""

    async def scenario() -> None:
        server = Server(ruleset_of(sticky=("hero",)))
        usual = shown((await server.send("anna", event("page"))).decision)["hero"]
        forced = ForcedVariant("hero", (usual + 1) % 3)
        update = update_of(event("page"), component("hero", forced.variant_index))
        outcome = await server.service.update(
            "org", "main", "anna", update, preflight=False, forced=forced
        )
        assert shown(outcome.decision)["hero"] == forced.variant_index
        read = await server.service.read("org", "main", "anna", forced=forced)
        assert shown(read.decision)["hero"] == forced.variant_index
        after = await server.read("anna")
        assert shown(after.decision)["hero"] == usual
        assert after.profile.assignments == {}
        assert len(await server.store.read_log(after.profile.id)) == 2
        await server.send("anna", component("hero", forced.variant_index))
        assert (await server.read("anna")).profile.assignments == {"hero": forced.variant_index}

    asyncio.run(scenario())
