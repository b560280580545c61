"""Names, redirects and merges, met in every half-done state."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from itertools import permutations
from typing import Any

import pytest

from edgewise.errors import NamespaceMismatch, ProfileNotFound, StoreCorrupt
from edgewise.identity import Loaded, Vacant
from edgewise.model.profiles import Profile, Redirect
from edgewise.records import Conflict
from tests.serving import (
    MINUTE_MS,
    NOW_MS,
    ORGANIZATION,
    Server,
    event,
    identify,
    name_key,
    performed,
    ruleset_of,
    run,
    track,
)

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


async def seal(server: Server, loser_id: str, survivor_id: str) -> None:
    """Take the first step of a merge, as a process does that dies after it."""
    loaded = await server.identity.load(loser_id)
    assert isinstance(loaded, Loaded)
    loaded.profile.merging_into = survivor_id
    await server.records.save(loaded.profile, loaded.version)


async def raw(server: Server, key: str) -> object:
    found = await server.records.load(key)
    return None if found is None else found.record


def redirect(profile_id: str) -> Redirect:
    return Redirect(ORGANIZATION, "main", profile_id)


def test_new_user_id_leads_to_the_visitor() -> None:
    """The first identification leaves the visitor's id alone and gives the profile a name."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        assert (await server.profile(A, identify("user"))).id == A
        assert (await server.profile("user")).id == A
        assert (await server.profile("user", track())).id == A

    run(scenario())


@pytest.mark.parametrize("user_id", [None, ""], ids=["missing", "empty"])
def test_identify_without_a_user_id_sets_traits_only(user_id: str | None) -> None:
    """Without a user id there is nothing to lead anywhere."""

    async def scenario() -> None:
        server = Server()
        profile = await server.profile(A, event("identify", userId=user_id, traits={"plan": "pro"}))
        assert (profile.traits, profile.aliases) == ({"plan": "pro"}, [])
        assert list(server.store._rows) == [A]

    run(scenario())


@pytest.mark.parametrize("kind", ["identify", "alias"])
def test_owner_of_the_user_id_survives(kind: str) -> None:
    """Two devices of one user become the profile that owned the user id, by any of their ids."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        merged = await server.profile(B, event(kind, userId="user", traits={"plan": "pro"}))
        assert (merged.id, merged.stable_id) == (A, A)
        for name in (A, B, "user"):
            assert (await server.profile(name)).id == A
        assert await raw(server, B) == redirect(A)

    run(scenario())


def test_merge_keeps_what_both_knew() -> None:
    """Sessions, tallies, traits and pins of both are in the survivor, each once."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 3), sticky=("one", "two")))
        await server.send(A, track("buy"), identify("user", plan="free", colour="red"))
        server.now_ms += MINUTE_MS
        view = {"componentId": "c", "variantIndex": 2}
        await server.send(
            B,
            track("buy", timestamp=server.now_ms),
            identify("", plan="pro"),
            event("component", experienceId="one", **view),
        )
        outcome = await server.send(B, identify("user"), track("buy", timestamp=server.now_ms))
        profile = outcome.profile
        assert profile.session.count == 2
        assert profile.session.last_ms == server.now_ms
        assert profile.traits == {"plan": "pro", "colour": "red"}
        assert profile.assignments == {"one": 2}
        assert outcome.decision.audiences == ["buy-3"]
        assert await server.read(A) == outcome

    run(scenario())


def test_merge_of_both_before_either_was_stored() -> None:
    """Of a visitor who is identified in the very first request nothing but the owner remains."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        assert (await server.profile(None, identify("user"))).id == A
        assert set(server.store._rows) == {A, name_key("user")}
        # An id that the client knows must lead on; one that was never told need not.
        assert (await server.profile(B, identify("user"))).id == A
        assert await raw(server, B) == redirect(A)
        await server.erase(A)
        assert server.store._rows == {}

    run(scenario())


async def told(server: Server, profile_id: str) -> list[list[list[str]] | None]:
    """Which profiles were joined, as each event in the log of one tells."""
    entries = await server.store.read_log(profile_id)
    return [json.loads(entry.event).get("$joined") for entry in entries]


def test_log_tells_who_was_joined() -> None:
    """The first event that is counted after a merge tells of it in the log, and no other one."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        profile = await server.profile(B, identify("user"), track())
        await server.send(B, track())
        assert await told(server, A) == [None, [[B, A]], None, None]
        assert await told(server, B) == [None]
        assert profile.joined == ()

    run(scenario())


