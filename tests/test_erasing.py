"""The removal of a profile, step by step and by several processes at once."""

from __future__ import annotations

import pytest

from edgewise.erasing import erase, finish_erasure
from edgewise.errors import ProfileNotFound
from edgewise.model.profiles import Erasure, Profile, Redirect
from edgewise.records import Conflict
from tests.serving import ORGANIZATION, Server, identify, name_key, run, track

A, B, C = "a" * 64, "b" * 64, "c" * 64


async def family(server: Server) -> None:
    """A profile with two names that has absorbed another one, which had a name too."""
    await server.send(A, identify("user"), identify("second"))
    await server.send(B, identify("third"))
    await server.send(B, identify("user"))
    await server.send("stranger", track())


async def left(server: Server) -> set[str]:
    """Every key and every id of a log that is left, the stranger's excepted."""
    logged = {entry.profile_id async for entry in server.store.scan_log()}
    return {*server.store._rows, *logged} - {name_key("stranger")}


def test_all_that_belongs_to_a_profile_goes() -> None:
    """Names, ids of old, logs and the record go, and nothing of anybody else."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        loaded = await server.living("third")
        await erase(server.records, loaded.profile, loaded.version)
        assert await left(server) == set()
        assert (await server.profile("stranger")).session.count == 1

    run(scenario())


def test_changed_profile_is_not_erased() -> None:
    """An erasure of what somebody has changed meanwhile does nothing."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        loaded = await server.living(A)
        await server.send(A, track())
        before = dict(server.store._rows)
        with pytest.raises(Conflict):
            await erase(server.records, loaded.profile, loaded.version)
        assert server.store._rows == before

    run(scenario())


@pytest.mark.parametrize("steps", range(9))
def test_erasure_that_died_is_completed(steps: int) -> None:
    """Wherever the process dies, whoever meets the profile next completes the erasure."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        loaded = await server.living(A)
        delete, count = server.store.delete, 0

        async def die(*arguments: object) -> bool:
            nonlocal count
            count += 1
            if count > steps:
                raise KeyboardInterrupt
            result: bool = await delete(*arguments)
            return result

        server.store.delete = die
        try:
            await erase(server.records, loaded.profile, loaded.version)
        except KeyboardInterrupt:
            server.store.delete = delete
        with pytest.raises(ProfileNotFound):
            await server.read(A)
        await server.send(A, track())
        assert await left(server) == {A}
        assert len(await server.store.read_log(A)) == 1

    run(scenario())


def test_slow_eraser_harms_nobody_new() -> None:
    """A process that resumes an erasure long after others have completed it, and after the same
    visitor has come back, removes nothing of the new profile."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        loaded = await server.living(A)
        await erase(server.records, loaded.profile, loaded.version)
        await server.send(A, track(), identify("user"))
        await server.send(B, track())
        before = dict(server.store._rows)
        keys = [B, name_key("user"), name_key("second"), name_key("third")]
        erasure = Erasure(ORGANIZATION, "main", keys)
        await finish_erasure(server.records, A, erasure, loaded.version + 1)
        assert len(await server.store.read_log(A)) == 2
        assert len(await server.store.read_log(B)) == 1
        assert server.store._rows == before

    run(scenario())


def test_slow_eraser_does_not_look_again_for_what_is_new() -> None:
    """A process whose removal fails, since others have completed the erasure and the same visitors
    have come back and were merged again, takes nothing that leads to the new profile."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        loaded = await server.living(A)
        delete_log = server.store.delete_log
        moments: list[dict[str, object]] = []

        async def others_complete_it(log_id: str, version: int | None = None) -> int:
            if not moments:
                moments.append({})
                await server.send(A, identify("user"))
                await server.send(B, track())
                await server.send(B, identify("user"))
                moments.append(dict(server.store._rows))
            removed: int = await delete_log(log_id, version)
            return removed

        server.store.delete_log = others_complete_it
        await erase(server.records, loaded.profile, loaded.version)
        assert server.store._rows == moments[1]
        assert len(await server.store.read_log(A)) == 2
        assert len(await server.store.read_log(B)) == 1

    run(scenario())


def test_what_leads_elsewhere_stays() -> None:
    """A name that was noted but went to another profile is not removed with this one."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        await server.send(B, track())
        loaded = await server.living(B)
        loaded.profile.aliases += ["user", C]
        await server.records.save(loaded.profile, loaded.version)
        await server.erase(B)
        assert (await server.profile("user")).id == A

    run(scenario())


def test_profile_that_was_to_be_merged_goes_with_its_survivor() -> None:
    """A loser that the survivor has absorbed, but that is no redirect yet, goes too."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        await server.send(B, track())
        loser, survivor = await server.living(B), await server.living(A)
        loser.profile.merging_into = A
        await server.records.save(loser.profile, loser.version)
        survivor.profile.absorbed.append(B)
        await server.records.save(survivor.profile, survivor.version)
        await server.erase(A)
        assert await left(server) == set()

    run(scenario())


def test_redirect_that_is_moved_meanwhile_goes_too() -> None:
    """A redirect that somebody shortens while it is being removed does not survive."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, identify("user"))
        key = name_key("user")
        delete = server.store.delete
        moved: list[str] = []

        async def move_first(removed: str, version: int) -> bool:
            if removed == key and not moved:
                moved.append(removed)
                redirect = Redirect(ORGANIZATION, "main", A)
                await server.records.save_redirect(key, redirect, version)
            result: bool = await delete(removed, version)
            return result

        server.store.delete = move_first
        await server.erase(A)
        assert moved
        assert await left(server) == set()
        assert await server.store.get(key) is None

    run(scenario())


def test_erased_while_another_finishes() -> None:
    """Two processes that complete one erasure at once do no harm to each other."""

    async def scenario() -> None:
        server = Server()
        await family(server)
        found = await server.records.load(A)
        assert found is not None
        profile = found.record
        assert isinstance(profile, Profile)
        erasure = Erasure(ORGANIZATION, "main", [B, name_key("user")])
        version = await server.records.save_erasure(A, erasure, found.version)
        for _ in range(2):
            await finish_erasure(server.records, A, erasure, version)
        assert A not in await left(server)

    run(scenario())


def test_key_that_is_alive_again_keeps_what_leads_to_it() -> None:
    """An erasure that is completed late leaves alone what has been merged since then into a
    profile that was created anew under one of its keys."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        found = await server.records.load(A)
        assert found is not None
        erasure = Erasure(ORGANIZATION, "main", [B, C])
        version = await server.records.save_erasure(A, erasure, found.version)
        await server.send(B, identify("user"))
        await server.send(C, track())
        await server.send(C, identify("user"))
        before = await server.profile(C)
        await finish_erasure(server.records, A, erasure, version)
        assert await server.store.get(A) is None
        assert await server.profile(C) == before
        assert len(await server.store.read_log(C)) == 1

    run(scenario())


def test_farthest_key_goes_first() -> None:
    """A chain of redirects is removed from its far end, so that what is left still leads on."""

    async def scenario() -> None:
        server = Server()
        await server.send(A, track())
        for key, target in ((B, A), (C, B)):
            await server.records.save_redirect(key, Redirect(ORGANIZATION, "main", target), 0)
        loaded = await server.living(A)
        loaded.profile.aliases += [B, C]
        await server.records.save(loaded.profile, loaded.version)
        removed: list[str] = []
        delete = server.store.delete

        async def note(key: str, version: int) -> bool:
            removed.append(key)
            result: bool = await delete(key, version)
            return result

        server.store.delete = note
        await server.erase(A)
        assert removed == [C, B, A]

    run(scenario())
