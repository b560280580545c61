"""Partial results → the result. Pure, and the same in whichever order the partials come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from hashlib import blake2b
from itertools import accumulate, repeat

import msgspec

from edgewise.model.audience import Audience
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, ServedExperience
from edgewise.simulate.chi_square import ratio_test
from edgewise.simulate.comparing import NO_VARIANT, add_differences
from edgewise.simulate.counting import add_counts, copy_of
from edgewise.simulate.deciding import Deciding
from edgewise.simulate.partial import (
    AudienceCounts,
    DifferenceCounts,
    EnvironmentCounts,
    Example,
    PartialResult,
    SampledProfile,
    Tally,
)
from edgewise.simulate.requests import first_broken
from edgewise.simulate.result import (
    FORMAT,
    AgainstResult,
    AudienceChange,
    AudienceResult,
    BrokenLineResult,
    EnvironmentResult,
    ExperienceChange,
    ExperienceResult,
    InputResult,
    NeverResult,
    OverlapResult,
    Result,
    TimelineResult,
    VariantMove,
    VariantResult,
)
from edgewise.simulate.rules_input import RulesInput, compile_rules
from edgewise.simulate.scan import Scanned
from edgewise.simulate.window import DAY_MS, HOUR_MS, WEEK_MS, Window
from edgewise.stores.codec import decode_record
from edgewise.values import iso_time

_MOST_EXPLANATIONS = 200_000
_BUCKETS = {HOUR_MS: "hour", DAY_MS: "day", WEEK_MS: "week"}


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What all partitions of a simulation have in common; it pickles.

    Args:
        show_ids: whether example profiles are named; else by a hash that is salted with what the
            input holds, so that only who has the input can tell who is meant.
    """

    rules: RulesInput
    against: RulesInput | None
    scanned: Scanned
    window: Window
    show_ids: bool = False


def merge(simulation: Simulation, partials: Iterable[PartialResult]) -> Result:
    """Return the result of a simulation from those of all its partitions."""
    parts = sorted(partials, key=lambda partial: partial.partition)
    scanned = simulation.scanned
    broken = first_broken(
        [*scanned.broken_lines, *(line for part in parts for line in part.broken_lines)]
    )
    return Result(
        format=FORMAT,
        input=InputResult(
            sources=scanned.sources,
            lines=scanned.lines,
            requests=scanned.requests,
            events=scanned.events,
            out_of_order=scanned.out_of_order,
            broken=scanned.broken + sum(part.broken for part in parts),
            broken_lines=[
                BrokenLineResult(scanned.sources[one.source], one.line, one.reason)
                for one in broken
            ],
        ),
        timeline=_timeline(simulation.window),
        environments=[
            _environment(simulation, environment, parts)
            for environment in sorted(compile_rules(simulation.rules))
        ],
    )


def _timeline(window: Window) -> TimelineResult:
    bucket = _BUCKETS[window.bucket_ms]
    if not window.count:
        return TimelineResult("", "", bucket, [])
    starts = [iso_time(window.start_of(place)) for place in range(window.count)]
    return TimelineResult(iso_time(window.first_ms), iso_time(window.last_ms), bucket, starts)


def _environment(
    simulation: Simulation, environment: str, parts: Sequence[PartialResult]
) -> EnvironmentResult:
    ruleset = compile_rules(simulation.rules)[environment]
    counts = _sum(part.after[environment] for part in parts)
    if not simulation.window.count:
        counts.new, counts.merged = [], []
        for audience in counts.audiences.values():
            audience.entries, audience.exits, audience.merged = [], [], []
    sample = _sampled(counts.sample, len(ruleset.audiences))
    deciding = Deciding(sample, simulation.window.last_ms)
    audiences = [_audience(audience, counts, deciding) for audience in ruleset.audiences]
    experiences = [_experience(served, counts) for served in ruleset.experiences]
    return EnvironmentResult(
        environment=environment,
        ruleset=ruleset.digest,
        requests=counts.requests,
        events=counts.events,
        duplicates=counts.duplicates,
        profiles=counts.profiles,
        merged=sum(counts.merged),
        new_profiles=counts.new,
        sampled=len(sample),
        audiences=audiences,
        overlap=_overlap(counts, ruleset),
        experiences=experiences,
        never=NeverResult(
            [audience.id for audience in audiences if not audience.ever and not audience.entered],
            [experience.id for experience in experiences if not experience.reach],
        ),
        against=_against(simulation, environment, counts, parts),
    )


def _audience(audience: Audience, counts: EnvironmentCounts, deciding: Deciding) -> AudienceResult:
    found = counts.audiences[audience.id]
    return AudienceResult(
        id=audience.id,
        name=audience.name,
        size=found.size,
        share=found.size / counts.profiles if counts.profiles else 0.0,
        ever=found.ever,
        entered=sum(found.entries),
        left=sum(found.exits),
        sizes=_sizes(found),
        entries=found.entries,
        exits=found.exits,
        merged=found.merged,
        conditions=deciding.conditions(audience),
    )


def _sum(counts: Iterable[EnvironmentCounts]) -> EnvironmentCounts:
    def add(total: EnvironmentCounts, one: EnvironmentCounts) -> EnvironmentCounts:
        add_counts(total, one)
        return total

    first, *others = counts
    return reduce(add, others, copy_of(first))


