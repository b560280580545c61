from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import StoreCorrupt
from edgewise.model.profiles import (
    ByAddress,
    Coordinates,
    Erasure,
    LandingPage,
    Location,
    Profile,
    Record,
    Redirect,
    Session,
)
from edgewise.stores.codec import FORMAT, decode_record, encode_record

SMALL = Profile(organization="org", environment="main", id="a", stable_id="a", created_ms=1)
FULL = Profile(
    organization="org",
    environment="main",
    id="ab" * 32,
    stable_id="cd" * 32,
    created_ms=1_700_000_000_000,
    updated_ms=1_700_000_000_001,
    aliases=["x", "\N{SNOWMAN}"],
    absorbed=["y"],
    merging_into="z",
    traits={"plan": "pro", "n": 2**63, "deep": {"list": [1, 2.5, None, True]}},
    trait_times={"plan": 5},
    location=Location(coordinates=Coordinates(1.5, -2.5), city="Bern", country_code="CH"),
    by_address=ByAddress(location=["city"], city_names={"fr": "Berne"}, traits=["plan"]),
    device="mobile",
    session=Session(
        id="s", count=2, started_ms=1, last_ms=2, closed_ms=3, landing_page=LandingPage(path="/")
    ),
    assignments={"experience": 2},
    message_ids=bytes(range(256)) * 8,
    counts={2**64 - 1: 3, 0: 1},
    recent={2**63: [1, 2, 3]},
    matchers_digest=b"\0" * 8,
)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(SMALL, id="profile-of-defaults"),
        pytest.param(FULL, id="profile-of-everything"),
        pytest.param(Erasure("org", "main", ["a", "b"]), id="erasure"),
        pytest.param(Redirect("org", "main", "a"), id="redirect"),
    ],
)
def test_record_comes_back(record: Record) -> None:
    """Every kind of record comes back equal and of the same kind."""
    decoded = decode_record(encode_record(record))
    assert type(decoded) is type(record)
    assert decoded == record


def test_unknown_field_is_skipped() -> None:
    """A field that a later version added without raising the format does not disturb."""
    fields = msgspec.msgpack.decode(encode_record(SMALL)) | {"addedLater": [1]}
    assert decode_record(msgspec.msgpack.encode(fields)) == SMALL


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="same-shape"),
        pytest.param({"created_ms": "text"}, id="other-shape"),
        pytest.param({"kind": "unheard-of"}, id="other-kind"),
    ],
)
def test_newer_format(changes: dict[str, str]) -> None:
    """A record of a newer format is refused by its format, whatever else is in it."""
    fields = msgspec.msgpack.decode(encode_record(SMALL)) | {"format": FORMAT + 1} | changes
    with pytest.raises(StoreCorrupt, match=f"has format {FORMAT + 1}"):
        decode_record(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(encode_record(FULL)[:-1], id="cut-short"),
        pytest.param(encode_record(SMALL) + b"\0", id="too-long"),
        pytest.param(msgspec.msgpack.encode([1, 2]), id="list"),
        pytest.param(msgspec.msgpack.encode({"kind": "redirect"}), id="field-missing"),
        pytest.param(msgspec.msgpack.encode({"kind": "other"}), id="unknown-kind"),
        pytest.param(b"\x82\xa4kind\xa8redirect\xaaprofile_id\xa1\xff", id="not-utf-8"),
        pytest.param(b"\x91" * 100_000, id="deep"),
    ],
)
def test_unreadable_bytes(data: bytes) -> None:
    """Bytes that are no record raise StoreCorrupt."""
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        decode_record(data)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damaged_bytes(noise: bytes, place: int) -> None:
    """Whatever the bytes are, reading them gives a record or StoreCorrupt and nothing else."""
    good = encode_record(FULL)
    for data in (noise, good[:place] + noise + good[place + len(noise) :]):
        try:
            record = decode_record(data)
        except StoreCorrupt:
            continue
        assert isinstance(record, Record)
