"""The command that lists and settles what failed of imports."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from edgewise.cli import main
from edgewise.importing import parts_of
from edgewise.model.imports import ImportedProfile
from edgewise.stores.import_queue import NewPart
from edgewise.stores.sqlite import SqliteStore

QUEUED_MS = 1_790_000_000_000
RAW = b'{"type":"track","event":"buy"}'


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with three buried parts, of which one cannot be read, and one that waits."""
    path = tmp_path / "profiles.db"

    async def prepare() -> None:
        store = SqliteStore(path)
        profiles = [
            ImportedProfile((name,), (RAW,) * count) for name, count in (("a", 1), ("b", 2))
        ]
        parts = parts_of("org", "main", profiles, QUEUED_MS)
        await store.queue.enqueue([*parts, NewPart("broken", b"\xc1", QUEUED_MS)])
        for taken in await store.queue.take(QUEUED_MS, 1, 10):
            await store.queue.bury(taken.hold, "because")
        await store.queue.enqueue(parts_of("org", "main", profiles[:1], QUEUED_MS))
        await store.close()

    asyncio.run(prepare())
    return f"sqlite://{path}"


def imports(*arguments: str) -> int:
    return main(["imports", *arguments])


def listed(url: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert imports("list", "--store", url, "--format", "json") == 0
    return json.loads(capsys.readouterr().out)


def test_list_for_people(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a line for each buried part and ends with what there is in all."""
    assert imports("--store", url, "list") == 0
    head, first, _, broken, _, summary = capsys.readouterr().out.splitlines()
    assert head.split() == "ID ENVIRONMENT PROFILE EVENTS ATTEMPTS QUEUED REASON".split()
    assert first.split() == ["1", "org/main", "a", "1", "1", "2026-09-21T14:13:20Z", "because"]
    assert broken.split() == ["3", "1", "2026-09-21T14:13:20Z", "because"]
    assert summary == "1 waiting, 3 buried"


def test_list_for_programs(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON the list has the same, with names."""
    found = listed(url, capsys)
    assert found["waiting"] == 1
    assert found["buried"][1] == {
        "id": 2,
        "environment": "org/main",
        "profile": "b",
        "events": 2,
        "attempts": 1,
        "queued": "2026-09-21T14:13:20Z",
        "reason": "because",
    }


def test_empty_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store without imports is listed as such."""
    asyncio.run(SqliteStore(tmp_path / "a.db").close())
    assert imports("list", "--store", f"sqlite://{tmp_path}/a.db") == 0
    assert capsys.readouterr().out == "0 waiting, 0 buried\n"


@pytest.mark.parametrize(
    ("arguments", "said", "waiting", "buried"),
    [
        pytest.param(["retry", "2", "1"], "2 queued", 3, [3], id="retry-some"),
        pytest.param(["retry", "--all"], "3 queued", 4, [], id="retry-all"),
        pytest.param(["drop", "3"], "1 removed", 1, [1, 2], id="drop-one"),
        pytest.param(["drop", "--all"], "3 removed", 1, [], id="drop-all"),
    ],
)
def test_settled(
    url: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
    waiting: int,
    buried: list[int],
) -> None:
    """Buried parts are queued anew or removed, those that are named or all of them."""
    assert imports(*arguments, "--store", url) == 0
    assert capsys.readouterr().out == f"{said}\n"
    found = listed(url, capsys)
    assert found["waiting"] == waiting
    assert [part["id"] for part in found["buried"]] == buried


def test_unknown_id(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not buried is named, and the others are settled all the same."""
    assert imports("drop", "4", "1", "99", "--store", url) == 2
    captured = capsys.readouterr()
    assert captured.out == "1 removed\n"
    assert captured.err == "edgewise: not buried: 4, 99\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param(None, "name the store", id="none"),
        pytest.param("memory://", "inside the server process", id="memory"),
        pytest.param("sqlite:///nowhere/profiles.db", "there is no such file", id="missing"),
        pytest.param("valkey://localhost", "Unknown store", id="unknown"),
    ],
)
def test_refused_store(url: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A store without a queue to look at is refused, and no file is made for it."""
    assert imports("list", *(["--store", url] if url else [])) == 2
    assert said in capsys.readouterr().err


def test_nothing_chosen(url: str) -> None:
    """Retrying or dropping needs to be told what."""
    with pytest.raises(SystemExit) as caught:
        imports("drop", "--store", url)
    assert caught.value.code == 2
