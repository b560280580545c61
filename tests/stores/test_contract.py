"""What every store does alike; each test runs on each of them."""

from __future__ import annotations

import asyncio

import pytest

from edgewise.errors import StoreError
from edgewise.model.log import LogEntry
from edgewise.stores.base import Store
from tests.stores.openers import Run

HEX_ID = "ab" * 32
FOR_EVER = 10**6


def entry(profile_id: str, message_key: int, arrival_ms: int = 1_000) -> LogEntry:
    return LogEntry(
        environment="org/main",
        profile_id=profile_id,
        message_key=message_key,
        time_ms=arrival_ms - 7,
        arrival_ms=arrival_ms,
        event=b'{"type":"page","n":%d}' % message_key,
    )


async def scanned(store: Store, since_ms: int = 0) -> list[LogEntry]:
    return [found async for found in store.scan_log(since_ms)]


def keys_of(entries: list[LogEntry]) -> list[int]:
    return [found.message_key for found in entries]


def test_unknown_key(run: Run) -> None:
    """A key that was never written has no value."""

    async def scenario(store: Store) -> None:
        assert await store.get("nobody") is None

    run(scenario)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("org/main:id", b"value", id="plain"),
        pytest.param("", b"", id="empty"),
        pytest.param("a\0b", b"\0\xff\0", id="zero-bytes"),
        pytest.param("a' OR '1'='1", b"x", id="quotes"),
        pytest.param("\N{SNOWMAN}\U0001f600", b"x", id="beyond-ascii"),
        pytest.param("k" * 5_000, b"v" * 300_000, id="long"),
    ],
)
def test_value_comes_back(run: Run, key: str, value: bytes) -> None:
    """A written value comes back byte by byte, with the version that the write returned."""

    async def scenario(store: Store) -> None:
        version = await store.put_if(key, value, 0)
        assert await store.get(key) == (value, version)

    run(scenario)


def test_versions_grow(run: Run) -> None:
    """Every write of a key returns a version above the one before."""

    async def scenario(store: Store) -> None:
        versions = [0]
        for number in range(5):
            version = await store.put_if("k", b"%d" % number, versions[-1])
            assert version is not None
            assert version > versions[-1]
            versions.append(version)
        assert await store.get("k") == (b"4", versions[-1])

    run(scenario)


def test_create_conflict(run: Run) -> None:
    """A key that exists is not created again."""

    async def scenario(store: Store) -> None:
        version = await store.put_if("k", b"first", 0)
        assert await store.put_if("k", b"second", 0) is None
        assert await store.get("k") == (b"first", version)

    run(scenario)


@pytest.mark.parametrize("offset", [-1, 1, 1_000], ids=["older", "newer", "far"])
def test_update_conflict(run: Run, offset: int) -> None:
    """A write at any other version than the current one changes nothing."""

    async def scenario(store: Store) -> None:
        first = await store.put_if("k", b"first", 0)
        assert first is not None
        version = await store.put_if("k", b"second", first)
        assert version is not None
        assert await store.put_if("k", b"third", version + offset) is None
        assert await store.get("k") == (b"second", version)

    run(scenario)


def test_update_of_a_missing_key(run: Run) -> None:
    """A write at a version fails where the key does not exist."""

    async def scenario(store: Store) -> None:
        assert await store.put_if("k", b"value", 1) is None
        assert await store.get("k") is None

    run(scenario)


def test_keys_are_apart(run: Run) -> None:
    """Keys that differ in case or in trailing blanks are different keys."""

    async def scenario(store: Store) -> None:
        for key in ("k", "K", "k ", "k\0"):
            assert await store.put_if(key, key.encode(), 0) is not None
        for key in ("k", "K", "k ", "k\0"):
            found = await store.get(key)
            assert found is not None
            assert found[0] == key.encode()

    run(scenario)


