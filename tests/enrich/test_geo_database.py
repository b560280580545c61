"""Files of location databases: which are taken, which are refused and why, and what breaks late."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from random import Random

import pytest

from edgewise.enrich import geo_database
from edgewise.enrich.geo_database import GeoDatabase
from edgewise.errors import GeoDatabaseError, InputError
from tests.geo import (
    BERLIN_V4,
    BERLIN_V6,
    NOWHERE_V4,
    SHARED,
    flat_v4,
    flat_v6,
    nested_both,
    write_geo,
)

_MARK = b"\xab\xcd\xefMaxMind.com"
# Looks an address up after the file was shortened to nothing.
_SHORTENED = """
import sys
from ipaddress import ip_address
from pathlib import Path
from edgewise.enrich.geo_database import GeoDatabase

path = Path(sys.argv[1])
database = GeoDatabase(path)
path.write_bytes(b"")
print(database.find(ip_address(sys.argv[2])).location.city)
"""


def refusal(path: Path) -> str:
    """Why a file is refused."""
    with pytest.raises(GeoDatabaseError) as caught:
        GeoDatabase(path)
    assert isinstance(caught.value, InputError)
    return str(caught.value)


def city_of(database: GeoDatabase, address: str) -> str | None:
    """The city of an address."""
    found = database.find(ip_address(address))
    return found.location.city if found else None


def break_records(path: Path) -> None:
    """Overwrite all records with what is none, and leave tree and facts as they are."""
    content = path.read_bytes()
    begin, end = content.index(b"\0" * 16) + 16, content.rindex(_MARK)
    path.write_bytes(content[:begin] + b"\xff" * (end - begin) + content[end:])


def test_flat_database(tmp_path: Path) -> None:
    """A flat database tells what it is called, when it was made and where an address is."""
    database = GeoDatabase(flat_v4(tmp_path / "a.mmdb"))
    assert (database.kind, database.holds_v6, database.fault) == ("flat v4", False, "")
    assert database.built_at.endswith("Z")
    assert city_of(database, BERLIN_V4) == "Berlin"
    assert city_of(database, NOWHERE_V4) is None


def test_nested_database_of_both_versions(tmp_path: Path) -> None:
    """A nested database may know addresses of both versions."""
    database = GeoDatabase(nested_both(tmp_path / "a.mmdb"))
    assert database.holds_v6
    assert city_of(database, BERLIN_V4) == city_of(database, BERLIN_V6) == "Berlin"


def test_first_records_may_tell_nothing(tmp_path: Path) -> None:
    """The shape is that of the first record that has one."""
    records = {"1.0.0.0/24": {"is_anycast": True}, "1.0.1.0/24": {"country_code": "AU"}}
    database = GeoDatabase(write_geo(tmp_path / "a.mmdb", records))
    assert database.find(IPv4Address("1.0.0.1")) is None
    assert database.find(IPv4Address("1.0.1.1")) is not None


def test_missing_file(tmp_path: Path) -> None:
    """The file that is not there is named."""
    path = tmp_path / "none.mmdb"
    assert refusal(path) == f"{path}: there is no such file"


def test_folder(tmp_path: Path) -> None:
    """A folder is no file."""
    assert "no such file" in refusal(tmp_path)


def test_pipe(tmp_path: Path) -> None:
    """A pipe is refused rather than waited for."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "no such file" in refusal(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs a user who may not read everything")
