"""What visitors did with components is kept apart from their visits, and counted per variant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgewise.errors import ConfigNotFound, NamespaceMismatch
from edgewise.ingest.insights import decode_visits
from edgewise.model.interaction import VariantMetrics
from edgewise.model.log import interaction_log
from tests.serving import (
    DAY_MS,
    NOW_MS,
    ORGANIZATION,
    Server,
    identify,
    name_key,
    performed,
    ruleset_of,
    run,
    track,
)

HEX_ID = "ab" * 32
STICKY = "pinned"


def act(kind: str = "component", experience_id: str = "e", **members: Any) -> dict[str, Any]:
    """An event about a component."""
    hover = {"hoverId": "h", "hoverDurationMs": 0} if kind == "component_hover" else {}
    about = {"componentId": "c", "experienceId": experience_id, "variantIndex": 0}
    return {"type": kind, **about, **hover, **members}


async def report(server: Server, name: str, *events: dict[str, Any], to: str = "main") -> None:
    """Send what a visitor did."""
    body = json.dumps([{"profile": {"id": name}, "events": events}]).encode()
    await server.service.keep_interactions(ORGANIZATION, to, decode_visits(body))


async def counted(server: Server, experience_id: str = "e") -> dict[int, dict[str, int]]:
    """What there is of each variant, without what is 0."""
    metrics = await server.service.metrics(ORGANIZATION, "main", experience_id)
    return {one.variant_index: shown(one) for one in metrics.variants}


def shown(metrics: VariantMetrics) -> dict[str, int]:
    """The members that are not 0."""
    names = [name for name in metrics.__struct_fields__ if name != "variant_index"]
    return {name: getattr(metrics, name) for name in names if getattr(metrics, name)}


def test_each_variant_has_its_own_counts() -> None:
    """Views, viewers, clicks and hovers count for the variant and experience they name."""

    async def scenario() -> None:
        server = Server()
        await report(
            server,
            "a",
            act(messageId="1"),
            act(messageId="2"),
            act(variantIndex=1, messageId="3"),
            act("component_click", variantIndex=1, messageId="4"),
            act("component_click", variantIndex=1, messageId="5"),
            act(experience_id="other", messageId="6"),
            {"type": "component", "componentId": "of no experience", "messageId": "7"},
        )
        await report(server, "b", act(messageId="1"))
        await report(
            server,
            "b",
            act("component_hover", hoverId="x", hoverDurationMs=700.5, messageId="8"),
            act("component_hover", hoverId="y", hoverDurationMs=300, messageId="9"),
        )
        assert await counted(server) == {
            0: {"views": 3, "unique_viewers": 2, "hovers": 2, "hover_duration_ms": 1000},
            1: {"views": 1, "unique_viewers": 1, "clicks": 2},
        }
        assert await counted(server, "unheard of") == {}

    run(scenario())


def test_reports_of_one_view_count_once() -> None:
    """A view or hover that is reported again while it lasts counts once, with the longest time."""

    async def scenario() -> None:
        server = Server()
        for number, duration_ms in enumerate((2000, 7000, 5000)):
            await report(
                server,
                "a",
                act(viewId="v", viewDurationMs=duration_ms, messageId=f"v{number}"),
                act("component_hover", hoverDurationMs=duration_ms, messageId=f"h{number}"),
            )
        await report(server, "b", act(viewId="v", viewDurationMs=1000))
        assert await counted(server) == {
            0: {
                "views": 2,
                "unique_viewers": 2,
                "hovers": 1,
                "view_duration_ms": 8000,
                "hover_duration_ms": 7000,
            }
        }

    run(scenario())


def test_a_message_counts_once() -> None:
    """What is sent again, whole or in part, by any name of the visitor, is there once."""

    async def scenario() -> None:
        server = Server()
        await server.send("a", identify("owner"))
        first, second = act(messageId="1"), act("component_click", messageId="2")
        await report(server, "a", first)
        await report(server, "owner", first, second, second)
        assert await counted(server) == {0: {"views": 1, "unique_viewers": 1, "clicks": 1}}

    run(scenario())


def test_names_lead_to_the_profile() -> None:
    """An alias and the id of a merged profile stand for the profile that lives."""

    async def scenario() -> None:
        server = Server()
        await server.send("laptop", identify("owner"))
        await server.send("phone", identify("owner"))
        for name in ("laptop", "phone", "owner"):
            await report(server, name, act(messageId=name))
        assert await counted(server) == {0: {"views": 3, "unique_viewers": 1}}
        survivor = (await server.living("phone")).profile.id
        assert len(await server.store.read_log(interaction_log(survivor))) == 3

    run(scenario())


@pytest.mark.parametrize("name", [pytest.param("a", id="name"), pytest.param(HEX_ID, id="id")])
def test_no_profile_is_created(name: str) -> None:
    """What an unknown visitor did waits under the id that its profile is going to have."""

    async def scenario() -> None:
        server = Server()
        await report(server, name, act(messageId="1"))
        assert server.store._rows == {}
        profile = await server.profile(name, track())
        await report(server, name, act(messageId="1"), act(messageId="2"))
        assert await counted(server) == {0: {"views": 2, "unique_viewers": 1}}
        assert len(await server.store.read_log(interaction_log(profile.id))) == 2

    run(scenario())


def test_nothing_of_a_profile_changes() -> None:
    """No session is opened or prolonged, nothing is pinned, and no message is remembered."""

    async def scenario() -> None:
        server = Server(ruleset_of(sticky=(STICKY,)))
        before = await server.profile("a", track())
        server.now_ms += DAY_MS
        await report(server, "a", act(experience_id=STICKY, variantIndex=2, messageId="1"))
        assert await server.profile("a") == before
        # The same message as an event of the profile is another matter.
        view = act(experience_id=STICKY, variantIndex=2, messageId="1")
        assert (await server.profile("a", view)).assignments == {STICKY: 2}

    run(scenario())


def test_new_rules_do_not_count_it() -> None:
    """A rule that comes later counts visits from the log, and reads no interactions."""

    async def scenario() -> None:
        server = Server(ruleset_of())
        profile = await server.profile("a", track("buy"))
        await report(server, "a", act(messageId="1"), act("component_click", messageId="2"))
        server.serve(ruleset_of(performed("buy", times=1), performed("component", times=1)))
        (matched,) = (await server.profile("a")).counts.values()
        assert matched == 1
        assert len(await server.store.read_log(profile.id)) == 1

    run(scenario())


def test_only_the_variants_of_a_known_experience_are_counted() -> None:
    """A served experience has a row for each variant, and none for what clients make up."""

    async def scenario() -> None:
        server = Server(ruleset_of(sticky=(STICKY,)))
        await report(
            server,
            "a",
            act(experience_id=STICKY, variantIndex=1, messageId="1"),
            act(experience_id=STICKY, variantIndex=3, messageId="2"),
        )
        one = {"views": 1, "unique_viewers": 1}
        assert await counted(server, STICKY) == {0: {}, 1: one, 2: {}}

    run(scenario())


def test_the_start_of_the_counting_is_told() -> None:
    """It is the arrival of the oldest counted event, and nothing before there is one."""

    async def scenario() -> None:
        server = Server()
        first = await server.service.metrics(ORGANIZATION, "main", "e")
        assert (first.since_ms, first.variants) == (None, [])
        for number in range(2):
            await report(server, "a", act(messageId=str(number), timestamp=NOW_MS - DAY_MS))
            server.now_ms += DAY_MS
        assert (await server.service.metrics(ORGANIZATION, "main", "e")).since_ms == NOW_MS

    run(scenario())


@pytest.mark.parametrize(
    "experience_id",
    [
        pytest.param("größe", id="letters beyond ASCII"),
        pytest.param('a"b\\c', id="quotes"),
        pytest.param("a/b", id="a slash"),
    ],
)
def test_every_spelling_of_an_id_is_found(experience_id: str) -> None:
    """An id that JSON writes in several ways is counted whichever way it was sent."""

    async def scenario() -> None:
        server = Server()
        item = [{"profile": {"id": "a"}, "events": [act(experience_id=experience_id)]}]
        escaped = json.dumps(item).replace("/", "\\/").encode()
        plain = json.dumps(item, ensure_ascii=False).encode()
        for body in (escaped, plain):
            await server.service.keep_interactions(ORGANIZATION, "main", decode_visits(body))
            server.now_ms += 1
        assert await counted(server, experience_id) == {0: {"views": 2, "unique_viewers": 1}}

    run(scenario())


def test_environments_are_apart() -> None:
    """The same experience of another environment has its own counts, and no foreign visitors."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="stage"))
        await server.send(HEX_ID, track())
        await report(server, "a", act(), to="stage")
        assert await counted(server) == {}
        with pytest.raises(NamespaceMismatch):
            await report(server, HEX_ID, act(), to="stage")
        with pytest.raises(ConfigNotFound):
            await report(server, "a", act(), to="nowhere")
        with pytest.raises(ConfigNotFound):
            await server.service.metrics(ORGANIZATION, "nowhere", "e")

    run(scenario())


def test_an_erased_profile_leaves_nothing() -> None:
    """With a profile goes what its visitor did, also as a profile that was merged into it."""

    async def scenario() -> None:
        server = Server()
        await server.send("laptop", identify("owner"))
        await server.send("phone", track())
        await report(server, "phone", act(messageId="1"))
        await report(server, "laptop", act(messageId="2"))
        await server.send("phone", identify("owner"))
        await report(server, "stranger", act(messageId="3"))
        assert await counted(server) == {0: {"views": 3, "unique_viewers": 3}}
        await server.erase("owner")
        logged = {entry.profile_id async for entry in server.store.scan_log()}
        assert logged == {interaction_log(name_key("stranger"))}

    run(scenario())
