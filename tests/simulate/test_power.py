"""Sample sizes are those of the textbooks."""

from __future__ import annotations

from statistics import NormalDist

import pytest

pytest.importorskip("statsmodels")

from edgewise.errors import InputError
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
    for lift in (0.2, -0.2):
        needed = visitors_needed(0.04, 0.04 * (1 + lift), ratio, 0.05, 0.8)
        found = least_lift(0.04, needed, ratio, 0.05, 0.8, drop=lift < 0)
        assert found == pytest.approx(lift, rel=0.001)


@pytest.mark.parametrize("visitors", [0, 0.5, 2])
def test_too_few_visitors_tell_nothing(visitors: float) -> None:
    """With nearly nobody no lift is large enough."""
    assert least_lift(0.5, visitors, 1.0, 0.05, 0.8, drop=False) is None
    assert least_lift(0.5, visitors, 1.0, 0.05, 0.8, drop=True) is None


@pytest.mark.parametrize(
    ("expected", "alpha", "power"),
    [
        pytest.param(0.04 * (1 + 1e-12), 0.05, 0.8, id="hardly a difference"),
        pytest.param(0.04, 0.05, 0.8, id="no difference"),
        pytest.param(0.05, 1e-300, 0.8, id="never wrong"),
        pytest.param(0.05, 0.05, 0.0500001, id="power of a guess"),
    ],
)
def test_what_no_number_of_visitors_tells_is_said(
    expected: float, alpha: float, power: float
) -> None:
    """Where the search for a number leads nowhere, the question is refused."""
    with pytest.raises(InputError, match="no number of visitors"):
        visitors_needed(0.04, expected, 1.0, alpha, power)