def _sizes(counts: AudienceCounts) -> list[int]:
    changes = zip(counts.entries, counts.exits, counts.merged, strict=True)
    return list(accumulate(entries - exits - merged for entries, exits, merged in changes))


def _sampled(sample: Sequence[SampledProfile], audiences: int) -> list[Profile]:
    """The sample; smaller where there are many audiences, so that explaining takes seconds."""
    records = [one.record for one in sample[: max(50, _MOST_EXPLANATIONS // max(audiences, 1))]]
    return [record for one in records if isinstance(record := decode_record(one), Profile)]


def _experience(served: ServedExperience, counts: EnvironmentCounts) -> ExperienceResult:
    experience = served.experience
    found = counts.experiences[experience.id]
    shares = [*experience.distribution, *[0.0] * len(found.variants)][: len(found.variants)]
    return ExperienceResult(
        id=experience.id,
        name=experience.name,
        kind=experience.kind,
        audience_id=experience.audience_id,
        sticky=experience.sticky,
        traffic_allocation=experience.traffic_allocation,
        reach=sum(found.variants),
        held_out=found.held_out,
        variants=[
            VariantResult(index, share, profiles)
            for index, (share, profiles) in enumerate(zip(shares, found.variants, strict=True))
        ],
        ratio_test=ratio_test(found.variants, shares),
    )


def _overlap(counts: EnvironmentCounts, ruleset: Ruleset) -> list[OverlapResult]:
    ids = [audience.id for audience in ruleset.audiences]
    sizes = [counts.audiences[audience_id].size for audience_id in ids]
    # The largest first; equal ones in the order of the answer.
    order = sorted(sorted(counts.pairs), key=counts.pairs.__getitem__, reverse=True)
    places = map(divmod, order, repeat(len(ids)))
    return [
        OverlapResult(ids[low], ids[high], both, both / (sizes[low] + sizes[high] - both))
        for (low, high), both in zip(places, map(counts.pairs.__getitem__, order), strict=True)
    ]


def _against(
    simulation: Simulation,
    environment: str,
    after: EnvironmentCounts,
    parts: Sequence[PartialResult],
) -> AgainstResult | None:
    other = compile_rules(simulation.against).get(environment) if simulation.against else None
    if other is None:
        return None
    before = _sum(part.before[environment] for part in parts)
    differences = DifferenceCounts()
    for part in parts:
        if environment in part.differences:
            add_differences(differences, part.differences[environment])
    named = _Naming(simulation)
    audience_ids = sorted(before.audiences.keys() | after.audiences.keys(), key=_answer_order)
    experience_ids = sorted(before.experiences.keys() | after.experiences.keys(), key=_answer_order)
    return AgainstResult(
        ruleset=other.digest,
        audiences=[
            _audience_change(audience_id, before, after, differences, named)
            for audience_id in audience_ids
        ],
        experiences=[
            _experience_change(experience_id, before, after, differences, named)
            for experience_id in experience_ids
        ],
    )


def _audience_change(
    audience_id: str,
    before: EnvironmentCounts,
    after: EnvironmentCounts,
    differences: DifferenceCounts,
    named: _Naming,
) -> AudienceChange:
    old, new = before.audiences.get(audience_id), after.audiences.get(audience_id)
    entered = differences.entered.get(audience_id, Tally())
    left = differences.left.get(audience_id, Tally())
    return AudienceChange(
        id=audience_id,
        before=None if old is None else old.size,
        after=None if new is None else new.size,
        entered=entered.count,
        left=left.count,
        entered_examples=named.all(entered.examples),
        left_examples=named.all(left.examples),
    )


def _experience_change(
    experience_id: str,
    before: EnvironmentCounts,
    after: EnvironmentCounts,
    differences: DifferenceCounts,
    named: _Naming,
) -> ExperienceChange:
    old, new = before.experiences.get(experience_id), after.experiences.get(experience_id)
    moves = []
    for move, tally in differences.moves.get(experience_id, {}).items():
        was, now = (None if part == NO_VARIANT else int(part) for part in move.split(">"))
        moves.append(VariantMove(was, now, tally.count, named.all(tally.examples)))
    return ExperienceChange(
        id=experience_id,
        before=None if old is None else sum(old.variants),
        after=None if new is None else sum(new.variants),
        moved=sum(one.profiles for one in moves),
        moves=sorted(moves, key=lambda one: (-one.profiles, str(one.before), str(one.after))),
    )


class _Naming:
    """What example profiles are called."""

    def __init__(self, simulation: Simulation) -> None:
        self._show_ids = simulation.show_ids
        self._salt = bytes.fromhex(simulation.scanned.digest)

    def all(self, examples: Iterable[Example]) -> list[str]:
        return [self._name(example.profile_id) for example in examples]

    def _name(self, profile_id: str) -> str:
        if self._show_ids:
            return profile_id
        return blake2b(profile_id.encode(), key=self._salt, digest_size=8).hexdigest()


def _answer_order(identifier: str) -> tuple[str, str]:
    return identifier.lower(), identifier