def test_delete(run: Run) -> None:
    """A deleted key is gone, and only the first deletion reports it."""

    async def scenario(store: Store) -> None:
        await store.put_if("k", b"value", 0)
        assert await store.delete("k") is True
        assert await store.get("k") is None
        assert await store.delete("k") is False

    run(scenario)


def test_delete_at_a_version(run: Run) -> None:
    """A deletion at a version happens only while the key has it."""

    async def scenario(store: Store) -> None:
        first = await store.put_if("k", b"first", 0)
        assert first is not None
        second = await store.put_if("k", b"second", first)
        assert await store.delete("k", first) is False
        assert await store.get("k") == (b"second", second)
        assert await store.delete("k", second) is True
        assert await store.get("k") is None

    run(scenario)


@pytest.mark.parametrize("writes", [1, 2, 9], ids=["one", "two", "nine"])
def test_old_versions_never_come_back(run: Run, writes: int) -> None:
    """No version from before a deletion fits the key that is created after it."""

    async def scenario(store: Store) -> None:
        seen: set[int] = set()
        for _ in range(3):
            version = 0
            for _ in range(writes):
                version = await store.put_if("k", b"value", version) or 0
                assert version not in seen
                seen.add(version)
            for old in seen - {version}:
                assert await store.put_if("k", b"stale", old) is None
            await store.delete("k")

    run(scenario)


def test_entries_are_part_of_the_write(run: Run) -> None:
    """The entries of a write are in the log once the write is done."""

    async def scenario(store: Store) -> None:
        await store.put_if("k", b"value", 0, [entry(HEX_ID, 1), entry(HEX_ID, 2)])
        assert await store.read_log(HEX_ID) == [entry(HEX_ID, 1), entry(HEX_ID, 2)]

    run(scenario)


def test_conflict_appends_nothing(run: Run) -> None:
    """A write that meets a conflict leaves no entry in the log."""

    async def scenario(store: Store) -> None:
        version = await store.put_if("k", b"value", 0)
        assert version is not None
        assert await store.put_if("k", b"again", 0, [entry(HEX_ID, 1)]) is None
        assert await store.put_if("k", b"again", version + 1, [entry(HEX_ID, 2)]) is None
        assert await store.read_log(HEX_ID) == []

    run(scenario)


def test_logged_messages_are_skipped(run: Run) -> None:
    """An entry that the log of its profile has is skipped, and the write it belongs to is not."""

    async def scenario(store: Store) -> None:
        version = await store.put_if("k", b"first", 0, [entry("p", 1, arrival_ms=5)])
        assert version is not None
        entries = [entry("p", 1, arrival_ms=9), entry("p", 2), entry("p", 2), entry("q", 1)]
        assert await store.put_if("k", b"second", version, entries) is not None
        assert await scanned(store) == [
            entry("p", 1, arrival_ms=5),
            entry("p", 2),
            entry("q", 1),
        ]

    run(scenario)


def test_append_counts_new_entries(run: Run) -> None:
    """An append returns how many of its entries the log did not have."""

    async def scenario(store: Store) -> None:
        assert await store.append([]) == 0
        assert await store.append([entry("p", 1), entry("p", 2), entry("p", 1)]) == 2
        assert await store.append([entry("p", 2), entry("p", 3), entry("q", 2)]) == 2

    run(scenario)


@pytest.mark.parametrize(
    "message_key",
    [
        pytest.param(0, id="zero"),
        pytest.param(2**63 - 1, id="below-the-sign-bit"),
        pytest.param(2**63, id="sign-bit"),
        pytest.param(2**64 - 1, id="all-bits"),
    ],
)
@pytest.mark.parametrize(
    "profile_id",
    [
        pytest.param(HEX_ID, id="hex"),
        pytest.param(HEX_ID.upper(), id="upper-hex"),
        pytest.param("x" * 32, id="32-letters"),
        pytest.param("\N{SNOWMAN} visitor", id="beyond-ascii"),
        pytest.param("", id="empty"),
    ],
)
def test_entries_come_back_equal(run: Run, profile_id: str, message_key: int) -> None:
    """An entry comes back equal, whatever its profile is called and its message hashes to."""

    async def scenario(store: Store) -> None:
        await store.append([entry(profile_id, message_key)])
        assert await store.read_log(profile_id) == [entry(profile_id, message_key)]
        assert await scanned(store) == [entry(profile_id, message_key)]
        assert await store.logged([profile_id], [message_key]) == {message_key}

    run(scenario)


