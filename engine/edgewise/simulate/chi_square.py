"""The chi-square test: do counts agree with the shares that they should have?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

LEAST_EXPECTED = 5.0
"""Below this many expected visitors in a variant the test says little."""

MISMATCH_P = 0.01
"""Below this a split is called out: chance alone hardly makes it."""

_MOST_STEPS = 10_000
_PRECISION = 1e-15


class RatioTest(msgspec.Struct, frozen=True):
    """A test for sample ratio mismatch.

    Args:
        p: how likely counts at least this far off are when the shares hold, from 0 to 1.
        too_few: whether some variant expects so few visitors that the test says little.
    """

    chi_square: float
    degrees: int
    p: float
    too_few: bool

    @property
    def is_mismatch(self) -> bool:
        """Whether the split is hardly as planned."""
        return not self.too_few and self.p < MISMATCH_P


def ratio_test(observed: Sequence[int], shares: Sequence[float]) -> RatioTest | None:
    """Return whether counts agree with shares, or None where there is nothing to compare.

    Args:
        shares: per count; they need not sum up to 1. Counts with a share of 0 are left out.
    """
    pairs = [(count, share) for count, share in zip(observed, shares, strict=True) if share > 0]
    total = sum(count for count, _ in pairs)
    if total == 0 or len(pairs) < 2:
        return None
    whole = sum(share for _, share in pairs)
    expected = [total * share / whole for _, share in pairs]
    chi_square = sum(
        (count - mean) ** 2 / mean for (count, _), mean in zip(pairs, expected, strict=True)
    )
    degrees = len(pairs) - 1
    p = survival(chi_square, degrees)
    return RatioTest(chi_square, degrees, p, min(expected) < LEAST_EXPECTED)


def survival(chi_square: float, degrees: int) -> float:
    """Return the probability of a chi-square value at least this large.

    Source: the regularized incomplete gamma function Q(degrees / 2, chi_square / 2), by its series
    on the left of the peak and by its continued fraction (Lentz) on the right.
    """
    a, x = degrees / 2, chi_square / 2
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    return 1 - scale * _lower_series(a, x) if x < a + 1 else scale * _upper_fraction(a, x)


def _lower_series(a: float, x: float) -> float:
    term = total = 1 / a
    for step in range(1, _MOST_STEPS):
        term *= x / (a + step)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _upper_fraction(a: float, x: float) -> float:
    # The modified Lentz method; x >= a + 1 keeps every denominator away from 0.
    b = x + 1 - a
    c = math.inf
    d = 1 / b
    value = d
    for step in range(1, _MOST_STEPS):
        numerator = -step * (step - a)
        b += 2
        d = 1 / (b + numerator * d)
        c = b + numerator / c
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value