def test_log_tells_later_where_nothing_was_new() -> None:
    """Two merges by requests in which nothing is new are told by the next event that is."""

    async def scenario() -> None:
        server = Server()
        first, second = identify("first", "one"), identify("second", "two")
        await server.send(A, second)
        await server.send(B, first)
        await server.send(C, track())
        await server.send(C, first)
        await server.send(B, second)
        assert (await server.profile(C)).id == A
        assert (await told(server, A), await told(server, B)) == ([None], [None])
        await server.send(A, track(), track())
        assert await told(server, A) == [None, [[C, B], [B, A]], None]

    run(scenario())


def test_log_tells_of_a_merge_that_another_attempt_made() -> None:
    """Whoever completes a merge, and however often a request is tried, the log tells of it once."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        await seal(server, B, A)
        put_if = server.store.put_if
        failed: list[str] = []

        async def fail_once(key: str, value: bytes, version: int, *arguments: Any) -> int | None:
            if key == A and arguments[0] and not failed:
                failed.append(key)
                return None
            result: int | None = await put_if(key, value, version, *arguments)
            return result

        server.store.put_if = fail_once
        await server.send(B, track())
        await server.send(B, track())
        assert failed == [A]
        assert await told(server, A) == [None, [[B, A]], None]

    run(scenario())


@pytest.mark.parametrize("user_id", [A, "device"], ids=["id", "name"])
def test_merge_with_itself_is_nothing(user_id: str) -> None:
    """A visitor who is identified by an own id or name stays the same."""

    async def scenario() -> None:
        server = Server()
        name = "device" if user_id == "device" else A
        before = await server.profile(name, track())
        for message in (identify(user_id), event("alias", userId=user_id)):
            after = await server.profile(name, message)
        assert (after.id, after.absorbed) == (before.id, [])
        assert list(server.store._rows) == [before.id]

    run(scenario())


def test_old_ids_count_as_own() -> None:
    """A visitor who is identified by the id of a profile that it has absorbed stays the same."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        await server.send(B, identify("user"))
        profile = await server.profile(A, identify(B))
        assert (profile.id, profile.absorbed) == (A, [B])

    run(scenario())


def test_chain_of_merges_leads_to_the_end() -> None:
    """A profile that was merged twice over is found by every id, and redirects get short again."""

    async def scenario() -> None:
        server = Server()
        for survivor, user_id in ((A, "first"), (B, "second"), (C, "third")):
            await server.send(survivor, identify(user_id))
        await server.send(A, identify("second"))
        await server.send(B, identify("third"))
        for name in ("first", "second", "third", A, B, C):
            assert (await server.profile(name, track())).id == C
        assert await raw(server, A) == redirect(C)
        assert await raw(server, name_key("first")) == redirect(C)
        assert (await server.profile(C)).absorbed == [B, A]

    run(scenario())


def test_hash_as_user_id_is_a_name() -> None:
    """A user id of 64 hex digits that is no profile works like any other: it leads to the visitor,
    whose id stays, in each environment to another one, and an erasure removes it."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="stage"))
        await server.send(A, identify(D))
        assert (await server.profile(A)).id == A
        assert (await server.profile(D)).id == A
        staged = await server.send(B, identify(D), environment="stage")
        assert staged.profile.id == B
        assert (await server.read(D, "stage")).profile.id == B
        assert (await server.profile(C, identify(D))).id == A
        await server.erase(D)
        for name in (A, C, D):
            with pytest.raises(ProfileNotFound):
                await server.read(name)

    run(scenario())


def test_hash_as_user_id_in_another_environment_only() -> None:
    """A user id that is the id of another environment's profile is a name here, and a stranger's
    id as long as it is none."""

    async def scenario() -> None:
        server = Server(ruleset_of(), ruleset_of(environment="stage"))
        await server.send(D, track(), environment="stage")
        with pytest.raises(NamespaceMismatch):
            await server.read(D)
        await server.send(A, identify(D))
        assert (await server.profile(D)).id == A
        assert (await server.read(D, "stage")).profile.id == D

    run(scenario())


@pytest.mark.parametrize(
    ("slow", "fast"),
    [((D, track()), (A, identify(D))), ((A, identify(D)), (D, track()))],
    ids=["created-late", "claimed-late"],
)
def test_hash_is_claimed_while_its_profile_is_created(
    slow: tuple[str, dict[str, Any]], fast: tuple[str, dict[str, Any]]
) -> None:
    """Of a claim of a user id and the creation of a profile with that id one comes first, and the
    other one finds it, although both have seen before that nobody has it."""

    async def scenario() -> None:
        server = Server()
        get = server.store.get
        calls: list[str] = []

        async def other_is_faster(key: str) -> object:
            found: object = await get(key)
            if key == name_key(D) and not calls:
                calls.append(key)
                await server.send(*fast)
            return found

        server.store.get = other_is_faster
        await server.send(*slow)
        assert calls
        profile = await server.profile(A)
        assert await server.profile(D) == profile
        assert sum([len(await server.store.read_log(one)) for one in (A, D)]) == 2
        await server.erase(D)
        assert server.store._rows == {}

    run(scenario())


def test_id_of_another_profile_as_user_id_merges() -> None:
    """A user id that is the id of a profile of this environment makes the two one."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        await server.send(B, track())
        assert (await server.profile(B, identify(A))).id == A
        assert await raw(server, B) == redirect(A)

    run(scenario())


