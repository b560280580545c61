"""What the replay of one partition found: numbers that add up over all partitions."""

from __future__ import annotations

import msgspec

from edgewise.simulate.requests import BrokenLine


class AudienceCounts(msgspec.Struct):
    """Per bucket how often visitors entered, left, or stopped being visitors of their own.

    Args:
        merged: memberships that vanished because their visitor turned out to be another one.
        size: members at the end.
        ever: visitors who were members at one of their events.
    """

    entries: list[int]
    exits: list[int]
    merged: list[int]
    size: int = 0
    ever: int = 0


class ExperienceCounts(msgspec.Struct):
    """Who got an experience at one of their events.

    Args:
        variants: visitors per variant index, by the variant that they got last.
        held_out: visitors of the audience whom the traffic share kept out.
    """

    variants: list[int]
    held_out: int = 0


class SampledProfile(msgspec.Struct, frozen=True, order=True):
    """A profile at the end, as a record's bytes; those with the least hashes are the sample."""

    hash: int
    record: bytes


class EnvironmentCounts(msgspec.Struct):
    """What the visitors of one environment did under one ruleset.

    Args:
        profiles: living profiles at the end.
        new, merged: per bucket the profiles that appeared, and those that became another one.
        pairs: how many final profiles are in two audiences, by `low * audiences + high` of their
            positions in the ruleset.
        sample: final profiles with the least hashes, ascending.
    """

    requests: int
    events: int
    duplicates: int
    profiles: int
    new: list[int]
    merged: list[int]
    audiences: dict[str, AudienceCounts]
    experiences: dict[str, ExperienceCounts]
    pairs: dict[int, int]
    sample: list[SampledProfile]


class Example(msgspec.Struct, frozen=True, order=True):
    """A profile that stands for many; those with the least hashes are shown."""

    hash: int
    profile_id: str


class Tally(msgspec.Struct):
    """A number of profiles, and some of them."""

    count: int = 0
    examples: list[Example] = []


class DifferenceCounts(msgspec.Struct):
    """How two rulesets treat the same visitors at the end.

    Args:
        entered, left: per audience the profiles that are in it only under the new rules, or only
            under the old ones.
        moves: per experience, and then per "old>new" variant index ("-" is none), the profiles.
    """

    entered: dict[str, Tally] = {}
    left: dict[str, Tally] = {}
    moves: dict[str, dict[str, Tally]] = {}


class PartialResult(msgspec.Struct):
    """What one partition contributes; maps are by "organization/environment".

    Args:
        after: under the rules that are asked about.
        before: under the rules that they are compared with, if they are.
        broken: the number of lines that could not be replayed, and the first of them.
    """

    partition: int
    after: dict[str, EnvironmentCounts]
    before: dict[str, EnvironmentCounts] = {}
    differences: dict[str, DifferenceCounts] = {}
    broken: int = 0
    broken_lines: list[BrokenLine] = []
