"""Records under their keys, and what a name's key is."""

from __future__ import annotations

import pytest

from edgewise.errors import StoreCorrupt
from edgewise.model.profiles import Erasure, Profile, Redirect
from edgewise.records import Conflict, Records, id_for_name, is_server_made
from edgewise.stores.memory import MemoryStore
from tests.serving import run

PROFILE = Profile(
    organization="org",
    environment="main",
    id="p",
    stable_id="p",
    created_ms=1,
    updated_ms=7,
)


@pytest.mark.parametrize(
    ("name", "server_made"),
    [
        pytest.param("0123456789abcdef" * 4, True, id="hex"),
        pytest.param("0123456789ABCDEF" * 4, False, id="upper-case"),
        pytest.param("a" * 63, False, id="short"),
        pytest.param("a" * 65, False, id="long"),
        pytest.param("g" * 64, False, id="other-letters"),
        pytest.param("a" * 64 + "\n", False, id="line-end"),
        pytest.param("", False, id="empty"),
    ],
)
def test_server_made_ids(name: str, server_made: bool) -> None:
    """64 lowercase hex digits are an id, everything else is a name."""
    assert is_server_made(name) == server_made


def test_key_of_a_name_never_changes() -> None:
    """Stored redirects are found under it for ever: a literal key, made by another implementation
    of BLAKE2b."""
    literal = "c11ffab175bf95c03ecfab910ab4c24ef6b29c8a2ebdafb3a98ce72a0d683ea4"
    assert id_for_name("org/main", "user-1") == literal


def test_keys_of_names_differ() -> None:
    """Another name or another environment is another key, and every key looks like an id."""
    keys = {
        id_for_name(environment, name)
        for environment in ("org/main", "org/stage")
        for name in ("a", "b", "", "a" * 64)
    }
    assert len(keys) == 8
    assert all(is_server_made(key) for key in keys)


def test_records_come_back() -> None:
    """Each kind of record is read as it was written, with the version of the write."""

    async def scenario() -> None:
        records = Records(MemoryStore())
        redirect = Redirect("org", "main", "p")
        erasure = Erasure("org", "main", ["a"])
        versions = {
            "p": await records.save(PROFILE, 0),
            "r": await records.save_redirect("r", redirect, 0),
            "e": await records.save_erasure("e", erasure, 0),
        }
        for key, record in (("p", PROFILE), ("r", redirect), ("e", erasure)):
            found = await records.load(key)
            assert found is not None
            assert (found.record, found.version) == (record, versions[key])
        assert await records.load("nothing") is None

    run(scenario())


def test_write_at_another_version_is_a_conflict() -> None:
    """Whoever read an older record writes nothing, neither the record nor the log."""

    async def scenario() -> None:
        store = MemoryStore()
        records = Records(store)
        version = await records.save(PROFILE, 0)
        for write in (
            records.save(PROFILE, version + 1),
            records.save(PROFILE, 0),
            records.save_redirect("p", Redirect("org", "main", "q"), 0),
            records.save_erasure("p", Erasure("org", "main", []), 0),
        ):
            with pytest.raises(Conflict):
                await write
        found = await records.load("p")
        assert found is not None
        assert (found.record, found.version) == (PROFILE, version)

    run(scenario())


def test_what_expires() -> None:
    """A profile expires by its last update, an erasure always, a redirect never by itself."""

    async def scenario() -> None:
        store = MemoryStore()
        records = Records(store)
        await records.save(PROFILE, 0)
        await records.save_redirect("r", Redirect("org", "main", "p"), 0)
        await records.save_erasure("e", Erasure("org", "main", []), 0)
        assert await store.expire(7, 10) == ["e"]
        assert await store.expire(8, 10) == ["p", "e"]

    run(scenario())


def test_foreign_bytes_are_corrupt() -> None:
    """A key under which something else lies is reported and not overwritten."""

    async def scenario() -> None:
        store = MemoryStore()
        await store.put_if("p", b"something else", 0)
        with pytest.raises(StoreCorrupt):
            await Records(store).load("p")

    run(scenario())
