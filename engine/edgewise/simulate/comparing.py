"""One visitor under two rulesets → the difference."""

from __future__ import annotations

from edgewise.simulate.counting import hash_of
from edgewise.simulate.partial import DifferenceCounts, Example, Tally
from edgewise.simulate.visitors import Visitor

MOST_EXAMPLES = 20

NO_VARIANT = "-"


class Comparing:
    """Adds up how visitors are treated differently at the end."""

    def __init__(self) -> None:
        self.differences: dict[str, DifferenceCounts] = {}

    def compare(self, environment: str, before: Visitor, after: Visitor) -> None:
        """Count the differences between one visitor before and after."""
        differences = self.differences.setdefault(environment, DifferenceCounts())
        profile_id = after.profile.id
        example = Example(hash_of(profile_id), profile_id)
        if before.audiences != after.audiences:
            old, new = set(before.audiences), set(after.audiences)
            for audience_id in new - old:
                _add(differences.entered, audience_id, example)
            for audience_id in old - new:
                _add(differences.left, audience_id, example)
        if before.variants != after.variants:
            for experience_id in before.variants.keys() | after.variants.keys():
                move = _move(before.variants.get(experience_id), after.variants.get(experience_id))
                if move:
                    _add(differences.moves.setdefault(experience_id, {}), move, example)


def add_differences(into: DifferenceCounts, other: DifferenceCounts) -> None:
    """Add the differences of one partition to those of others."""
    _add_tallies(into.entered, other.entered)
    _add_tallies(into.left, other.left)
    for experience_id, moves in other.moves.items():
        _add_tallies(into.moves.setdefault(experience_id, {}), moves)


def _move(before: int | None, after: int | None) -> str:
    if before == after:
        return ""
    old, new = (NO_VARIANT if index is None else str(index) for index in (before, after))
    return f"{old}>{new}"


def _add(tallies: dict[str, Tally], key: str, example: Example) -> None:
    tally = tallies.setdefault(key, Tally())
    tally.count += 1
    examples = tally.examples
    if len(examples) < MOST_EXAMPLES or example < examples[-1]:
        examples.append(example)
        examples.sort()
        del examples[MOST_EXAMPLES:]


def _add_tallies(into: dict[str, Tally], other: dict[str, Tally]) -> None:
    for key, tally in other.items():
        mine = into.setdefault(key, Tally())
        mine.count += tally.count
        mine.examples = sorted([*mine.examples, *tally.examples])[:MOST_EXAMPLES]
