"""Decisions are written as a replay goes along, and come out in the order of the input."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from edgewise.errors import InputError
from edgewise.simulate import decisions, parquet, running
from edgewise.simulate.decisions import DecisionRow, DecisionWriter, join_decisions
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from tests.simulate.worlds import DEMO_RULES, NOON_MS, line, write_lines

DEMO = "demo/main"


def write_decision(writer: DecisionWriter, source: int, number: int) -> None:
    """Write the decision on a line; what it says is made from the line's number."""
    record: Any = SimpleNamespace(
        source=source, line=number, environment=DEMO, arrival_ms=NOON_MS + number
    )
    visitor: Any = SimpleNamespace(
        profile=SimpleNamespace(id=f"visitor-{number}"),
        audiences=["a", "b"][: number % 3],
        variants={"x": 1, "y": 0} if number % 2 else {},
    )
    writer.add(record, visitor)


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_in_the_order_of_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """However requests were divided, and shuffled a little, each has its row and its place."""
    monkeypatch.setattr(decisions, "_ROWS_AT_ONCE", 8)
    monkeypatch.setattr(decisions, "_ROWS_PER_CHUNK", 3)
    monkeypatch.setattr(decisions, "_ROWS_PER_PART", 7)
    chance = random.Random(seed)
    writers = [DecisionWriter(tmp_path, f"{number:05}-") for number in range(4)]
    places = [(source, number) for source in range(3) for number in range(50)]
    for source, number in sorted(places, key=lambda one: (one[0], one[1] + chance.uniform(0, 12))):
        write_decision(chance.choice(writers), source, number)
    for writer in writers:
        writer.close()
    join_decisions(tmp_path, tmp_path / "all.parquet")
    frame = pl.read_parquet(tmp_path / "all.parquet")
    assert list(zip(frame["source"], frame["line"], strict=True)) == places
    assert frame["profile_id"].to_list() == [f"visitor-{number}" for _, number in places]
    assert frame["audiences"].to_list()[:4] == [[], ["a"], ["a", "b"], []]
    variants = [{"experience_id": "x", "variant_index": 1}]
    variants.append({"experience_id": "y", "variant_index": 0})
    assert frame["experiences"].to_list()[:2] == [[], variants]
    assert frame["arrival"].dt.timestamp("ms").to_list()[49] == NOON_MS + 49


def test_few_rows_are_in_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first rows go to the file, only those of each partition that are next were read."""
    monkeypatch.setattr(decisions, "_ROWS_PER_PART", 100)
    read, read_at_parts = 0, []
    rows_of = decisions._Chunk.rows

    def counted(chunk: Any) -> Any:
        nonlocal read
        read += 1
        return rows_of(chunk)

    def noted(path: Path, rows: Sequence[DecisionRow]) -> None:
        read_at_parts.append(read)
        assert len(rows) <= 100
        write_part(path, rows)

    write_part = parquet.write_part
    monkeypatch.setattr(decisions._Chunk, "rows", counted)
    monkeypatch.setattr(parquet, "write_part", noted)
    writers = [DecisionWriter(tmp_path, f"{number:05}-") for number in range(2)]
    for number in range(10_000):
        write_decision(writers[number % 2], 0, number)
    for writer in writers:
        writer.close()
    join_decisions(tmp_path, tmp_path / "all.parquet")
    assert len(read_at_parts) == 100
    for part, chunks in enumerate(read_at_parts, 1):
        assert chunks <= part * 100 / 128 + 2


def test_an_older_file_of_a_partition_is_replaced(tmp_path: Path) -> None:
    """A partition that is replayed once more has each of its rows once."""
    for _ in range(2):
        writer = DecisionWriter(tmp_path, "00000-")
        write_decision(writer, 0, 1)
        writer.close()
    join_decisions(tmp_path, tmp_path / "all.parquet")
    assert pl.read_parquet(tmp_path / "all.parquet").height == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_during_the_replay_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Decisions that find no room end the run with their path, from another process too."""
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 10)
    lines = [line(f"v{number}", NOON_MS, messageId=f"{number}") for number in range(40)]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(DEMO,), environment=DEMO)
    state, rules = tmp_path / "state", read_rules(DEMO_RULES)
    options = Options(state=state, decisions=tmp_path / "d.parquet", workers=workers)
    simulate(rules, None, source, options)
    # The run now goes on from where nothing was replayed, and the disk became full.
    for result in state.glob("*.result"):
        result.unlink()
    for rows in (state / "decisions").iterdir():
        rows.unlink()
        rows.symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"state/decisions/\d{5}-rows: No space left on device"):
        simulate(rules, None, source, options)


def test_parts_without_room_are_told() -> None:
    """What the library says about a full disk is an error of the system."""
    row = DecisionRow(0, 1, DEMO, "v", NOON_MS, ["a"], {"x": 1})
    with pytest.raises(OSError, match="No space left on device"):
        parquet.write_part(Path("/dev/full"), [row])
