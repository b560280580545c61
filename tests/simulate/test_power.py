"""Sample sizes are those of the textbooks."""

from __future__ import annotations

from statistics import NormalDist

import pytest

pytest.importorskip("statsmodels")

from edgewise.simulate.power import least_lift, visitors_needed


@pytest.mark.parametrize(
    ("baseline", "expected", "least", "most"),
    [
        pytest.param(0.04, 0.044, 39_200, 39_700, id="a-tenth-more-of-4%"),
        pytest.param(0.04, 0.036, 35_600, 36_100, id="a-tenth-less-of-4%"),
        pytest.param(0.5, 0.6, 380, 392, id="50%-to-60%"),
        pytest.param(0.1, 0.2, 190, 200, id="10%-to-20%"),
    ],
)
def test_equal_groups(baseline: float, expected: float, least: int, most: int) -> None:
    """With equal groups the size is near that of the usual formula of two proportions."""
    needed = visitors_needed(baseline, expected, 1.0, 0.05, 0.8)
    assert least <= needed <= most
    tails = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    spread = baseline * (1 - baseline) + expected * (1 - expected)
    assert needed == pytest.approx(tails**2 * spread / (expected - baseline) ** 2, rel=0.03)


def test_small_differences_certainty_and_lopsided_splits_cost_visitors() -> None:
    """Less lift, more power, less alpha and a smaller variant all need a larger baseline."""
    usual = visitors_needed(0.04, 0.05, 1.0, 0.05, 0.8)
    assert visitors_needed(0.04, 0.045, 1.0, 0.05, 0.8) > usual
    assert visitors_needed(0.04, 0.05, 1.0, 0.05, 0.9) > usual
    assert visitors_needed(0.04, 0.05, 1.0, 0.01, 0.8) > usual
    assert visitors_needed(0.04, 0.05, 0.2, 0.05, 0.8) > usual


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_least_lift_is_the_inverse(ratio: float) -> None:
    """The lift that so many visitors can tell is the one that needs so many."""
    needed = visitors_needed(0.04, 0.048, ratio, 0.05, 0.8)
    assert least_lift(0.04, needed, ratio, 0.05, 0.8) == pytest.approx(0.2, rel=0.001)


@pytest.mark.parametrize("visitors", [0, 0.5, 2])
def test_too_few_visitors_tell_nothing(visitors: float) -> None:
    """With nearly nobody no lift is large enough."""
    assert least_lift(0.5, visitors, 1.0, 0.05, 0.8) is None