def test_forbidden_file(tmp_path: Path) -> None:
    """A file that may not be read is refused with the reason of the system."""
    path = flat_v4(tmp_path / "a.mmdb")
    path.chmod(0)
    assert "Permission denied" in refusal(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_file(tmp_path: Path, share: float) -> None:
    """A file whose end is missing is refused, wherever it ends."""
    path = nested_both(tmp_path / "a.mmdb")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert f"{path}: " in refusal(path)
    assert "get it anew" in refusal(path)


def test_another_file(tmp_path: Path) -> None:
    """What is no database is refused, however large it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"Berlin is in Germany.\n" * 20_000)
    assert "no database of locations" in refusal(path)


def test_database_with_a_beginning_cut_off(tmp_path: Path) -> None:
    """A file that ends like a database, with too little before, is broken."""
    path = nested_both(tmp_path / "a.mmdb")
    content = path.read_bytes()
    path.write_bytes(content[content.rindex(_MARK) - 100 :])
    assert "the database is broken" in refusal(path)


def test_broken_records_at_the_beginning(tmp_path: Path) -> None:
    """Where not even the first records can be read the database is broken."""
    path = flat_v4(tmp_path / "a.mmdb")
    break_records(path)
    assert "the database is broken" in refusal(path)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"autonomous_system_number": 64512}, id="providers"),
        pytest.param({"country": "DE", "as_name": "Example"}, id="another-form"),
        pytest.param("DE", id="texts"),
    ],
)
def test_database_of_something_else(tmp_path: Path, record: object) -> None:
    """A database without places is refused by its type, with those that would do."""
    path = write_geo(tmp_path / "a.mmdb", {"5.1.0.0/16": record}, kind="GeoLite2-ASN")
    assert f'{path}: a database of the type "GeoLite2-ASN"' in refusal(path)
    assert "ip-location-db" in refusal(path)


def test_no_room_for_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no temporary file can be made that is what is told."""
    path = flat_v4(tmp_path / "a.mmdb")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert f"{path}, or its copy in {tmp_path / 'none'}, cannot be read" in refusal(path)


def test_copy_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an opened nor a refused database leaves a temporary file behind."""
    path = flat_v4(tmp_path / "a.mmdb")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    database = GeoDatabase(path)
    assert list(folder.iterdir()) == []
    assert city_of(database, BERLIN_V4) == "Berlin"
    break_records(path)
    refusal(path)
    assert list(folder.iterdir()) == []


def test_shortened_file_kills_no_process(tmp_path: Path) -> None:
    """A file that is overwritten in place does not end the process that looks addresses up."""
    path = flat_v4(tmp_path / "a.mmdb")
    command = [sys.executable, "-c", _SHORTENED, str(path), BERLIN_V4]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Berlin\n"), done.stderr


def test_record_that_breaks_late(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A record that cannot be read counts as not found, and is told once."""
    records = {
        f"1.0.{part}.0/24": {"country_code": "AU", "city": f"City {part}"} for part in range(256)
    }
    path = write_geo(tmp_path / "a.mmdb", records)
    content = path.read_bytes()
    assert content.count(b"City 255") == 1
    path.write_bytes(content.replace(b"City 255", b"City\xff255"))  # No Unicode any more.
    database = GeoDatabase(path)
    with caplog.at_level(logging.WARNING, "edgewise.enrich"):
        assert [city_of(database, "1.0.255.1") for _ in range(3)] == [None] * 3
    assert [str(path) in message for message in caplog.messages] == [True]
    assert database.fault == caplog.messages[0]
    assert city_of(database, "1.0.7.1") == "City 7"


def test_random_damage_of_the_tree_raises_nothing_else(tmp_path: Path) -> None:
    """A file whose search tree is damaged is refused, or answers with something or nothing."""
    whole = nested_both(tmp_path / "whole.mmdb").read_bytes()
    chance = Random(20260131)
    path = tmp_path / "damaged.mmdb"
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 8)):
            damaged[chance.randrange(whole.index(b"\0" * 16))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            database = GeoDatabase(path)
        except GeoDatabaseError:
            refused += 1
            continue
        for _ in range(20):
            database.find(IPv4Address(chance.getrandbits(32)))
        database.find(ip_address(BERLIN_V4))
        database.find(ip_address(BERLIN_V6))
    assert 0 < refused < 400


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
def test_published_database() -> None:
    """A database as MaxMind makes them is understood."""
    database = GeoDatabase(SHARED)
    assert (database.kind, database.holds_v6) == ("GeoIP2-City", True)


def test_flat_database_of_version_6(tmp_path: Path) -> None:
    """A database may hold nothing but IPv6 addresses."""
    database = GeoDatabase(flat_v6(tmp_path / "a.mmdb"))
    assert database.holds_v6
    assert city_of(database, BERLIN_V6) == "Berlin"
    assert city_of(database, BERLIN_V4) is None


@pytest.mark.parametrize(
    ("time_s", "text"), [(1_780_666_922, "2026-06-05T13:42:02Z"), (2**63, ""), (2**40, "")]
)
def test_time_of_making(time_s: int, text: str) -> None:
    """A time is told in ISO 8601, and one beyond all calendars not at all."""
    assert geo_database._built_at(time_s) == text
