"""What groups with a bit say of one attribute or tally, turned into masks and lookups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

import msgspec

from edgewise.audiences.bits import mask_of
from edgewise.audiences.groups import Group, Literal, Subject
from edgewise.audiences.lookups import Lookup, make_lookup, make_order_lookup
from edgewise.audiences.texts import is_slow
from edgewise.model.audience import CountTest, Test
from edgewise.operators import reference_test


class Masked(msgspec.Struct, frozen=True):
    """One attribute or tally as a mask.

    Args:
        resting: the groups that stand while it is missing, or nothing is counted.
        changes: value → the bits in which its standing mask differs from the resting one.
        concerns: the groups that have a literal on it.
        slow: whether `changes` is so dear that it is asked last, and only if it can matter.
    """

    resting: int
    changes: Lookup
    concerns: int
    slow: bool = False


# Several literals of one group on the same subject lie in different layers.
Layers = list[dict[Literal, list[int]]]


def rests(literal: Literal) -> bool:
    """Return whether a literal holds while its attribute is missing, or its count 0."""
    test = literal.tests[0]
    at_rest = isinstance(test, CountTest) and reference_test(test.operator)(0, test.count)
    return at_rest is not literal.negated


def collect(groups: Iterable[Group]) -> dict[Subject, Layers]:
    """Return by subject the literals on it, with the bits of their groups, layer by layer.

    Args:
        groups: in the order of their bits.
    """
    collected: dict[Subject, Layers] = {}
    for bit, group in enumerate(groups):
        seen: Counter[Subject] = Counter()
        for literal in group:
            subject = literal.subject
            layers = collected.setdefault(subject, [])
            if seen[subject] == len(layers):
                layers.append({})
            layers[seen[subject]].setdefault(literal, []).append(bit)
            seen[subject] += 1
    return collected


def make_masked(layers: Layers, size: int) -> Masked:
    """Return the masks of a subject.

    Args:
        size: the number of bits.
    """
    resting = [_resting(layer, size) for layer in layers]
    masks = _masks(layers, size)
    tests = {one: mask for one, mask in masks.items() if isinstance(one, Test)}
    counts = {one: mask for one, mask in masks.items() if isinstance(one, CountTest)}
    changes = make_lookup(tests) if tests else _count_changes(counts)
    return Masked(
        resting=reduce(and_, resting),
        changes=_folded(changes, resting, size),
        concerns=mask_of(
            (bit for layer in layers for bits in layer.values() for bit in bits), size
        ),
        slow=is_slow(tests),
    )


def _resting(layer: Mapping[Literal, Sequence[int]], size: int) -> int:
    bits = (bit for one, bits in layer.items() if not rests(one) for bit in bits)
    return (1 << size) - 1 ^ mask_of(bits, size)


def _masks(layers: Layers, size: int) -> dict[Test | CountTest, int]:
    """The bits that each test turns over, layers side by side."""
    bits_of: dict[Test | CountTest, list[int]] = {}
    for number, layer in enumerate(layers):
        for literal, bits in layer.items():
            for test in literal.tests:
                bits_of.setdefault(test, []).extend(number * size + bit for bit in bits)
    return {test: mask_of(bits, size * len(layers)) for test, bits in bits_of.items()}


def _count_changes(masks: Mapping[CountTest, int]) -> Lookup:
    """Which bits differ from those at a count of 0."""
    holding = make_order_lookup((one.operator, one.count, mask) for one, mask in masks.items())
    at_rest = holding(0)
    return lambda count: holding(count) ^ at_rest


def _folded(changes: Lookup, resting: Sequence[int], size: int) -> Lookup:
    """The changes of several layers as changes of their AND."""
    if len(resting) == 1:
        return changes
    everything = (1 << size) - 1
    folded = reduce(and_, resting)
    layers = [(number * size, mask) for number, mask in enumerate(resting)]

    def look_up(value: Any) -> int:
        changed = changes(value)
        standing = everything
        for shift, mask in layers:
            standing &= mask ^ changed >> shift
        return standing ^ folded

    return look_up
