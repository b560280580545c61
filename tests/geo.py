"""Small databases of locations that tests write, in both shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

SHARED = Path(__file__).parents[2] / "shared" / "data" / "GeoIP2-City-Test.mmdb"

# Where the addresses of these tests are; none of them is reserved for examples.
BERLIN_V4 = "5.1.2.3"
BERLIN_V6 = "2a00:1::3"
NOWHERE_V4 = "9.9.9.9"
NOWHERE_V6 = "2a0f:9::9"

FLAT = {
    "country_code": "DE",
    "state1": "State of Berlin",
    "state2": "",
    "city": "Berlin",
    "postcode": "10119",
    "latitude": 52.524400001,
    "longitude": 13.410530001,
    "timezone": "Europe/Berlin",
}
NESTED = {
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "fr": "Allemagne"}},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "State of Berlin", "de": "Land Berlin"}}],
    "city": {"names": {"en": "Berlin", "pt-BR": "Berlim", "ja": "ベルリン", "zh-CN": "柏林"}},
    "postal": {"code": "10119"},
    "location": {"latitude": 52.5244, "longitude": 13.4105, "time_zone": "Europe/Berlin"},
}


def write_geo(
    path: Path, records: Mapping[str, Any], *, kind: str = "Test-City", version: int = 4
) -> Path:
    """Write a database of records by network, and return its path.

    Args:
        version: 4 for IPv4 networks only; 6 for both.
    """
    writer = MMDBWriter(version, kind, ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def flat_v4(path: Path, **members: Any) -> Path:
    """A flat database of IPv4 addresses that knows Berlin, or what the members say."""
    return write_geo(path, {"5.1.0.0/16": {**FLAT, **members}}, kind="flat v4")


def flat_v6(path: Path, **members: Any) -> Path:
    """A flat database of IPv6 addresses that knows Berlin, or what the members say."""
    records = {"2a00:1::/32": {**FLAT, **members}}
    return write_geo(path, records, kind="flat v6", version=6)


def nested_both(path: Path) -> Path:
    """A nested database that knows Berlin under addresses of both versions."""
    networks = ("5.1.0.0/16", "2a00:1::/32")
    return write_geo(path, dict.fromkeys(networks, NESTED), kind="GeoTest-City", version=6)
