"""Databases that are replaced while they are in use, well or badly."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest

from edgewise.enrich.geo_following import GeoFollower
from edgewise.errors import GeoDatabaseError
from tests.geo import BERLIN_V4, BERLIN_V6, flat_v4, flat_v6


def city_of(follower: GeoFollower, address: str = BERLIN_V4) -> str | None:
    """The city of an address."""
    found = follower.find(ip_address(address))
    return found.location.city if found else None


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has come about."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.001)


def look_twice(follower: GeoFollower) -> None:
    """A change is noticed at the first look and acted on at the second."""
    follower.look()
    follower.look()


def rename_over(path: Path) -> None:
    """Replace a file by one that tells another city, in one step."""
    flat_v4(path.with_suffix(".new"), city="Potsdam").replace(path)


def overwrite(path: Path) -> None:
    """Write another database into the file itself."""
    path.write_bytes(flat_v4(path.with_suffix(".new"), city="Potsdam").read_bytes())


def overwrite_half(path: Path) -> None:
    """Write the beginning of a database into the file itself."""
    path.write_bytes(path.read_bytes()[:-40])


def empty(path: Path) -> None:
    """Leave nothing in the file."""
    path.write_bytes(b"")


def write_nonsense(path: Path) -> None:
    """Write into the file what is no database."""
    path.write_text("not a database", "utf-8")


@pytest.mark.parametrize("change", [rename_over, overwrite])
def test_replaced_file_is_taken_over(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """A file that was replaced, by renaming or in place, is in use after two looks."""
    path = flat_v4(tmp_path / "a.mmdb")
    follower = GeoFollower([path])
    change(path)
    follower.look()
    assert city_of(follower) == "Berlin"
    follower.look()
    assert city_of(follower) == "Potsdam"
    assert follower.status().fault == ""


def test_either_of_two_files(tmp_path: Path) -> None:
    """Of two files each may be replaced alone."""
    paths = [flat_v4(tmp_path / "4.mmdb"), flat_v6(tmp_path / "6.mmdb")]
    follower = GeoFollower(paths)
    flat_v6(tmp_path / "new.mmdb", city="Potsdam").replace(paths[1])
    look_twice(follower)
    assert [city_of(follower, one) for one in (BERLIN_V4, BERLIN_V6)] == ["Berlin", "Potsdam"]


@pytest.mark.parametrize("change", [Path.unlink, overwrite_half, empty, write_nonsense])
def test_unusable_file_leaves_the_old_one(
    tmp_path: Path, change: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """A missing or broken file changes nothing, is logged once and shows in the status."""
    path = flat_v4(tmp_path / "a.mmdb")
    follower = GeoFollower([path])
    before = follower.status()
    change(path)
    with caplog.at_level(logging.WARNING, "edgewise.enrich"):
        for _ in range(5):
            follower.look()
    assert city_of(follower) == "Berlin"
    assert len(caplog.messages) == 1
    assert follower.status().databases == before.databases
    assert follower.status().fault
    assert follower.status().fault in caplog.messages[0]


def test_fault_ends_with_a_good_file(tmp_path: Path) -> None:
    """After a broken file comes a good one: that is in use, and the fault is forgotten."""
    path = flat_v4(tmp_path / "a.mmdb")
    follower = GeoFollower([path])
    empty(path)
    look_twice(follower)
    rename_over(path)
    look_twice(follower)
    assert (city_of(follower), follower.status().fault) == ("Potsdam", "")


def test_what_failed_for_a_while_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good file that could not be taken over, for want of room, is after a minute."""
    now_s = 0.0
    path = flat_v4(tmp_path / "a.mmdb")
    follower = GeoFollower([path], clock=lambda: now_s)
    rename_over(path)
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
        look_twice(follower)
    assert (city_of(follower), bool(follower.status().fault)) == ("Berlin", True)
    now_s = 59.0
    look_twice(follower)
    assert city_of(follower) == "Berlin"
    now_s = 60.0
    look_twice(follower)
    assert (city_of(follower), follower.status().fault) == ("Potsdam", "")


def test_file_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    """A file that differs at each look is not opened before it stays the same."""
    path = flat_v4(tmp_path / "a.mmdb")
    content = flat_v4(tmp_path / "new.mmdb", city="Potsdam").read_bytes()
    follower = GeoFollower([path])
    for end in range(100, len(content), 100):
        path.write_bytes(content[:end])
        follower.look()
        assert (city_of(follower), follower.status().fault) == ("Berlin", "")
    path.write_bytes(content)
    look_twice(follower)
    assert city_of(follower) == "Potsdam"


def test_same_files_are_not_opened_again(tmp_path: Path) -> None:
    """Looking at files that did not change costs no more than looking."""
    follower = GeoFollower([flat_v4(tmp_path / "a.mmdb")])
    lookup = follower._lookup
    look_twice(follower)
    assert follower._lookup is lookup


def test_status(tmp_path: Path) -> None:
    """The status names each file, its type and when it was made, as JSON can say it."""
    paths = [flat_v4(tmp_path / "4.mmdb"), flat_v6(tmp_path / "6.mmdb")]
    status = msgspec.to_builtins(GeoFollower(paths).status())
    built = [one.pop("built_at") for one in status["databases"]]
    assert status == {
        "databases": [
            {"path": str(paths[0]), "type": "flat v4"},
            {"path": str(paths[1]), "type": "flat v6"},
        ],
        "fault": "",
    }
    assert all(time.endswith("Z") for time in built)


def test_unusable_files_to_begin_with(tmp_path: Path) -> None:
    """Without a database that can be used there is nothing to follow."""
    with pytest.raises(GeoDatabaseError):
        GeoFollower([tmp_path / "none.mmdb"])


def test_replaced_while_looking_up(tmp_path: Path) -> None:
    """In a running loop files are replaced again and again, and every lookup is answered."""
    path = flat_v4(tmp_path / "a.mmdb", city="City 0")

    async def scenario() -> set[str | None]:
        follower = GeoFollower([path], poll_s=0.005)
        follower.start()
        seen = set()

        def tells(city: str) -> bool:
            seen.add(city_of(follower))
            return city in seen

        for number in range(1, 6):
            flat_v4(tmp_path / "new.mmdb", city=f"City {number}").replace(path)
            await until(partial(tells, f"City {number}"))
        await follower.stop()
        return seen

    assert asyncio.run(scenario()) <= {f"City {number}" for number in range(6)}


def test_loop_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look that fails in a way that nobody thought of is not the last one."""
    path = flat_v4(tmp_path / "a.mmdb")
    follower = GeoFollower([path], poll_s=0.005)
    look = follower.look
    failures = iter([KeyError("unforeseen")])

    def look_or_fail() -> None:
        for failure in failures:
            raise failure
        look()

    monkeypatch.setattr(follower, "look", look_or_fail)

    async def scenario() -> None:
        follower.start()
        rename_over(path)
        await until(lambda: city_of(follower) == "Potsdam")
        await follower.stop()

    asyncio.run(scenario())
    assert "could not be looked at" in caplog.text
