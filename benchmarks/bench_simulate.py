"""How many recorded events a second one process replays, from the lines to the whole result.

    python -m benchmarks.bench_simulate              prints JSON

The same synthetic traffic goes through the demo rules and through W_low(1,000), where a visitor's
first event and every login bring the twelve traits that its audiences ask for. The two take turns.
Loading the rules has rows of its own and is left out; times are processor time, best of the rounds.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from benchmarks.plain import ENVIRONMENT, ORGANIZATION
from benchmarks.workloads import visitor, w_low
from edgewise.simulate.rules_input import RulesInput, compile_rules, read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.synth import Traffic, synthesize

EVENTS = 50_000
EVENTS_PER_PROFILE = 10
AUDIENCES = 1000
ROUNDS = 5
SEED = 7
DEMO_RULES = Path(__file__).parent.parent / "rules"


class MeasuredReplay(msgspec.Struct, frozen=True, kw_only=True):
    """One set of rules.

    Args:
        events_per_s: of processor time, in one process.
        matching: audiences that a profile is in at the end, on average.
    """

    label: str
    events: int
    events_per_s: float
    matching: float


class Turn:
    """One set of rules and a file of events."""

    def __init__(self, label: str, rules: RulesInput, events: Path) -> None:
        self.label = label
        self.rules = rules
        self.best_s = float("inf")
        self.matching = 0.0
        (environment,) = compile_rules(rules)
        self._input = Input(
            paths=(str(events),), environments=(environment,), environment=environment
        )

    def run(self, events: int) -> None:
        """Simulate once. A round that replayed anything but all events is no measurement."""
        started = time.process_time()
        result = simulate(self.rules, None, self._input, Options())
        self.best_s = min(self.best_s, time.process_time() - started)
        (found,) = result.environments
        if result.input.broken or found.events != events:
            raise RuntimeError(f"{self.label}: {found.events:,} of {events:,} events were replayed")
        self.matching = sum(one.size for one in found.audiences) / found.profiles


def with_traits(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Iterate over lines of which a visitor's first and every login bring traits of W."""
    chance = random.Random(SEED)
    known: set[str] = set()
    for line in lines:
        event = msgspec.json.decode(line)
        name = event["anonymousId"]
        if name not in known or event["type"] == "identify":
            known.add(name)
            event |= {"type": "identify", "traits": visitor(chance).attributes}
            yield msgspec.json.encode(event)
        else:
            yield line


def measure(
    events: int = EVENTS, audiences: int = AUDIENCES, rounds: int = ROUNDS
) -> list[MeasuredReplay]:
    """Return how quickly both sets of rules are replayed."""
    traffic = Traffic(profiles=events // EVENTS_PER_PROFILE, events=events, seed=SEED)
    with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as name:
        folder = Path(name)
        plain, traits = folder / "plain.ndjson", folder / "traits.ndjson"
        plain.write_bytes(b"\n".join(synthesize(traffic)))
        traits.write_bytes(b"\n".join(with_traits(synthesize(traffic))))
        turns = [
            Turn("demo rules", read_rules(DEMO_RULES), plain),
            Turn(f"{audiences:,} audiences", _low_rules(folder / "rules", audiences), traits),
        ]
        for _ in range(rounds):
            for turn in turns:
                turn.run(events)
    return [
        MeasuredReplay(
            label=turn.label,
            events=events,
            events_per_s=round(events / turn.best_s),
            matching=round(turn.matching, 1),
        )
        for turn in turns
    ]


def _low_rules(root: Path, audiences: int) -> RulesInput:
    """W_low as a folder of rules: a simulation reads files."""
    folder = root / ORGANIZATION / ENVIRONMENT
    folder.mkdir(parents=True)
    document = w_low(audiences, profiles=1).document
    text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
    (folder / "rules.yaml").write_text(text, "utf-8")
    return read_rules(root)


def main() -> None:
    """Measure both."""
    print(msgspec.json.encode(measure()).decode())


if __name__ == "__main__":
    main()
