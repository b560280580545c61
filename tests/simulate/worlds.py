"""Rules, recorded lines and a live service to compare a replay with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edgewise.model.decision import Outcome
from edgewise.service import DecisionService
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, simulate_partition
from edgewise.simulate.requests import LineReader, Record, update_of
from edgewise.simulate.spool import carry_along
from edgewise.sources.files import load_rules
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore

DEMO_RULES = Path(__file__).parents[2] / "rules"
MAIN = "shop/main"
OTHER = "shop/other"
NOON_MS = 1_793_534_400_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000

SHOP = """
audiences:
  - id: readers
    has viewed page: {path: /news}
    at least: twice
    within: 2 days
  - id: strangers
    has viewed page: "*"
    fewer than: 3 times
  - id: buyers
    has performed event: buy
  - id: mobile
    is on device: mobile
  - id: alpine
    is located at: {country code: [AT, CH]}
  - id: regulars
    is returning visitor: true
    session count: {at least: 3}
  - id: gold
    has trait: {tier: gold}
  - id: sleepers
    has performed event: buy
    none:
      - has viewed page: "*"
        within: 1 days
experiences:
  - id: hero
    type: experiment
    sticky: true
    traffic: 0.7
    components: [{entry: hero, variants: [hero-b, hero-c]}]
  - id: offer
    audience: readers
    components: [{entry: offer, variants: [offer-b]}]
  - id: thanks
    audience: buyers
    type: experiment
    components: [{entry: thanks, variants: [thanks-b]}]
"""


def write_rules(root: Path, texts: dict[str, str]) -> Path:
    """Write one rule file per "organization/environment" and return the folder."""
    for environment, text in texts.items():
        folder = root / environment
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yaml").write_text(text, "utf-8")
    return root


def line(name: str, arrival_ms: int, **event: Any) -> dict[str, Any]:
    """Return one recorded event, a page view unless another type is given."""
    page = {"context": {"page": {"path": "/", "url": "https://shop.example/"}}}
    base = {"type": "page", "timestamp": arrival_ms, "receivedAt": arrival_ms}
    return base | page | {"anonymousId": name} | event


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> str:
    """Write lines to a file and return its name."""
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in lines))
    return str(path)


def records_of(
    lines: Iterable[dict[str, Any] | bytes], environments: Sequence[str] = (MAIN,)
) -> list[Record]:
    """Return the requests of some lines; those that name no environment are of the first."""
    reader = LineReader(environments, environments[0], 0)
    return [
        reader.read(number, one if isinstance(one, bytes) else json.dumps(one).encode())[0]
        for number, one in enumerate(lines, 1)
    ]


def served(
    rules: Path, records: Iterable[Record], store: MemoryStore | SqliteStore | None = None
) -> list[Outcome]:
    """Return what a live service answers to some requests, each at the time of its arrival."""
    now_ms = 0
    # Copies, because a store may hand out what it keeps.
    copied: list[Outcome] = []

    async def run() -> None:
        nonlocal now_ms
        live = store or MemoryStore()
        service = DecisionService(load_rules(rules), live, clock=lambda: now_ms, retention=None)
        for record in records:
            now_ms = record.arrival_ms
            organization, environment = record.environment.split("/")
            outcome = await service.update(
                organization, environment, record.name, update_of(record), preflight=False
            )
            copied.append(outcome)

    asyncio.run(run())
    return copied


def carried(
    jobs: list[PartitionJob], progress: Callable[[int], None]
) -> list[tuple[PartitionJob, PartialResult]]:
    """Replay jobs that carry their records, last one first, as a cluster might."""
    found = []
    for job in reversed(jobs):
        fields = {name: getattr(job, name) for name in job.__struct_fields__}
        moved = PartitionJob(**fields | {"records": carry_along(job.records)})
        found.append((job, simulate_partition(moved)))
    return found
