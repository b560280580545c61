from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from edgewise.errors import StoreCorrupt, StoreUrlError
from edgewise.stores.base import Store
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.urls import open_store, store_file


def write_and_close(store: Store) -> None:
    async def scenario() -> None:
        assert await store.put_if("k", b"value", 0) is not None
        await store.close()

    asyncio.run(scenario())


def test_memory() -> None:
    """memory:// opens a store in memory, a new one each time."""
    first, second = open_store("memory://"), open_store("memory://")
    assert isinstance(first, MemoryStore)
    write_and_close(first)
    write_and_close(second)


@pytest.mark.parametrize("options", ["", "?durability=normal", "?durability=full"], ids=repr)
def test_sqlite(tmp_path: Path, options: str) -> None:
    """sqlite:// opens a file, with or without a durability."""
    store = open_store(f"sqlite://{tmp_path}/a.db{options}")
    assert isinstance(store, SqliteStore)
    write_and_close(store)
    assert (tmp_path / "a.db").stat().st_size > 0


@pytest.mark.parametrize(
    ("options", "synchronous"), [("", 1), ("?durability=full", 2)], ids=["normal", "full"]
)
def test_durability_reaches_the_database(tmp_path: Path, options: str, synchronous: int) -> None:
    """The durability of the URL is the one that the connection has."""
    store = open_store(f"sqlite://{tmp_path}/a.db{options}")
    assert isinstance(store, SqliteStore)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    write_and_close(store)


def test_scheme_in_any_case(tmp_path: Path) -> None:
    """The scheme may be written in capitals."""
    write_and_close(open_store(f"SQLite://{tmp_path}/a.db"))
    assert (tmp_path / "a.db").exists()


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "a#b?.db", "\N{SNOWMAN}.db"])
def test_encoded_path(tmp_path: Path, name: str) -> None:
    """Characters that a URL may not hold are percent-encoded in it."""
    write_and_close(open_store(f"sqlite://{quote(str(tmp_path / name))}"))
    assert (tmp_path / name).exists()


def test_file_is_the_owners(tmp_path: Path) -> None:
    """A file that is made is readable for its owner alone."""
    before = os.umask(0)
    try:
        store = open_store(f"sqlite://{tmp_path}/a.db")
    finally:
        os.umask(before)
    write_and_close(store)
    assert stat.S_IMODE((tmp_path / "a.db").stat().st_mode) == 0o600


def test_missing_directory(tmp_path: Path) -> None:
    """A path that leads nowhere is most likely mistyped, and nothing is made of it."""
    with pytest.raises(StoreUrlError) as caught:
        open_store(f"sqlite://{tmp_path}/one/two/a.db")
    assert f"there is no directory {tmp_path}/one/two; create it" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_store_file(tmp_path: Path) -> None:
    """The file of a store is known without opening it, and one in memory has none."""
    url = f"SQLite://{quote(str(tmp_path / 'a b.db'))}?durability=full"
    assert store_file(url) == tmp_path / "a b.db"
    assert store_file("memory://") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "text"),
    [
        pytest.param("", "has a scheme", id="empty"),
        pytest.param("profiles.db", "sqlite:///", id="no-scheme"),
        pytest.param("oracle://host/db", 'Unknown store "oracle"', id="unknown-scheme"),
        pytest.param("memory://name", "write memory://", id="memory-with-name"),
        pytest.param("memory://?a=b", "write memory://", id="memory-with-option"),
        pytest.param("sqlite://data/a.db", "absolute", id="relative"),
        pytest.param("sqlite://a.db", "absolute", id="relative-name"),
        pytest.param("sqlite:a.db", "absolute", id="no-slashes"),
        pytest.param("sqlite:/tmp/a.db", "three slashes", id="one-slash"),
        pytest.param("sqlite://[/a.db", "write for example", id="malformed"),
        pytest.param("sqlite://:memory:", "memory://", id="memory-file"),
        pytest.param("sqlite:///:memory:", "memory://", id="memory-file-absolute"),
        pytest.param("sqlite:///", "add the name of a file", id="root"),
        pytest.param("sqlite:///tmp", "sqlite:///tmp/profiles.db", id="directory"),
        pytest.param("sqlite:///tmp/new/", "sqlite:///tmp/new/profiles.db", id="slash-at-end"),
        pytest.param("sqlite:///tmp/a#b.db", "%23", id="fragment"),
        pytest.param("sqlite:///tmp/a%00.db", "zero byte", id="zero-byte"),
        pytest.param("sqlite:///tmp/a.db?mode=ro", 'unknown option "mode"', id="unknown-option"),
        pytest.param("sqlite:///tmp/a.db?durability=off", "durability=full", id="unknown-value"),
        pytest.param("sqlite:///tmp/a.db?durability", "durability=normal", id="missing-value"),
        pytest.param(
            "sqlite:///dev/null/a.db", "there is no directory /dev/null", id="not-a-directory"
        ),
    ],
)
def test_faulty_url(url: str, text: str) -> None:
    """A URL that names no store is refused with what to write instead."""
    with pytest.raises(StoreUrlError) as caught:
        open_store(url)
    assert text in str(caught.value)


def test_password_stays_secret() -> None:
    """The message about an unknown store does not repeat what may be a password."""
    with pytest.raises(StoreUrlError) as caught:
        open_store("oracle://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_file_of_something_else(tmp_path: Path) -> None:
    """A file that is no database is refused as such, not as a faulty URL."""
    (tmp_path / "a.db").write_text("hello " * 999)
    with pytest.raises(StoreCorrupt):
        open_store(f"sqlite://{tmp_path}/a.db")