async def _nothing(server: Server) -> None:
    await seal(server, B, A)


async def _survivor_written(server: Server) -> None:
    await seal(server, B, A)
    identity = server.identity

    async def die(*_: object) -> int:
        raise Conflict

    identity.records.save_redirect = die  # type: ignore[method-assign,assignment]
    with pytest.raises(Conflict):
        await identity.load(B)


@pytest.mark.parametrize("die", [_nothing, _survivor_written], ids=["sealed", "survivor-written"])
@pytest.mark.parametrize("name", ["update", "read", "erase", "preflight"])
def test_half_done_merge_is_completed(die: Callable[[Server], Awaitable[None]], name: str) -> None:
    """Whoever meets a merge whose process died completes it, and nothing is added twice."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 2)))
        await server.send(A, track("buy"), identify("user"))
        await server.send(B, track("buy"))
        await die(server)
        rows = dict(server.store._rows)
        if name == "erase":
            await server.erase(B)
            assert server.store._rows == {}
            return
        if name == "update":
            outcome = await server.send(B, track("look"))
            assert await raw(server, B) == redirect(A)
        elif name == "read":
            outcome = await server.read(B)
            assert server.store._rows == rows
        else:
            outcome = await server.send(B, track("look"), preflight=True)
            assert server.store._rows == rows
        assert outcome.profile.id == A
        assert outcome.profile.session.count == 2
        assert outcome.decision.audiences == ["buy-2"]

    run(scenario())


@pytest.mark.parametrize("order", list(permutations((A, B, C))), ids=lambda ids: ids[0][0])
def test_profiles_that_merge_into_each_other(order: tuple[str, str, str]) -> None:
    """A ring of half-done merges ends with one profile, the one with the least id, from wherever
    it is met; all events are in it."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 3)))
        for profile_id in order:
            await server.send(profile_id, track("buy"))
        loaded = [await server.identity.load(profile_id) for profile_id in order]
        for one, survivor_id in zip(loaded, (*order[1:], order[0]), strict=True):
            assert isinstance(one, Loaded)
            one.profile.merging_into = survivor_id
            await server.records.save(one.profile, one.version)
        for profile_id in order:
            assert (await server.read(profile_id)).profile.id == A
        # Each loser is met by its own id; a survivor does not know who is still on the way.
        for profile_id in order:
            outcome = await server.send(profile_id, track("look"))
        assert outcome.profile.session.count == 3
        assert outcome.decision.audiences == ["buy-3"]

    run(scenario())


def test_way_into_a_ring_of_merges() -> None:
    """A profile that leads into a ring is not part of it, and is merged like all others."""

    async def scenario() -> None:
        server = Server(ruleset_of(performed("buy", 3)))
        for profile_id in (A, B, C):
            await server.send(profile_id, track("buy"))
        loaded = {one: await server.identity.load(one) for one in (A, B, C)}
        for loser_id, survivor_id in ((A, B), (B, C), (C, B)):
            one = loaded[loser_id]
            assert isinstance(one, Loaded)
            one.profile.merging_into = survivor_id
            await server.records.save(one.profile, one.version)
        for profile_id in (A, C):
            outcome = await server.send(profile_id, track("look"))
        assert outcome.profile.id == B
        assert outcome.decision.audiences == ["buy-3"]

    run(scenario())


