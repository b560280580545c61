"""Results for reports: real ones of small simulations, and ones with hostile names."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from edgewise.simulate.chi_square import ratio_test
from edgewise.simulate.result import BrokenLineResult, OverlapResult, Result
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.synth import Traffic, synthesize
from tests.simulate.worlds import DEMO_RULES

DEMO = "demo/main"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \u202eabc\0&amp;" + "x" * 80

_CHANGES = {
    "at least: 3 times": "at least: twice",
    "within: 7 days": "within: 3 days",
    "traffic: 0.6": "traffic: 0.8",
    "distribution: [0.34, 0.33, 0.33]": "distribution: [0.2, 0.4, 0.4]",
}


@cache
def simulated(events: int) -> Result:
    """What changed demo rules do to some synthetic events, in comparison with the demo rules."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write_changed_rules(folder / "rules")
        path = folder / "events.ndjson"
        traffic = Traffic(profiles=max(1, events // 5), events=events, seed=4, days=30)
        path.write_bytes(b"\n".join(synthesize(traffic)))
        source = Input(paths=(str(path),), environments=(DEMO,), environment=DEMO)
        rules = read_rules(folder / "rules")
        return simulate(rules, read_rules(DEMO_RULES), source, Options(show_ids=True))


@cache
def in_buckets(bucket: str, length: timedelta) -> Result:
    """A result whose stretches of time have another length."""
    result = simulated(2_000)
    first = datetime.fromisoformat(result.timeline.starts[0])
    starts = [
        (first + place * length).isoformat(timespec="milliseconds")
        for place in range(len(result.timeline.starts))
    ]
    timeline = replace(result.timeline, bucket=bucket, starts=starts, last=starts[-1])
    return replace(result, timeline=timeline)


@cache
def hostile() -> Result:
    """A result of 60 audiences, many with names that would break a page that trusted them."""
    result = simulated(2_000)
    environment = result.environments[0]
    against = environment.against
    assert against is not None
    audiences = [
        replace(
            environment.audiences[number % len(environment.audiences)],
            id=f"{HOSTILE}{number}" if number % 3 else f"audience-{number}",
            name=HOSTILE,
            size=1_000 + number,
        )
        for number in range(60)
    ]
    pairs = [
        OverlapResult(one.id, other.id, 10 + place, place / 60)
        for place, one in enumerate(audiences)
        for other in audiences[:place]
    ]
    test = ratio_test([900, 100], [0.5, 0.5])
    experiences = [
        replace(one, id=HOSTILE + one.id, name=HOSTILE, ratio_test=one.ratio_test and test)
        for one in environment.experiences
    ]
    changes = [
        replace(one, id=HOSTILE + one.id, before=None if place % 2 else one.before)
        for place, one in enumerate(against.audiences)
    ]
    broken = [BrokenLineResult(HOSTILE, 1_000_000, HOSTILE)]
    return replace(
        result,
        input=replace(result.input, broken=1, broken_lines=broken, sources=[HOSTILE]),
        environments=[
            replace(
                environment,
                environment=HOSTILE,
                audiences=audiences,
                overlap=pairs,
                experiences=experiences,
                against=replace(against, audiences=changes),
                never=replace(environment.never, audiences=[HOSTILE]),
            )
        ],
    )


def _write_changed_rules(folder: Path) -> None:
    for path in DEMO_RULES.rglob("*.yaml"):
        text = path.read_text("utf-8")
        for old, new in _CHANGES.items():
            text = text.replace(old, new)
        target = folder / path.relative_to(DEMO_RULES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
