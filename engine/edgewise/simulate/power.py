"""How many visitors a test of two proportions needs, and what it can tell with so many."""

from __future__ import annotations

from math import asin, ceil, isfinite, nan, pi, sin, sqrt
from warnings import catch_warnings, simplefilter

from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from edgewise.errors import InputError

_POWER = NormalIndPower()


def visitors_needed(
    baseline: float, expected: float, ratio: float, alpha: float, power: float
) -> int:
    """Return how many visitors the baseline needs, so that a two-sided test finds a difference.

    Args:
        baseline, expected: the two shares of visitors who do what counts; they differ.
        ratio: visitors of the variant per visitor of the baseline.
        alpha: how likely the test may be to find a difference where there is none.
        power: how likely it shall be to find the difference.
    Errors: InputError where the difference is so small, or the chances so extreme, that no number
        can be found.
    Source: the normal approximation for Cohen's effect size h of two proportions.
    """
    with catch_warnings():
        # A search that leads nowhere is told below.
        simplefilter("ignore")
        try:
            found = float(
                _POWER.solve_power(
                    effect_size=abs(proportion_effectsize(expected, baseline)),
                    alpha=alpha,
                    power=power,
                    ratio=ratio,
                    alternative="two-sided",
                )
            )
        except (TypeError, ValueError):
            found = nan
    if not isfinite(found):
        raise InputError(
            f"no number of visitors can be found that tells {baseline:.4%} from {expected:.4%} with"
            f" power {power:g} at alpha {alpha:g}; ask for another lift, or for other chances"
        )
    return max(1, ceil(found))


def least_lift(
    baseline: float, visitors: float, ratio: float, alpha: float, power: float, *, drop: bool
) -> float | None:
    """Return the smallest relative lift that a test finds, None where visitors are too few for any.

    Args:
        drop: whether it is a drop that is looked for, whose lift is less than 0.
        visitors: those of the baseline; the others as in `visitors_needed`.
    """
    if visitors < 1:
        return None
    # In closed form, as the other tail of a two-sided test has no weight at any usual power:
    # for one visitor the effect size is what it is for many, times the root of how many.
    one = _unit_effect(ratio, alpha, power)
    change = one / sqrt(visitors) / 2
    angle = asin(sqrt(baseline)) + (-change if drop else change)
    if not 0 < angle < pi / 2:
        return None
    return sin(angle) ** 2 / baseline - 1


def _unit_effect(ratio: float, alpha: float, power: float) -> float:
    visitors = 1_000
    effect = _POWER.solve_power(
        nobs1=visitors, alpha=alpha, power=power, ratio=ratio, alternative="two-sided"
    )
    return float(effect) * sqrt(visitors)