def test_merge_into_an_erased_profile_is_called_off() -> None:
    """A loser whose survivor was erased in between lives on as it was."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user", plan="pro"))
        before = await server.profile(B, identify("", colour="red"))
        await seal(server, B, A)
        await server.erase(A)
        assert await server.profile(B) == before
        after = await server.profile(B, identify("user"))
        assert (after.id, after.traits) == (B, {"colour": "red"})
        assert (await server.profile("user")).id == B

    run(scenario())


def test_survivor_is_erased_while_the_merge_goes_on() -> None:
    """A request whose merge is called off under its hands takes the user id for itself."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        put_if, calls = server.store.put_if, []

        async def erase_after_seal(key: str, *arguments: object) -> int | None:
            result: int | None = await put_if(key, *arguments)
            calls.append(key)
            if calls == [B]:
                await server.erase(A)
            return result

        server.store.put_if = erase_after_seal
        profile = await server.profile(B, identify("user"))
        assert profile.id == B
        assert (await server.profile("user")).id == B
        assert (await server.profile(B)).session.count == 1

    run(scenario())


def test_redirect_to_nothing_is_created_where_it_leads() -> None:
    """A name whose redirect was written by a process that died leads to a profile on first use."""

    async def scenario() -> None:
        server = Server()
        await server.records.save_redirect(name_key("user"), redirect(A), 0)
        with pytest.raises(ProfileNotFound):
            await server.read("user")
        assert (await server.profile("user", track())).id == A

    run(scenario())


def test_user_id_that_leads_to_nothing_is_free() -> None:
    """A user id whose owner never came to be goes to the next visitor, whose id stays."""

    async def scenario() -> None:
        server = Server()
        await server.records.save_redirect(name_key("user"), redirect(A), 0)
        assert (await server.profile(B, identify("user"))).id == B
        assert (await server.profile("user")).id == B
        # Who would have been the owner is the same visitor now.
        assert (await server.profile(A, track())).id == B
        await server.erase(B)
        assert server.store._rows == {}

    run(scenario())


def test_redirect_that_came_after_an_erasure_is_known_again() -> None:
    """A profile that was created anew learns of a redirect that was written too late for the
    erasure of the one before it, so that the next erasure finds it."""

    async def scenario() -> None:
        server = Server()
        await server.records.save_redirect(name_key("user"), redirect(A), 0)
        await server.send(A, track())
        assert (await server.profile(A, identify("user"))).aliases == ["user"]
        await server.erase(A)
        assert server.store._rows == {}

    run(scenario())


def test_two_processes_claim_one_user_id() -> None:
    """Of two visitors who are identified at once one gets the user id, the other is merged."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        await server.send(B, track())
        save_redirect, calls = server.store.put_if, []

        async def other_is_faster(key: str, *arguments: object) -> int | None:
            calls.append(key)
            if key == name_key("user") and calls.count(key) == 1:
                await server.send(A, identify("user"))
            result: int | None = await save_redirect(key, *arguments)
            return result

        server.store.put_if = other_is_faster
        assert (await server.profile(B, identify("user"))).id == A
        assert (await server.profile(B)).session.count == 2

    run(scenario())


def test_vacant_key() -> None:
    """A key under which there never was anything would be created as it is."""

    async def scenario() -> None:
        assert await Server().identity.load(A) == Vacant(A)

    run(scenario())


def test_ring_of_redirects_is_corrupt() -> None:
    """Redirects that lead round in a circle, which nothing here makes, are an error and no hang."""

    async def scenario() -> None:
        server = Server()
        await server.records.save_redirect(A, redirect(B), 0)
        await server.records.save_redirect(B, redirect(A), 0)
        with pytest.raises(StoreCorrupt, match="back to itself"):
            await server.read(A)

    run(scenario())


def test_new_profiles_know_when_they_were_made() -> None:
    """A profile that was made only to be led to can expire like any other."""

    async def scenario() -> None:
        server = Server()
        loaded = await server.identity.find_or_create("device", NOW_MS)
        assert loaded.version == 0
        assert (loaded.profile.created_ms, loaded.profile.updated_ms) == (NOW_MS, NOW_MS)
        assert isinstance(loaded.profile, Profile)

    run(scenario())
