"""What it costs to find out where an address is, and what device a user agent names.

    python -m benchmarks.bench_enrich                prints JSON

Addresses are looked up in the databases of `make geo` where they are there, otherwise in a small
one that is made on the spot. User agents are judged without the memory of recent ones.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from ipaddress import IPv4Address
from itertools import product
from pathlib import Path

import msgspec
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from benchmarks.timing import take_turns
from edgewise.devices import _classify
from edgewise.enrich.addresses import is_public
from edgewise.enrich.geo_lookup import GeoLookup

FETCHED = Path(__file__).parent.parent / ".data" / "geo"
ADDRESSES = 1000
REPEATS = 200
SYNTHETIC_NETWORKS = 4000
SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 14; Pixel 8",
    "Linux; Android 13; SM-A536B",
    "Linux; Android 12; SM-T870",
    "iPhone; CPU iPhone OS 17_4 like Mac OS X",
    "iPad; CPU OS 16_6 like Mac OS X",
)
ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"


class MeasuredEnrichment(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds for one address and for one user agent that is new.

    Args:
        database: what the database calls itself.
    """

    database: str
    location_us: float
    device_us: float


def addresses(chance: random.Random) -> list[IPv4Address]:
    """Return public addresses from anywhere."""
    found: list[IPv4Address] = []
    while len(found) < ADDRESSES:
        address = IPv4Address(chance.getrandbits(32))
        if is_public(address):
            found.append(address)
    return found


def write_database(path: Path, chance: random.Random, known: Sequence[IPv4Address]) -> None:
    """Write a flat database that knows the networks of these addresses, and as many again."""
    writer = MMDBWriter(4, "synthetic", float_type="f32")
    numbers = [int(address) for address in known]
    numbers += [chance.getrandbits(32) for _ in range(SYNTHETIC_NETWORKS)]
    for position, number in enumerate(numbers):
        record = {
            "country_code": chance.choice(("DE", "US", "BR", "IN", "JP")),
            "state1": f"Region {position % 500}",
            "state2": "",
            "city": f"City {position}",
            "postcode": "",
            "latitude": chance.uniform(-60, 70),
            "longitude": chance.uniform(-180, 180),
            "timezone": "",
        }
        writer.insert_network(IPSet([f"{IPv4Address(number)}/24"]), record)
    writer.to_db_file(str(path))


def open_lookup(chance: random.Random, known: Sequence[IPv4Address]) -> GeoLookup:
    """Return a lookup in the databases that were fetched, or in one of our own."""
    fetched = sorted(FETCHED.glob("*.mmdb"))
    if fetched:
        return GeoLookup(fetched)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic.mmdb"
        write_database(path, chance, known)
        return GeoLookup([path])


def user_agents(chance: random.Random) -> list[str]:
    """Return user agents of many versions of a browser on some systems."""
    versions = product(SYSTEMS, range(90, 130), range(5))
    found = [
        f"Mozilla/5.0 ({system}) {ENGINE} Chrome/{major}.0.{minor}.0"
        f"{' Mobile' if 'Pixel' in system or 'iP' in system else ''} Safari/537.36"
        for system, major, minor in versions
    ]
    chance.shuffle(found)
    return found


def main() -> None:
    """Measure both."""
    chance = random.Random(1)
    known = addresses(chance)
    lookup = open_lookup(chance, known)
    [location] = take_turns([lookup.find], known, REPEATS)
    [device] = take_turns([_classify.__wrapped__], user_agents(chance), REPEATS)
    result = MeasuredEnrichment(
        database=" and ".join(database.kind for database in lookup.databases),
        location_us=min(location),
        device_us=min(device),
    )
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