def test_profile_ids_are_apart(run: Run) -> None:
    """An id of 64 hex characters and an id of the 32 letters with those codes have two logs."""
    letters = "A" * 32
    as_hex = letters.encode().hex()

    async def scenario(store: Store) -> None:
        assert await store.append([entry(letters, 1), entry(as_hex, 1)]) == 2
        assert await store.read_log(letters) == [entry(letters, 1)]
        assert await store.read_log(as_hex) == [entry(as_hex, 1)]

    run(scenario)


def test_log_order(run: Run) -> None:
    """A log is read in the order of appending, not of message keys or times."""
    message_keys = [(number * 7919) % 3_001 for number in range(1, 3_001)]
    entries = [entry("p", key, arrival_ms=5_000 - key) for key in message_keys]

    async def scenario(store: Store) -> None:
        assert await store.append(entries) == 3_000
        assert keys_of(await store.read_log("p")) == message_keys

    run(scenario)


def test_empty_log(run: Run) -> None:
    """A profile without entries has an empty log."""

    async def scenario(store: Store) -> None:
        await store.append([entry("p", 1)])
        assert await store.read_log("q") == []
        assert await store.logged(["q"], [1]) == set()
        assert await store.logged(["p"], [2]) == set()
        assert await store.logged(["q", "p"], [1, 2]) == {1}
        assert await store.delete_log("q") == 0

    run(scenario)


def test_scan_of_an_empty_log(run: Run) -> None:
    """A scan of an empty log ends at once."""

    async def scenario(store: Store) -> None:
        assert await scanned(store) == []

    run(scenario)


def test_scan_since(run: Run) -> None:
    """A scan returns what arrived at the given time or later, in the order of appending."""
    arrivals = [30, 10, 20, 40, 20]

    async def scenario(store: Store) -> None:
        await store.append(
            [entry(f"p{key}", key, arrival_ms) for key, arrival_ms in enumerate(arrivals)]
        )
        assert keys_of(await scanned(store)) == [0, 1, 2, 3, 4]
        assert keys_of(await scanned(store, 20)) == [0, 2, 3, 4]
        assert keys_of(await scanned(store, 21)) == [0, 3]
        assert keys_of(await scanned(store, 41)) == []

    run(scenario)


def test_scan_in_pages(run: Run) -> None:
    """A scan over many pages returns each entry once, also where most of them do not match."""

    async def scenario(store: Store) -> None:
        await store.append([entry(f"p{key % 7}", key, key) for key in range(1, 2_001)])
        assert keys_of(await scanned(store)) == list(range(1, 2_001))
        assert keys_of(await scanned(store, 1_990)) == list(range(1_990, 2_001))

    run(scenario)


def test_scan_while_appending(run: Run) -> None:
    """A scan returns what was there when it began, once each, while appends go on."""

    async def scenario(store: Store) -> None:
        await store.append([entry("p", key) for key in range(1_000)])
        found = []
        async for logged in store.scan_log():
            found.append(logged.message_key)
            if len(found) % 100 == 0:
                await store.append([entry("q", len(found))])
        assert found == list(range(1_000))
        assert len(await scanned(store)) == 1_010

    run(scenario)


def test_scan_while_deleting(run: Run) -> None:
    """A scan goes on over what is left when entries are removed and others are appended."""

    async def scenario(store: Store) -> None:
        await store.append([entry("p", key) for key in range(600)])
        await store.append([entry("q", key) for key in range(600)])
        found = set()
        async for logged in store.scan_log():
            found.add((logged.profile_id, logged.message_key))
            if len(found) == 10:
                await store.delete_log("p")
        assert {("q", key) for key in range(600)} <= found

    run(scenario)


