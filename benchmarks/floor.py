"""The inline floor: one generated function for all audiences of a ruleset, and nothing around it.

It is what one would write by hand for speed: each attribute is read at most once, every condition
stands inline behind the same guards as in the engine's predicates, `and` and `or` stop early, and a
matching audience goes straight to the hash. For W(2) it looks like this:

    def decide(profile, now_ms):
        traits = profile.traits
        key = profile.stable_id.encode()
        pairs = []
        append = pairs.append
        r0 = traits.get(_c0)
        ...
        if ( ... v in _c1 if (v := r0).__class__ is _str else v is not None and _in(v, _c1) ... ):
            append(_c7 if _hash(key, _c8) & 0xFFFFFFFF < _c9 else _c10)

It knows no sticky experiences, no partial traffic, no murmur3 and no audience ids in the answer.
"""

from __future__ import annotations

from collections.abc import Callable

from xxhash import xxh3_64_intdigest

from edgewise.audiences.compiler import HELPERS
from edgewise.audiences.inline import InlineWriter
from edgewise.audiences.runtime import Generated, generate
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset, ServedExperience

Pair = tuple[str, int]
Floor = Callable[[Profile, int], list[Pair]]


def make_floor(ruleset: Ruleset) -> Floor:
    """Return the floor of a ruleset that has one 50/50 xxh3 experiment per audience."""
    return generate_floor(ruleset).functions["decide"]


def generate_floor(ruleset: Ruleset) -> Generated:
    """Return the generated module that holds the floor, with its source."""
    experiments = {served.audience_id: served for served in ruleset.experiences}
    writer = InlineWriter()
    source = writer.inline_function(
        "decide",
        "profile, now_ms",
        [
            (audience.tree, _action(writer, experiments[audience.id]))
            for audience in ruleset.audiences
        ],
        before=("key = profile.stable_id.encode()", "pairs = []", "append = pairs.append"),
        after=("return pairs",),
    )
    names = {**HELPERS, **writer.constants, "_hash": xxh3_64_intdigest}
    return generate(source, names, "floor")


def _action(writer: InlineWriter, served: ServedExperience) -> str:
    """Append the pair of the half that the hash lies in."""
    experience, allocation = served.experience, served.allocation
    if experience.distribution != (0.5, 0.5) or experience.traffic_allocation != 1:
        raise ValueError(f"{experience.id} is no 50/50 experiment for everyone in its audience")
    seed, bound = writer.constant(allocation.seed), writer.constant(allocation.variant_bounds[0])
    first, second = (writer.constant((experience.id, index)) for index in (0, 1))
    return f"append({first} if _hash(key, {seed}) & 0xFFFFFFFF < {bound} else {second})"
