"""The answer of a simulation: what people read, and what `--json` writes.

Nothing in here depends on how the work was divided, nor on when it was done: the same events and
rules give the same bytes. Lists are ordered by id without regard to case, as in answers.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from edgewise.simulate.chi_square import RatioTest
from edgewise.simulate.deciding import ConditionResult

FORMAT = 1


class TimelineResult(msgspec.Struct, frozen=True):
    """The stretch of time and its buckets; all times are ISO 8601 texts in UTC.

    Args:
        first, last: the earliest and the latest arrival; empty without events.
        bucket: "hour", "day" or "week".
        starts: when each bucket starts; the lists of numbers elsewhere have this length.
    """

    first: str
    last: str
    bucket: str
    starts: list[str]


class BrokenLineResult(msgspec.Struct, frozen=True):
    """One line that could not be replayed."""

    source: str
    line: int
    reason: str


class InputResult(msgspec.Struct, frozen=True):
    """What was read.

    Args:
        out_of_order: requests that arrived before the one in front of them; more than a few mean
            that the input is not in log order.
        broken, broken_lines: how many lines could not be replayed, and the first of them.
    """

    sources: list[str]
    lines: int
    requests: int
    events: int
    out_of_order: int
    broken: int
    broken_lines: list[BrokenLineResult]


class AudienceResult(msgspec.Struct, frozen=True):
    """One audience.

    Args:
        size: members at the end.
        share: of all profiles at the end, 0..1.
        ever: visitors who were members at one of their events.
        entered, left: how often visitors came in and went out, over the whole time.
        sizes: members at the end of each bucket.
        entries, exits: per bucket. `merged` are memberships that vanished because two visitors
            turned out to be one.
        conditions: which conditions decided alone, of the sampled profiles.
    """

    id: str
    name: str
    size: int
    share: float
    ever: int
    entered: int
    left: int
    sizes: list[int]
    entries: list[int]
    exits: list[int]
    merged: list[int]
    conditions: list[ConditionResult]

    @property
    def decides_most(self) -> str:
        """The condition that decides about most visitors; empty where one is all there is."""
        deciding = [one for one in self.conditions if one.keeps_in or one.keeps_out]
        return deciding[0].condition if deciding and len(self.conditions) > 1 else ""


class OverlapResult(msgspec.Struct, frozen=True, gc=False):
    """How many profiles are in both of two audiences at the end; `jaccard` is both / either."""

    first: str
    second: str
    profiles: int
    jaccard: float


class VariantResult(msgspec.Struct, frozen=True):
    """One variant index: the share it should get, and the visitors that got it."""

    index: int
    share: float
    profiles: int


class ExperienceResult(msgspec.Struct, frozen=True):
    """One experience.

    Args:
        reach: visitors who got it at one of their events, by the variant that they got last.
        held_out: visitors of the audience whom the traffic share kept out.
        ratio_test: whether the split agrees with the distribution; None without a comparison.
    """

    id: str
    name: str
    kind: str
    audience_id: str | None
    sticky: bool
    traffic_allocation: float
    reach: int
    held_out: int
    variants: list[VariantResult]
    ratio_test: RatioTest | None


class NeverResult(msgspec.Struct, frozen=True):
    """Audiences that nobody was ever in, and experiences that nobody ever got."""

    audiences: list[str]
    experiences: list[str]


class AudienceChange(msgspec.Struct, frozen=True):
    """One audience under both rulesets, at the end.

    Args:
        before, after: members; None where the ruleset does not have the audience.
        entered: members only after; `left` only before; each with some of their ids.
    """

    id: str
    before: int | None
    after: int | None
    entered: int
    left: int
    entered_examples: list[str]
    left_examples: list[str]


class VariantMove(msgspec.Struct, frozen=True):
    """Profiles that get another variant index at the end; None is not to get the experience."""

    before: int | None
    after: int | None
    profiles: int
    examples: list[str]


class ExperienceChange(msgspec.Struct, frozen=True):
    """One experience under both rulesets.

    Args:
        before, after: its reach; None where the ruleset does not have it.
    """

    id: str
    before: int | None
    after: int | None
    moved: int
    moves: list[VariantMove]


class AgainstResult(msgspec.Struct, frozen=True):
    """What the rules change in comparison with others.

    Args:
        ruleset: the digest of the others.
        audiences, experiences: all of either ruleset.
    """

    ruleset: str
    audiences: list[AudienceChange]
    experiences: list[ExperienceChange]


class EnvironmentResult(msgspec.Struct, frozen=True):
    """One environment.

    Args:
        profiles: visitors at the end. `merged` turned out to be another one.
        duplicates: events that had been counted before.
        new_profiles: visitors that appeared, per bucket.
        sampled: from how many profiles the deciding conditions were found.
        overlap: all pairs of audiences that share a profile, the largest first.
    """

    environment: str
    ruleset: str
    requests: int
    events: int
    duplicates: int
    profiles: int
    merged: int
    new_profiles: list[int]
    sampled: int
    audiences: list[AudienceResult]
    overlap: list[OverlapResult]
    experiences: list[ExperienceResult]
    never: NeverResult
    against: AgainstResult | None


class Result(msgspec.Struct, frozen=True):
    """The whole answer."""

    format: int
    input: InputResult
    timeline: TimelineResult
    environments: list[EnvironmentResult]


class _Format(msgspec.Struct, frozen=True):
    format: int


def encode_result(result: Result) -> bytes:
    """Return a result as JSON, for people and programs; it ends with a line break."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def decode_result(data: bytes) -> Result:
    """Return the result that some JSON holds.

    Errors: msgspec.DecodeError for any other JSON, another format, and times that are none.
    """
    found = msgspec.json.decode(data, type=_Format).format
    # Before the rest: of another format everything else may differ too.
    if found != FORMAT:
        raise msgspec.ValidationError(f"its format is {found}, and not {FORMAT}")
    result = msgspec.json.decode(data, type=Result)
    _check_times(result.timeline)
    return result


def _check_times(timeline: TimelineResult) -> None:
    times = {"first": timeline.first, "last": timeline.last}
    if not any(times.values()):
        return
    for name, text in times.items():
        if not _is_time(text):
            raise msgspec.ValidationError(f"timeline.{name} is no time")
    if datetime.fromisoformat(timeline.last) < datetime.fromisoformat(timeline.first):
        raise msgspec.ValidationError("timeline.last is before timeline.first")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