def test_delete_log(run: Run) -> None:
    """Deleting a log removes all entries of its profile, however many, and no others."""

    async def scenario(store: Store) -> None:
        await store.append([entry(HEX_ID, key) for key in range(1_234)])
        await store.append([entry("q", 1)])
        assert await store.delete_log(HEX_ID) == 1_234
        assert await store.read_log(HEX_ID) == []
        assert await scanned(store) == [entry("q", 1)]

    run(scenario)


def test_delete_log_at_a_version(run: Run) -> None:
    """A log is removed at the version of its profile's key, and at no other, also not after the
    key was removed and made again."""

    async def scenario(store: Store) -> None:
        first = await store.put_if("p", b"value", 0, [entry("p", 1)])
        assert first is not None
        assert await store.delete_log("p", first + 1) == 0
        assert await store.delete_log("p", 0) == 0
        await store.delete("p", first)
        await store.put_if("p", b"again", 0)
        assert await store.delete_log("p", first) == 0
        assert keys_of(await store.read_log("p")) == [1]
        found = await store.get("p")
        assert found is not None
        assert await store.delete_log("p", found[1]) == 1
        assert await store.read_log("p") == []

    run(scenario)


def test_deleted_messages_are_new_again(run: Run) -> None:
    """A message can be logged again once its log was deleted."""

    async def scenario(store: Store) -> None:
        await store.append([entry("p", 1)])
        await store.delete_log("p")
        assert await store.append([entry("p", 1)]) == 1
        assert await store.read_log("p") == [entry("p", 1)]

    run(scenario)


def test_delete_keeps_the_log(run: Run) -> None:
    """Deleting a record leaves the log alone."""

    async def scenario(store: Store) -> None:
        await store.put_if("k", b"value", 0, [entry("p", 1)])
        await store.delete("k")
        assert await store.read_log("p") == [entry("p", 1)]

    run(scenario)


def test_trim_by_age(run: Run) -> None:
    """Trimming removes what arrived before a time and keeps what arrived at it."""

    async def scenario(store: Store) -> None:
        await store.append([entry(f"p{key % 3}", key, key) for key in range(900)])
        assert await store.trim_log(600, FOR_EVER, FOR_EVER) == 600
        assert keys_of(await scanned(store)) == list(range(600, 900))
        assert await store.trim_log(600, FOR_EVER, FOR_EVER) == 0

    run(scenario)


def test_trim_out_of_order(run: Run) -> None:
    """Trimming also finds old entries behind newer ones."""

    async def scenario(store: Store) -> None:
        await store.append([entry("p", key, 100) for key in range(500)])
        await store.append([entry("p", key, 1) for key in range(500, 510)])
        await store.append([entry("p", key, 100) for key in range(510, 800)])
        assert await store.trim_log(50, FOR_EVER, FOR_EVER) == 10
        assert keys_of(await scanned(store)) == [*range(500), *range(510, 800)]

    run(scenario)


@pytest.mark.parametrize("newest", [0, 1, 150, 400], ids=["none", "one", "pages", "all"])
def test_trim_to_the_newest(run: Run, newest: int) -> None:
    """Trimming keeps exactly the newest entries of each profile."""

    async def scenario(store: Store) -> None:
        await store.append([entry(f"p{key % 2}", key) for key in range(800)])
        await store.append([entry("small", 1)])
        expected = 2 * (400 - newest) + (newest == 0)
        assert await store.trim_log(0, newest, FOR_EVER) == expected
        for parity in (0, 1):
            kept = [key for key in range(800) if key % 2 == parity][400 - newest :]
            assert keys_of(await store.read_log(f"p{parity}")) == kept
        assert await store.trim_log(0, newest, FOR_EVER) == 0

    run(scenario)


@pytest.mark.parametrize("limit", [1, 7, 100, 333], ids=str)
def test_trim_in_steps(run: Run, limit: int) -> None:
    """Repeated trimming removes no more than the limit at a time, and all in the end."""

    async def scenario(store: Store) -> None:
        await store.append([entry("old", key, 1) for key in range(300)])
        await store.append([entry("many", key, 9) for key in range(300)])
        removed = []
        while count := await store.trim_log(5, 100, limit):
            removed.append(count)
        assert max(removed) <= limit
        assert sum(removed) == 500
        assert keys_of(await scanned(store)) == list(range(200, 300))

    run(scenario)


def test_trim_of_an_empty_log(run: Run) -> None:
    """There is nothing to trim in an empty log."""

    async def scenario(store: Store) -> None:
        assert await store.trim_log(FOR_EVER, 0, 10) == 0

    run(scenario)


def test_expire(run: Run) -> None:
    """Keys expire that were last seen before the time; those never seen do not."""

    async def scenario(store: Store) -> None:
        for key, seen_ms in (("old", 10), ("at", 20), ("young", 30), ("alias", 0)):
            await store.put_if(key, b"value", 0, seen_ms=seen_ms)
        assert await store.expire(20, 10) == ["old"]
        assert await store.expire(10, 10) == []
        assert await store.get("old") is not None

    run(scenario)


def test_expire_goes_by_the_last_write(run: Run) -> None:
    """A later write of a key moves the time it was last seen."""

    async def scenario(store: Store) -> None:
        version = await store.put_if("k", b"value", 0, seen_ms=10)
        assert version is not None
        await store.put_if("k", b"value", version, seen_ms=50)
        assert await store.expire(50, 10) == []
        assert await store.expire(51, 10) == ["k"]

    run(scenario)


@pytest.mark.parametrize("limit", [1, 10, 1_000], ids=str)
def test_expire_in_steps(run: Run, limit: int) -> None:
    """Expiring and deleting step by step reaches every old key, and no other."""

    async def scenario(store: Store) -> None:
        for number in range(700):
            await store.put_if(f"k{number}", b"value", 0, seen_ms=1 + number % 2)
        gone: list[str] = []
        while found := await store.expire(2, limit):
            assert len(found) <= limit
            for key in found:
                assert await store.delete(key)
            gone += found
        assert sorted(gone) == sorted(f"k{number}" for number in range(0, 700, 2))

    run(scenario)


def test_concurrent_increments(run: Run) -> None:
    """Tasks that increment one value and retry on conflict lose no increment."""

    async def scenario(store: Store) -> None:
        async def increment() -> None:
            for _ in range(20):
                while True:
                    value, version = await store.get("n") or (b"0", 0)
                    await asyncio.sleep(0)
                    if await store.put_if("n", b"%d" % (int(value) + 1), version):
                        break

        await asyncio.gather(*(increment() for _ in range(10)))
        found = await store.get("n")
        assert found is not None
        assert found[0] == b"200"

    run(scenario)


def test_one_of_many_creators_wins(run: Run) -> None:
    """Of many writes that create one key in the same moment, one succeeds, with its entries."""

    async def scenario(store: Store) -> None:
        writes = (
            store.put_if("k", b"%d" % number, 0, [entry("p", number)]) for number in range(50)
        )
        results = await asyncio.gather(*writes)
        winners = [number for number, version in enumerate(results) if version is not None]
        assert len(winners) == 1
        assert await store.get("k") == (b"%d" % winners[0], results[winners[0]])
        assert await store.read_log("p") == [entry("p", winners[0])]

    run(scenario)


def test_closed_store(run: Run) -> None:
    """A closed store refuses reads and writes, and may be closed again."""

    async def scenario(store: Store) -> None:
        await store.put_if("k", b"value", 0)
        await store.close()
        with pytest.raises(StoreError):
            await store.get("k")
        with pytest.raises(StoreError):
            await store.put_if("k", b"value", 1)
        with pytest.raises(StoreError):
            await scanned(store)
        await store.close()

    run(scenario)
